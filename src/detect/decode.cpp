// Finding and decoding what hides in a text.
#include "detect/decode.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "detect/join.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kShortestBase64 = 20;  // characters: less cannot hold a secret

constexpr std::array<std::int8_t, 256> kSixBits = [] {
  std::array<std::int8_t, 256> out{};
  out.fill(-1);
  for (int i = 0; i < 26; ++i) {
    out['A' + i] = static_cast<std::int8_t>(i);
    out['a' + i] = static_cast<std::int8_t>(26 + i);
  }
  for (int i = 0; i < 10; ++i) out['0' + i] = static_cast<std::int8_t>(52 + i);
  out['+'] = out['-'] = 62;
  out['/'] = out['_'] = 63;
  return out;
}();

bool is_base64(char c) { return kSixBits[static_cast<std::uint8_t>(c)] >= 0; }

bool is_text(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return (byte >= ' ' && byte < 127) || c == '\n' || c == '\r' || c == '\t';
}

// Three quarters of `text` are printable; NULs of UTF-16 are left out of the count.
bool mostly_text(std::string_view text) {
  std::size_t good = 0, zero = 0;
  for (const char c : text) {
    good += is_text(c) ? 1 : 0;
    zero += c == '\0' ? 1 : 0;
  }
  return good * 4 >= (text.size() - zero) * 3 && good * 5 >= text.size() * 2 && good > 0;
}

std::string decode64(std::string_view text) {
  std::string out;
  out.resize(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    word = word << 6 | static_cast<std::uint32_t>(kSixBits[static_cast<std::uint8_t>(c)]);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[size++] = static_cast<char>(word >> bits);
    }
  }
  out.resize(size);
  return out;
}

// Visits every run of at least `least` bytes that satisfy `in`, looking at about one byte in `least`.
template <class In, class Run>
void each_run(std::string_view text, std::size_t least, In in, Run run) {
  std::size_t at = 0;
  while (at + least <= text.size()) {
    std::size_t probe = at + least;
    while (probe > at && in(text[probe - 1])) --probe;
    if (probe > at) {
      at = probe;  // text[probe - 1] is no member: no long run begins before it
      continue;
    }
    std::size_t end = at + least;
    while (end < text.size() && in(text[end])) ++end;
    run(at, end);
    at = end + 1;
  }
}

class Finder {
 public:
  Finder(std::string_view text, Budget& budget, const Visit& visit)
      : text_(text), budget_(budget), visit_(visit) {}

  void base64() {
    each_run(text_, kShortestBase64, is_base64, [&](std::size_t begin, std::size_t end) {
      if (begin < done_) return;
      if (!base64_run(begin, end)) base64_parts(begin, end);
    });
  }

 private:
  // The longest of the four alignments that decodes to text; lines that go on in the same way are joined.
  bool base64_run(std::size_t begin, std::size_t end) {
    for (std::size_t shift = 0; shift < 4 && begin + shift + kShortestBase64 <= end; ++shift) {
      const std::string_view head =
          text_.substr(begin + shift, std::min<std::size_t>(end - begin - shift, 64));
      if (!mostly_text(decode64(head))) continue;
      decode_lines(begin + shift, end);
      return true;
    }
    return false;
  }

  // A path or a slug in front of the encoded text.
  void base64_parts(std::size_t begin, std::size_t end) {
    if (end - begin > limits::kScanWindow) return;
    for (std::size_t at = begin; at < end; ++at)
      if (!is(text_[at], kAlnum) && at + 1 + kShortestBase64 <= end && base64_run(at + 1, end)) return;
  }

  void decode_lines(std::size_t begin, std::size_t end) {
    View view;
    view.encoding = Encoding::base64;
    std::string encoded;
    while (true) {
      view.stretches.push_back({encoded.size(), begin, 1, 1});
      encoded += text_.substr(begin, end - begin);
      done_ = end;
      const auto step = end - begin >= 32 ? next_line(end) : std::nullopt;
      if (!step || encoded.size() > limits::kDecodeRegion) break;
      begin = *step;
      end = begin;
      while (end < text_.size() && is_base64(text_[end])) ++end;
    }
    if (!budget_.take(encoded.size())) return;
    View whole;
    whole.encoding = Encoding::base64;
    whole.text = decode64(encoded);
    // Six bits a character: byte i of the decoded text begins in character i * 4 / 3.
    for (const Stretch& line : view.stretches)
      whole.stretches.push_back({line.inner * 3 / 4, line.outer, 4, 3});
    visit_(whole);
  }

  std::optional<std::size_t> next_line(std::size_t at) const {
    const auto step = step_over_seam(text_, at);
    if (step && step->next < text_.size() && is_base64(text_[step->next])) return step->next;
    if (text_.substr(at, 2) == "\\n" && at + 2 < text_.size() && is_base64(text_[at + 2])) return at + 2;
    return std::nullopt;
  }

  std::string_view text_;
  Budget& budget_;
  const Visit& visit_;
  std::size_t done_ = 0;
};

}  // namespace

void each_view(std::string_view text, const std::vector<std::size_t>& seams, Budget& budget,
               const Visit& visit) {
  (void)seams;
  Finder finder(text, budget, visit);
  finder.base64();
}

bool decodes_nothing(std::string_view text) {
  if (text.find_first_of(std::string_view("\0%\\", 3)) != std::string_view::npos) return false;
  bool nothing = true;
  each_run(text, kShortestBase64, is_base64, [&](std::size_t, std::size_t) { nothing = false; });
  return nothing;
}

}  // namespace claviger::detect
