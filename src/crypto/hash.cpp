// SHA-256 and HKDF.
#include "crypto/hash.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/check.hpp"
#include "crypto/hmac.hpp"
#include "crypto/sha256_state.hpp"

namespace claviger::crypto {
namespace {

SHA256_CTX& context(HashState& state) { return *std::launder(reinterpret_cast<SHA256_CTX*>(state.data())); }

}  // namespace

Digest sha256(ByteView bytes) {
  SHA256_CTX state;
  hash_begin(state);
  hash_add(state, bytes);
  return hash_end(state);  // which wipes the state's buffer
}

Sha256::Sha256() : state_{} {
  new (state_.data()) SHA256_CTX;
  hash_begin(context(state_));
}

Sha256::~Sha256() { wipe(state_); }

Sha256& Sha256::add(ByteView bytes) {
  hash_add(context(state_), bytes);
  return *this;
}

Digest Sha256::finish() {
  const Digest digest = hash_end(context(state_));
  hash_begin(context(state_));
  return digest;
}

void hkdf_sha256(ByteView key, ByteView salt, ByteView info, std::span<std::uint8_t> out) {
  check(out.size() <= 255 * sizeof(Digest), "HKDF gives at most 255 blocks");
  Digest extracted = HmacSha256(salt).mac(key);
  const HmacSha256 expand{ByteView(extracted)};
  wipe(extracted);
  WipedBytes message;
  Digest block{};
  std::uint8_t number = 0;
  for (std::size_t done = 0; done < out.size(); done += block.size()) {
    message.clear();
    if (number > 0) message.insert(message.end(), block.begin(), block.end());
    message.insert(message.end(), info.begin(), info.end());
    message.push_back(++number);
    block = expand.mac(ByteView(message));
    std::memcpy(out.data() + done, block.data(), std::min(block.size(), out.size() - done));
  }
  wipe(block);
}

Key hkdf_key(ByteView key, std::string_view label) {
  Key derived;
  hkdf_sha256(key, {}, as_bytes(label), derived.writable());
  return derived;
}

}  // namespace claviger::crypto
