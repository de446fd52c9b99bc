// HMAC-SHA-256 from two kept hash states (RFC 2104).
#include "crypto/hmac.hpp"

#include <algorithm>
#include <cstring>

#include "crypto/hash.hpp"
#include "crypto/sha256_state.hpp"

namespace claviger::crypto {
namespace {

constexpr std::size_t kBlock = 64;

void keep_after(const std::array<std::uint8_t, kBlock>& pad, HashState& kept) {
  SHA256_CTX state;
  hash_begin(state);
  hash_add(state, pad);
  std::memcpy(kept.data(), &state, sizeof(state));
  wipe({reinterpret_cast<std::uint8_t*>(&state), sizeof(state)});
}

void resume(SHA256_CTX& state, const HashState& kept) { std::memcpy(&state, kept.data(), sizeof(state)); }

}  // namespace

HmacSha256::HmacSha256(ByteView key) : inner_{}, outer_{} {
  std::array<std::uint8_t, kBlock> pad{};
  if (key.size() > kBlock) {
    Digest shortened = sha256(key);
    std::ranges::copy(shortened, pad.begin());
    wipe(shortened);
  } else {
    std::ranges::copy(key, pad.begin());
  }
  for (std::uint8_t& byte : pad) byte ^= 0x36;
  keep_after(pad, inner_);
  for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  keep_after(pad, outer_);
  wipe(pad);
}

HmacSha256::~HmacSha256() {
  wipe(inner_);
  wipe(outer_);
}

Digest HmacSha256::mac(ByteView message) const {
  SHA256_CTX state;
  resume(state, inner_);
  hash_add(state, message);
  const Digest inside = hash_end(state);
  resume(state, outer_);
  hash_add(state, inside);
  const Digest digest = hash_end(state);
  // The chaining value that is left is a function of the key: with it others could be made.
  wipe({reinterpret_cast<std::uint8_t*>(&state), sizeof(state)});
  return digest;
}

}  // namespace claviger::crypto
