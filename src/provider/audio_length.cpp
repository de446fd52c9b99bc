// Bounds of the length of sounds. A bound may be far too long; it may not be too short.
#include "provider/audio_length.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace claviger::provider {
namespace {

// 8 kbit/s is the lowest rate of MPEG 2 and 2.5, layer III.
constexpr std::int64_t kLeastMp3BytesPerSecond = 1000;
// FLAC and Opus spend little more than a frame head on silence.
constexpr std::int64_t kLeastBytesPerSecond = 16;

std::uint32_t little(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::int64_t rounded_up(std::int64_t bytes, std::int64_t rate) { return (bytes + rate - 1) / rate; }

// Bytes a second of a WAV file of plain samples; nothing when it is not one.
std::optional<std::int64_t> wav_rate(std::string_view file) {
  constexpr std::size_t kRiffHead = 12, kChunkHead = 8, kFormat = 16;
  if (file.size() < kRiffHead || !file.starts_with("RIFF") || file.substr(8, 4) != "WAVE")
    return std::nullopt;
  std::size_t at = kRiffHead;
  while (file.size() - at >= kChunkHead + kFormat) {
    const std::uint32_t size = little(file, at + 4, 4);
    if (file.substr(at, 4) == "fmt ") {
      const std::uint32_t tag = little(file, at + 8, 2);
      const std::int64_t channels = little(file, at + 10, 2), samples = little(file, at + 12, 4);
      const std::int64_t block = little(file, at + 20, 2), bits = little(file, at + 22, 2);
      const bool plain = tag == 1 || tag == 3 || tag == 6 || tag == 7 || tag == 0xFFFE;
      // A header that contradicts itself is read to its disadvantage.
      const std::int64_t rate = std::min(samples * block, samples * channels * bits / 8);
      return plain && rate > 0 ? std::optional(rate) : std::nullopt;
    }
    if (size > file.size() - at - kChunkHead) return std::nullopt;
    at += kChunkHead + size + size % 2;
    if (at > file.size()) return std::nullopt;
  }
  return std::nullopt;
}

// Behind an ID3 tag, if there is one: an MPEG frame of layer III.
bool is_mp3(std::string_view file) {
  constexpr std::size_t kTagHead = 10;
  if (file.starts_with("ID3") && file.size() > kTagHead) {
    std::size_t size = 0;
    for (std::size_t i = 6; i < kTagHead; ++i)
      size = size << 7 | (static_cast<unsigned char>(file[i]) & 0x7f);
    if (size > file.size() - kTagHead) return false;
    file.remove_prefix(kTagHead + size);
  }
  if (file.size() < 4) return false;
  const auto second = static_cast<unsigned char>(file[1]), third = static_cast<unsigned char>(file[2]);
  const bool sync = static_cast<unsigned char>(file[0]) == 0xff && (second & 0xe0) == 0xe0;
  const bool layer3 = (second & 0x06) == 0x02;
  const bool has_rate = (third & 0xf0) != 0xf0 && (third & 0xf0) != 0;
  return sync && layer3 && has_rate;
}

}  // namespace

std::int64_t longest_seconds(std::string_view file) {
  const auto bytes = static_cast<std::int64_t>(file.size());
  if (const auto rate = wav_rate(file)) return rounded_up(bytes, *rate);
  return rounded_up(bytes, is_mp3(file) ? kLeastMp3BytesPerSecond : kLeastBytesPerSecond);
}

}  // namespace claviger::provider
