// Proofs of a secret by its own bytes: checksums, markers and structure, without asking anybody.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "detect/rule.hpp"

namespace claviger::detect {

struct Verdict {
  bool refuted = false;  // the shape is right, the proof is wrong: no finding
  bool proven = false;
  std::int64_t expires_s = 0;
};

Verdict verify(const Rule& rule, std::string_view secret);

// The CRC-32 of `text` as six base62 digits, as GitHub and Claviger write it.
std::string crc_base62(std::string_view text);
// The CRC-32 of `text`, hex, least significant byte first, as Grafana writes it.
std::string crc_hex_little(std::string_view text);
// Microsoft's Marvin32 of `bytes`, both halves folded.
std::uint32_t marvin32(std::string_view bytes, std::uint64_t seed);
// The four characters that end an Azure key whose first 80 are `head`.
std::string azure_tail(std::string_view head);

// Base64 in either alphabet, padding optional; empty when `text` is not that.
std::string loose_base64(std::string_view text);

}  // namespace claviger::detect
