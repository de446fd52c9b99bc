// HMAC-SHA-256, the keyed hash of virtual keys: on the path of every request.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/encoding.hpp"
#include "crypto/wipe.hpp"

namespace claviger::crypto {

// HMAC-SHA-256 with the key set once: the hash state after each pad is kept, so that a short message costs
// three compressions. mac() is const and may be called by many threads at once.
class HmacSha256 {
 public:
  // Any length; longer than 64 bytes is hashed first (RFC 2104). The key itself is not kept.
  explicit HmacSha256(ByteView key);
  ~HmacSha256();
  HmacSha256(const HmacSha256&) = default;
  HmacSha256& operator=(const HmacSha256&) = default;

  Digest mac(ByteView message) const;
  Digest mac(std::string_view message) const { return mac(as_bytes(message)); }

 private:
  alignas(8) std::array<std::uint8_t, 128> inner_;
  alignas(8) std::array<std::uint8_t, 128> outer_;
};

}  // namespace claviger::crypto
