// Escaping for terminals, XML, CSV and URIs.
#include "scan/text_form.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>

namespace claviger::scan {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The length of the valid UTF-8 sequence at the beginning of `text`; 0 when it is none.
std::size_t sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && at(1) < 0xa0) return 0;
  if (first == 0xed && at(1) > 0x9f) return 0;  // surrogates
  if (first == 0xf0 && at(1) < 0x90) return 0;
  if (first == 0xf4 && at(1) > 0x8f) return 0;
  return length;
}

// Calls `take` with each valid sequence, or with one invalid byte and `valid` false.
template <class Take>
void each_sequence(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::size_t length = sequence(text);
    take(text.substr(0, length == 0 ? 1 : length), length != 0);
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

bool is_control(std::string_view letter) {
  const auto first = static_cast<unsigned char>(letter[0]);
  if (letter.size() == 1) return first < 0x20 || first == 0x7f;
  return letter.size() == 2 && first == 0xc2 && static_cast<unsigned char>(letter[1]) < 0xa0;  // C1
}

}  // namespace

std::string clean_utf8(std::string_view text) {
  std::string out;
  each_sequence(text, [&](std::string_view letter, bool valid) { out += valid ? letter : kReplacement; });
  return out;
}

std::string visible(std::string_view text) {
  std::string out;
  each_sequence(text, [&](std::string_view letter, bool valid) {
    if (letter == "\n")
      out += "\\n";
    else if (letter == "\t")
      out += "\\t";
    else if (!valid || is_control(letter))
      for (const char c : letter) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += letter;
  });
  return out;
}

std::string xml_text(std::string_view text) {
  std::string out;
  each_sequence(text, [&](std::string_view letter, bool valid) {
    const auto first = static_cast<unsigned char>(letter[0]);
    const bool forbidden = (first < 0x20 && first != '\t' && first != '\n' && first != '\r') ||
                           letter == "\xef\xbf\xbe" || letter == "\xef\xbf\xbf";
    if (!valid || forbidden)
      out += kReplacement;
    else if (letter == "&")
      out += "&amp;";
    else if (letter == "<")
      out += "&lt;";
    else if (letter == ">")
      out += "&gt;";
    else if (letter == "\"")
      out += "&quot;";
    else if (first < 0x20)
      out += fmt::format("&#{};", first);  // a plain one would be folded into a space
    else
      out += letter;
  });
  return out;
}

std::string csv_cell(std::string_view text) {
  std::string cell = clean_utf8(text);
  if (!cell.empty() && std::string_view("=+-@\t\r").contains(cell[0])) cell.insert(cell.begin(), '\'');
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string out = "\"";
  for (const char c : cell) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string uri_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       std::string_view("-._~/!$'()*+,;=@").contains(c);
    if (plain)
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> kUnits{"KB", "MB", "GB", "TB"};
  if (bytes < 1000) return counted(bytes, "byte");
  auto size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; size >= 999.95 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  if (count == 1) return fmt::format("1 {}", noun);
  if (noun.ends_with('y')) return fmt::format("{} {}ies", count, noun.substr(0, noun.size() - 1));
  return fmt::format("{} {}s", count, noun);
}

}  // namespace claviger::scan
