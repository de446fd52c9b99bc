// Text forms of bytes.
#include "base/encoding.hpp"

namespace claviger {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// [n]: what a byte does to the checksum when n bytes of zero follow it.
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_crc_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) ? 0xedb88320U ^ (c >> 1) : c >> 1;
    tables[0][i] = c;
  }
  for (std::size_t n = 1; n < 8; ++n)
    for (std::size_t i = 0; i < 256; ++i)
      tables[n][i] = tables[0][tables[n - 1][i] & 0xff] ^ (tables[n - 1][i] >> 8);
  return tables;
}
constexpr auto kCrcTables = make_crc_tables();

}  // namespace

std::string hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out.push_back(kHex[b >> 4]);
    out.push_back(kHex[b & 15]);
  }
  return out;
}

std::optional<Bytes> unhex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

std::string base64(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t word = static_cast<std::uint32_t>(
        bytes[i] << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0));
    out.push_back(kBase64[word >> 18 & 63]);
    out.push_back(kBase64[word >> 12 & 63]);
    out.push_back(left > 1 ? kBase64[word >> 6 & 63] : '=');
    out.push_back(left > 2 ? kBase64[word & 63] : '=');
  }
  return out;
}

std::optional<Bytes> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  Bytes out;
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t value = 0;
    if (i < text.size() - padding) {
      value = kBase64.find(text[i]);
      if (value == std::string_view::npos) return std::nullopt;
    }
    word = word << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 == 3) {
      out.push_back(static_cast<std::uint8_t>(word >> 16));
      out.push_back(static_cast<std::uint8_t>(word >> 8));
      out.push_back(static_cast<std::uint8_t>(word));
      word = 0;
    }
  }
  if (padding > 0 && (out[out.size() - 1] != 0 || (padding == 2 && out[out.size() - 2] != 0)))
    return std::nullopt;
  out.resize(out.size() - padding);
  return out;
}

std::string base62(ByteView bytes, std::size_t width) {
  std::string out(width, '0');
  if (bytes.size() <= 8) {
    std::uint64_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8 | byte;
    for (std::size_t at = width; at-- > 0; number /= 62) out[at] = kBase62[number % 62];
    return out;
  }
  Bytes number(bytes.begin(), bytes.end());
  for (std::size_t at = width; at-- > 0;) {
    std::uint32_t rest = 0;
    for (std::uint8_t& digit : number) {
      const std::uint32_t value = rest << 8 | digit;
      digit = static_cast<std::uint8_t>(value / 62);
      rest = value % 62;
    }
    out[at] = kBase62[rest];
  }
  for (std::uint8_t& digit : number) *const_cast<volatile std::uint8_t*>(&digit) = 0;
  return out;
}

// Eight bytes a step, each through the table of its place.
std::uint32_t crc32(std::string_view text) {
  std::uint32_t c = 0xffffffffU;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (; text.size() >= 8; text.remove_prefix(8)) {
    const std::uint32_t low = c ^ (byte(0) | byte(1) << 8 | byte(2) << 16 | std::uint32_t{byte(3)} << 24);
    c = kCrcTables[7][low & 0xff] ^ kCrcTables[6][low >> 8 & 0xff] ^ kCrcTables[5][low >> 16 & 0xff] ^
        kCrcTables[4][low >> 24] ^ kCrcTables[3][byte(4)] ^ kCrcTables[2][byte(5)] ^ kCrcTables[1][byte(6)] ^
        kCrcTables[0][byte(7)];
  }
  for (std::size_t i = 0; i < text.size(); ++i) c = kCrcTables[0][(c ^ byte(i)) & 0xff] ^ (c >> 8);
  return c ^ 0xffffffffU;
}

}  // namespace claviger
