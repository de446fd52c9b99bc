// Wiping, by libsodium, and the wiped key.
#include "crypto/wipe.hpp"

#include <sodium.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/equal.hpp"

namespace claviger::crypto {

void wipe(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) sodium_memzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) {
  // Bytes after the end too: an earlier, longer value may lie there.
  text.resize(text.capacity());
  sodium_memzero(text.data(), text.size());
  text.clear();
}

void wipe(Bytes& bytes) {
  bytes.resize(bytes.capacity());
  wipe(std::span(bytes));
  bytes.clear();
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

bool constant_time_equal(const Digest& a, const Digest& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Key::Key(ByteView bytes) {
  check(bytes.size() == bytes_.size(), "a key has 32 bytes");
  std::ranges::copy(bytes, bytes_.begin());
}

Key::Key(Key&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }

Key& Key::operator=(Key&& other) noexcept {
  if (this == &other) return *this;
  bytes_ = other.bytes_;
  wipe(other.bytes_);
  return *this;
}

}  // namespace claviger::crypto
