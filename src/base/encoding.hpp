// Text forms of bytes: hex, base64, base62, CRC-32.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace claviger {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hex(ByteView bytes);
// nullopt unless all of `text` is hex digits, two a byte.
std::optional<Bytes> unhex(std::string_view text);
// Standard alphabet with padding (RFC 4648 section 4).
std::string base64(ByteView bytes);
std::optional<Bytes> unbase64(std::string_view text);

// 0-9A-Za-z, most significant first, left-padded with '0' to `width`. The number is big-endian `bytes`.
std::string base62(ByteView bytes, std::size_t width);

// CRC-32 (IEEE 802.3, reflected), as in zlib.
std::uint32_t crc32(std::string_view text);

}  // namespace claviger
