// Writing and reading shares.
#include "vault/shares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.hpp"

namespace claviger::vault {
namespace {

constexpr std::string_view kFormat = "clvs1";
constexpr std::size_t kFields = 6;
constexpr std::size_t kKeyBytes = 32;

struct Line {
  std::string_view set;
  int threshold = 0;
  crypto::Share share;
};

std::optional<int> number(std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > most)
    return std::nullopt;
  return value;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = line.find('-');
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

std::string checksum(std::string_view text) { return fmt::format("{:08x}", crc32(text)); }

// nullopt when it is no share, or a letter of it is wrong.
std::optional<Line> read_line(std::string_view text) {
  const std::vector<std::string_view> fields = fields_of(text);
  if (fields.size() != kFields || fields[0] != kFormat) return std::nullopt;
  const std::size_t covered = text.size() - fields[5].size() - 1;
  if (fields[5] != checksum(text.substr(0, covered))) return std::nullopt;
  const auto threshold = number(fields[2], kShareCountMost);
  const auto index = number(fields[3], crypto::kSharesMost);
  auto bytes = unhex(fields[4]);
  if (!threshold || !index || !bytes || bytes->size() != kKeyBytes) return std::nullopt;
  Line line{fields[1], *threshold, {static_cast<std::uint8_t>(*index), {}}};
  line.share.bytes.assign(bytes->begin(), bytes->end());
  crypto::wipe(*bytes);
  return line;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

Result<void> check_split(const Split& split) {
  if (split.threshold >= kShareThresholdLeast && split.threshold <= split.count &&
      split.count <= kShareCountMost)
    return {};
  return refuse(Code::invalid_input,
                fmt::format("{} of {} shares cannot be: a split has up to {} shares and needs at least {} of "
                            "them, and no more than there are.",
                            split.threshold, split.count, kShareCountMost, kShareThresholdLeast));
}

std::vector<std::string> write_shares(std::string_view set, int threshold,
                                      const std::vector<crypto::Share>& shares) {
  std::vector<std::string> lines;
  for (const crypto::Share& share : shares) {
    std::string digits = hex(share.bytes);
    std::string line = fmt::format("{}-{}-{}-{}-{}", kFormat, set, threshold, share.index, digits);
    lines.push_back(fmt::format("{}-{}", line, checksum(line)));
    crypto::wipe(digits);
    crypto::wipe(line);
  }
  return lines;
}

Result<crypto::Key> join_lines(std::string_view set, const std::vector<Secret>& lines,
                               const SecretAccess& access) {
  std::vector<crypto::Share> shares;
  int threshold = kShareThresholdLeast;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::span<const char> raw = lines[i].open(access);
    const auto line = read_line(trimmed({raw.data(), raw.size()}));
    if (!line)
      return refuse(Code::invalid_input,
                    fmt::format("Share {} was mistyped or is no share of this program.", i + 1));
    if (line->set != set) continue;
    threshold = line->threshold;
    if (std::ranges::find(shares, line->share.index, &crypto::Share::index) != shares.end())
      return refuse(Code::invalid_input, fmt::format("Share {} was given twice.", i + 1));
    shares.push_back(line->share);
  }
  const int given = static_cast<int>(shares.size());
  if (given < threshold)
    return fail(Code::vault_sealed, fmt::format("{} of {} shares of {}", given, threshold, set),
                fmt::format("{} shares of this vault were given, and {} are needed.", given, threshold));
  TRY(const crypto::WipedBytes joined, crypto::join_shares(shares));
  return crypto::Key(ByteView(joined));
}

}  // namespace claviger::vault
