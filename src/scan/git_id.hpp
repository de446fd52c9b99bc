// Names of git objects: SHA-1 or SHA-256 of header and content.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/encoding.hpp"

namespace claviger::scan {

enum class HashKind : std::uint8_t { sha1, sha256 };

constexpr std::size_t hash_size(HashKind kind) { return kind == HashKind::sha1 ? 20 : 32; }

enum class ObjectType : std::uint8_t { commit = 1, tree = 2, blob = 3, tag = 4 };
// "commit", "tree", "blob", "tag".
std::string_view type_name(ObjectType type);
std::optional<ObjectType> parse_type(std::string_view name);

struct ObjectId {
  std::array<std::uint8_t, 32> bytes{};  // zeros behind a SHA-1
  HashKind kind = HashKind::sha1;

  // The id whose raw bytes stand at `raw`, which holds hash_size(kind) of them.
  static ObjectId of(const std::uint8_t* raw, HashKind kind) {
    ObjectId id;
    id.kind = kind;
    std::memcpy(id.bytes.data(), raw, hash_size(kind));
    return id;
  }
  // 40 or 64 hex digits, else nullopt.
  static std::optional<ObjectId> parse(std::string_view text);

  // Whether the raw bytes at `raw` are this id's: a few words, of a length that is known when it is compiled.
  bool stands_at(const std::uint8_t* raw) const {
    return kind == HashKind::sha1 ? std::memcmp(bytes.data(), raw, 20) == 0
                                  : std::memcmp(bytes.data(), raw, 32) == 0;
  }

  ByteView view() const { return {bytes.data(), hash_size(kind)}; }
  std::string hex() const { return claviger::hex(view()); }
  bool is_null() const { return *this == ObjectId{.bytes = {}, .kind = kind}; }

  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

// The id an object of this type and content has.
ObjectId name_of(HashKind kind, ObjectType type, ByteView content);

}  // namespace claviger::scan

template <>
struct std::hash<claviger::scan::ObjectId> {
  std::size_t operator()(const claviger::scan::ObjectId& id) const noexcept {
    std::size_t head;
    std::memcpy(&head, id.bytes.data(), sizeof head);  // already as good as random
    return head;
  }
};
