// SHA-1, for the names of git objects only: it protects nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/encoding.hpp"

namespace claviger::crypto {

// SHA-1 of pieces. After finish() it is ready for the next message.
class Sha1 {
 public:
  Sha1();
  Sha1& add(ByteView bytes);
  Sha1& add(std::string_view text) { return add(as_bytes(text)); }
  std::array<std::uint8_t, 20> finish();

 private:
  alignas(8) std::array<std::uint8_t, 128> state_;  // OpenSSL's SHA_CTX, kept out of this header
};

}  // namespace claviger::crypto
