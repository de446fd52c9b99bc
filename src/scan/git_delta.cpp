// Applies deltas; every number in them is checked before it is used.
#include "scan/git_delta.hpp"

#include <fmt/format.h>

#include <cstring>

namespace claviger::scan {

namespace {

std::unexpected<Error> damaged(std::string_view what) {
  return fail(Code::corrupt, fmt::format("its delta {}", what));
}

// Little-endian groups of seven bits. False when the text ends first or the number has more than 63 bits.
bool read_size(ByteView delta, std::size_t& at, std::uint64_t& size) {
  size = 0;
  for (unsigned shift = 0; shift < 63 && at < delta.size(); shift += 7) {
    const std::uint8_t byte = delta[at++];
    size |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

struct Instruction {
  std::uint64_t from = 0;
  std::uint64_t size = 0;
};

// The operands of a copy: the bits of `code` tell which bytes are there.
bool read_copy(const std::uint8_t*& at, const std::uint8_t* end, std::uint8_t code, Instruction& copy) {
  static constexpr unsigned kOffsetBytes = 4;
  if (end - at < __builtin_popcount(code & 0x7fU)) return false;
  copy = {};
  for (unsigned i = 0; i < kOffsetBytes; ++i)
    if ((code & (1U << i)) != 0) copy.from |= static_cast<std::uint64_t>(*at++) << (8 * i);
  for (unsigned i = 0; i < 3; ++i)
    if ((code & (0x10U << i)) != 0) copy.size |= static_cast<std::uint64_t>(*at++) << (8 * i);
  if (copy.size == 0) copy.size = 0x10000;
  return true;
}

void note(std::vector<Copy>& copies, std::uint64_t to, const Instruction& copy) {
  if (!copies.empty()) {
    Copy& last = copies.back();
    if (last.to + last.size == to && last.from + last.size == copy.from) {
      last.size += copy.size;
      return;
    }
  }
  copies.push_back({to, copy.from, copy.size});
}

}  // namespace

Result<DeltaSizes> delta_sizes(ByteView delta) {
  DeltaSizes sizes;
  if (!read_size(delta, sizes.head, sizes.base) || !read_size(delta, sizes.head, sizes.result))
    return damaged("has no sizes");
  return sizes;
}

Result<void> apply_delta(ByteView base, ByteView delta, const DeltaSizes& sizes, std::span<std::uint8_t> out,
                         std::vector<Copy>* copies) {
  if (sizes.base != base.size())
    return damaged(fmt::format("states a base of {} bytes, its base has {}", sizes.base, base.size()));
  if (copies != nullptr) copies->clear();
  const std::uint8_t* at = delta.data() + sizes.head;
  const std::uint8_t* const end = delta.data() + delta.size();
  std::uint64_t filled = 0;
  while (at < end) {
    const std::uint8_t code = *at++;
    if ((code & 0x80) != 0) {
      Instruction copy;
      if (!read_copy(at, end, code, copy)) return damaged("is cut off");
      if (copy.from > base.size() || copy.size > base.size() - copy.from)
        return damaged("copies from outside its base");
      if (copy.size > out.size() - filled) return damaged("gives more than it states");
      std::memcpy(out.data() + filled, base.data() + copy.from, copy.size);
      if (copies != nullptr) note(*copies, filled, copy);
      filled += copy.size;
    } else {
      if (code == 0) return damaged("holds an unknown instruction");
      if (end - at < code) return damaged("is cut off");
      if (code > out.size() - filled) return damaged("gives more than it states");
      std::memcpy(out.data() + filled, at, code);
      at += code;
      filled += code;
    }
  }
  if (filled != out.size())
    return damaged(fmt::format("gives {} bytes, not the {} it states", filled, out.size()));
  return {};
}

}  // namespace claviger::scan
