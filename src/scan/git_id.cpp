// Reads, writes and computes the names of git objects.
#include "scan/git_id.hpp"

#include <fmt/format.h>

#include "crypto/hash.hpp"
#include "crypto/sha1.hpp"

namespace claviger::scan {

std::string_view type_name(ObjectType type) {
  switch (type) {
    case ObjectType::commit:
      return "commit";
    case ObjectType::tree:
      return "tree";
    case ObjectType::blob:
      return "blob";
    case ObjectType::tag:
      return "tag";
  }
  return "object";
}

std::optional<ObjectType> parse_type(std::string_view name) {
  for (const auto type : {ObjectType::commit, ObjectType::tree, ObjectType::blob, ObjectType::tag})
    if (type_name(type) == name) return type;
  return std::nullopt;
}

std::optional<ObjectId> ObjectId::parse(std::string_view text) {
  if (text.size() != 40 && text.size() != 64) return std::nullopt;
  const auto raw = unhex(text);
  if (!raw) return std::nullopt;
  return of(raw->data(), text.size() == 40 ? HashKind::sha1 : HashKind::sha256);
}

ObjectId name_of(HashKind kind, ObjectType type, ByteView content) {
  std::string head = fmt::format("{} {}", type_name(type), content.size());
  head.push_back('\0');
  if (kind == HashKind::sha256)
    return ObjectId::of(crypto::Sha256().add(head).add(content).finish().data(), kind);
  return ObjectId::of(crypto::Sha1().add(head).add(content).finish().data(), kind);
}

}  // namespace claviger::scan
