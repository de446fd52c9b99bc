// Finding and decoding what hides in a text.
#include "detect/decode.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/limits.hpp"
#include "detect/join.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kShortestWide = 12;        // UTF-16 or UTF-32 characters in a row
constexpr std::size_t kLongRun = 512;            // no word or path in base64 letters is so long
constexpr std::size_t kEscapedWord = 16 * 1024;  // of a text with escapes, decoded at once

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

bool all_base64(std::string_view text) {
  int bits = 0;
  for (const char c : text) bits |= kSixBits[static_cast<std::uint8_t>(c)];
  return bits >= 0;
}

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

// Text in base64 has letters of both cases among its first characters; names and words often have not.
bool mixes_cases(std::string_view text) {
  std::uint8_t seen = 0;
  for (const char c : text) seen |= kClassOf[static_cast<std::uint8_t>(c)];
  return (seen & kUpper) != 0 && (seen & kLower) != 0;
}

// Bit s: twelve bytes decoded from character s on may be text, by their highest bits alone. Of four
// characters they stand in the first one's bit 5, in the second's bit 3 and in the third's bit 1.
unsigned shifts_of_text(std::string_view text) {
  constexpr unsigned kStep = 21;  // more than the 20 characters that are looked at
  constexpr std::array<std::uint64_t, 256> kLow = [] {
    std::array<std::uint64_t, 256> out{};
    for (std::size_t c = 0; c < out.size(); ++c)
      for (unsigned k = 0; k < 3; ++k)
        if (kSixBits[c] >= 0 && (kSixBits[c] >> (5 - 2 * k) & 1) == 0)
          out[c] |= std::uint64_t{1} << (k * kStep);
    return out;
  }();
  constexpr std::uint64_t kPlaces =
      0x1111 | std::uint64_t{0x2222} << kStep | std::uint64_t{0x4444} << 2 * kStep;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < kShortestBase64; ++i) low |= kLow[static_cast<std::uint8_t>(text[i])] << i;
  unsigned shifts = 0;
  for (unsigned s = 0; s < 4; ++s)
    if (std::popcount(low & kPlaces << s) >= 9) shifts |= 1U << s;
  return shifts;
}

// Whether the first characters of `text` decode to text; at most 64 are looked at.
bool decodes_to_text(std::string_view text) {
  std::array<char, 48> head;
  std::size_t size = 0;
  for (std::size_t i = 0; i + 4 <= std::min<std::size_t>(text.size(), 64); i += 4) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k)
      word = word << 6 | static_cast<std::uint32_t>(kSixBits[static_cast<std::uint8_t>(text[i + k])]);
    head[size++] = static_cast<char>(word >> 16);
    head[size++] = static_cast<char>(word >> 8);
    head[size++] = static_cast<char>(word);
    if (size == 12 && !mostly_text({head.data(), size})) return false;
  }
  return mostly_text({head.data(), size});
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

// The value of three octal digits; -1 when they are none.
int octal_at(std::string_view text, std::size_t at) {
  int value = 0;
  for (std::size_t i = at; i < at + 3; ++i)
    value =
        i < text.size() && text[i] >= '0' && text[i] <= '7' && value >= 0 ? value * 8 + text[i] - '0' : -1;
  return value;
}

// Digits alone may be text in hex only where that is itself hex, of bytes 30 to 39 and 61 to 66; else they
// are a number.
bool is_number(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!is(text[i], kDigit)) return false;
  for (std::size_t i = 0; i < text.size(); i += 2)
    if (text[i] != '3' && text[i] != '6') return true;
  return false;
}

std::string unhex_some(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<char>(hex_of(text[i]) << 4 | hex_of(text[i + 1])));
  return out;
}

}  // namespace

std::size_t Decoder::letters(Span run) {
  reach_.round(run.begin, run.end, 1, 1);
  done_ = 0;
  // Of the alphabets' last two, ASCII text needs one only for a third byte ">", "?" or "~": runs are sought
  // without them, so that paths and slugs are no runs, and then followed with them.
  base64_run(run.begin, run.end);
  if (run.end - run.begin >= kShortestHex) hex(run.begin, run.end);
  return done_;
}

std::size_t Decoder::escape(std::size_t at) {
  constexpr std::size_t kLongest = 8;
  reach_.round(at, at, 0, kLongest);
  if (escape_at(at).value <= ' ') return at;
  const std::size_t end = escaped_word(at);
  reach_.round(at, end, 513, kLongest);
  return end;
}

std::size_t Decoder::joined(std::size_t seam) {
  reach_.round(seam, seam, 1, kSeamReach);
  if (text_[seam] == '.') return list(seam);
  if (text_[seam] == '+') return added(seam);
  if (!is(text_[seam], kQuote)) return numbers(seam);
  const auto step = step_over_seam(text_, seam);
  if (!step || step->seam != Seam::quoted) return seam;
  return join_over(seam, step->next);
}

void Decoder::wide() {
  for (std::size_t at = text_.find('\0'); at != std::string_view::npos; at = text_.find('\0', at)) {
    std::size_t zeros = at;
    while (zeros < text_.size() && text_[zeros] == '\0') ++zeros;
    const std::size_t step = zeros - at + 1;
    if (step != 2 && step != 4) {
      at = zeros;
      continue;
    }
    std::size_t begin = zeros;
    if (at > 0 && is_text(text_[at - 1])) begin = at - 1;
    at = std::max(zeros, wide_run(begin, step));
  }
}

// The longest of the four alignments that decodes to text; lines that go on in the same way are joined.
void Decoder::base64_run(std::size_t begin, std::size_t end) {
  if (!mixes_cases(text_.substr(begin, std::min<std::size_t>(end - begin, 40)))) return;
  constexpr std::size_t kPackedHead = 40;  // a "/" stands among the first characters
  const std::size_t first = base64_begin(begin, kPackedHead);
  reach_.round(begin, end, kPackedHead + 1, 0);
  const bool is_head = first == 0 || !is_base64(text_[first - 1]);
  if (is_head && looks_packed(text_.substr(first, 4)) && packed(first, end)) return;
  const unsigned shifts = shifts_of_text(text_.substr(begin, kShortestBase64));
  for (std::size_t shift = 0; shift < 4 && begin + shift + kShortestBase64 <= end; ++shift) {
    if ((shifts >> shift & 1) == 0) continue;
    if (!decodes_to_text(text_.substr(begin + shift, end - begin - shift))) continue;
    const std::size_t near = base64_end(begin, kLongRun);
    reach_.round(begin, near, 0, 1);
    // The first few bytes of a picture may look like text; text goes on as text.
    if (near == begin + kLongRun && !decodes_to_text(text_.substr(begin + shift, kLongRun))) continue;
    return decode_pieces(begin + shift, base64_end(near, text_.size()));
  }
}

// Both look at about `most` bytes at most.
std::size_t Decoder::base64_begin(std::size_t at, std::size_t most) const {
  constexpr std::size_t kStep = 8;
  const std::size_t floor = at > most ? at - most : 0;
  // Eight by eight: amid a picture's letters one step is as likely as the next.
  while (at >= floor + kStep && all_base64(text_.substr(at - kStep, kStep))) at -= kStep;
  while (at > floor && is_base64(text_[at - 1])) --at;
  return at;
}
std::size_t Decoder::base64_end(std::size_t at, std::size_t most) const {
  const std::size_t ceiling = std::min(text_.size(), at + std::min(most, text_.size()));
  while (at < ceiling && is_base64(text_[at])) ++at;
  return at;
}

// A huge run in pieces that overlap by more than the longest secret; whole groups of four, to stay in step.
void Decoder::decode_pieces(std::size_t begin, std::size_t end) {
  while (end - begin > limits::kDecodeRegion) {
    decode_lines(begin, begin + limits::kDecodeRegion);
    begin += limits::kDecodeRegion - 2 * limits::kScanWindow;
  }
  decode_lines(begin, end);
}

// Bytes written as two hex digits each; only text is of interest.
void Decoder::hex(std::size_t begin, std::size_t end) {
  const auto is_digit = [](char c) { return hex_of(c) >= 0; };
  each_run(text_.substr(begin, end - begin), kShortestHex, is_digit, [&](std::size_t from, std::size_t to) {
    for (std::size_t at = begin + from; at < begin + from + 2; ++at) {
      const std::string_view head = text_.substr(at, 24);
      if (is_number(head) || !mostly_text(unhex_some(head))) continue;
      View view;
      view.encoding = Encoding::hex;
      for (std::size_t piece = at; piece < begin + to;
           piece += limits::kDecodeRegion - 2 * limits::kScanWindow) {
        view.stretches = {{0, piece, 2, 1}};
        view.text = unhex_some(text_.substr(piece, std::min(begin + to - piece, limits::kDecodeRegion)));
        if (budget_.take(view.text.size())) visit_(view);
      }
      return;
    }
  });
}

// The characters of a run and of the lines that go on in the same way; `begin` moves to the last line.
std::string Decoder::collect_lines(std::size_t& begin, std::size_t end, std::vector<Stretch>& lines) {
  std::string encoded;
  while (true) {
    lines.push_back({encoded.size(), begin, 1, 1});
    encoded += text_.substr(begin, end - begin);
    done_ = end;
    const auto step = end - begin >= 32 ? next_line(end) : std::nullopt;
    if (!step || encoded.size() > limits::kDecodeRegion) break;
    begin = *step;
    end = base64_end(begin, text_.size());
  }
  reach_.round(begin, end, 0, kSeamReach);
  return encoded;
}

void Decoder::decode_lines(std::size_t begin, std::size_t end) {
  std::vector<Stretch> lines;
  const std::string encoded = collect_lines(begin, end, lines);
  if (!budget_.take(encoded.size())) return;
  View whole;
  whole.encoding = Encoding::base64;
  whole.text = decode64(encoded);
  // Six bits a character: byte i of the decoded text begins in character i * 4 / 3.
  for (const Stretch& line : lines) whole.stretches.push_back({line.inner * 3 / 4, line.outer, 4, 3});
  visit_(whole);
}

// The places of what was compressed are told in proportion: which bytes made which is not known.
bool Decoder::packed(std::size_t begin, std::size_t end) {
  end = base64_end(end, text_.size());
  const std::size_t first = begin, done = done_;
  std::vector<Stretch> lines;
  const std::string encoded = collect_lines(begin, end, lines);
  View whole;
  whole.encoding = Encoding::base64;
  whole.text = unpack_some(decode64(encoded), std::min(budget_.left, limits::kDecodeRegion));
  if (whole.text.empty()) {
    done_ = done;
    return false;
  }
  whole.stretches.push_back({0, first, done_ - first, whole.text.size()});
  if (budget_.take(whole.text.size())) visit_(whole);
  return true;
}

std::optional<std::size_t> Decoder::next_line(std::size_t at) {
  const auto step = step_over_seam(text_, at);
  if (step && step->next < text_.size() && is_base64(text_[step->next])) return step->next;
  if (text_.substr(at, 2) == "\\n" && at + 2 < text_.size() && is_base64(text_[at + 2])) return at + 2;
  return std::nullopt;
}

// &#45; and &#107;
Decoder::Escape Decoder::entity_at(std::size_t at) const {
  int value = 0;
  std::size_t end = at + 2;
  while (end < text_.size() && end < at + 5 && is(text_[end], kDigit))
    value = value * 10 + (text_[end++] - '0');
  if (end < at + 4 || end >= text_.size() || text_[end] != ';' || value > 126 || value < ' ') return {};
  return {end + 1 - at, static_cast<char>(value)};
}

// \u{2d}, \u{0070} and \u{a}
Decoder::Escape Decoder::braced_at(std::size_t at) const {
  int value = 0;
  std::size_t end = at + 3;
  while (end < text_.size() && end < at + 7 && hex_of(text_[end]) >= 0)
    value = value * 16 + hex_of(text_[end++]);
  if (end == at + 3 || end >= text_.size() || text_[end] != '}' || value > 126) return {};
  if (!is_text(static_cast<char>(value))) return {};
  return {end + 1 - at, static_cast<char>(value)};
}

Decoder::Escape Decoder::escape_at(std::size_t at) const {
  const auto number = [&](std::size_t from, std::size_t digits) {
    int value = 0;
    for (std::size_t i = from; i < from + digits; ++i)
      value = i < text_.size() && hex_of(text_[i]) >= 0 && value >= 0 ? value * 16 + hex_of(text_[i]) : -1;
    return value;
  };
  const char next = at + 1 < text_.size() ? text_[at + 1] : '\0';
  int value = -1;
  std::size_t size = 0;
  if (text_[at] == '%')
    value = number(at + 1, 2), size = 3;
  else if (text_.substr(at, 3) == "\\u{")
    return braced_at(at);
  else if (text_[at] == '\\' && next == 'u')
    value = number(at + 2, 4), size = 6;
  else if (text_[at] == '\\' && next == 'x')
    value = number(at + 2, 2), size = 4;
  else if (text_[at] == '\\' && next == '/')
    value = '/', size = 2;
  else if (text_[at] == '\\' && (next == '0' || next == '1'))
    value = octal_at(text_, at + 1), size = 4;
  else if (text_.substr(at, 3) == "&#x")
    value = number(at + 3, 2), size = 6;
  else if (text_.substr(at, 2) == "&#")
    return entity_at(at);
  if (value > 126 || (value < 32 && !is_text(static_cast<char>(value))) || value < 0) return {};
  return {size, static_cast<char>(value)};
}

// Blanks bound a word.
std::size_t Decoder::escaped_word(std::size_t at) {
  std::size_t begin = at;
  const auto bounds = [](char c) { return static_cast<std::uint8_t>(c) <= ' '; };
  while (begin > 0 && at - begin < 512 && !bounds(text_[begin - 1])) --begin;
  // What stands before on the line gives the value its name.
  std::size_t head = begin;
  while (head > 0 && begin - head < kNameBefore && text_[head - 1] != '\n') --head;
  reach_.round(head, at, 1, 1);
  View view;
  std::size_t escaped = 0, i = begin;
  view.text = text_.substr(head, begin - head);
  view.stretches.push_back({0, head, 1, 1});
  while (i < text_.size() && i - begin < kEscapedWord && !bounds(text_[i])) {
    const Escape escape = escape_at(i);
    if (escape.size == 0) {
      view.text.push_back(text_[i++]);
      continue;
    }
    view.stretches.push_back({view.text.size(), i, escape.size, 1});
    view.text.push_back(escape.value);
    i += escape.size;
    view.stretches.push_back({view.text.size(), i, 1, 1});
    escaped += escape.value == '/' || escape.value <= ' ' ? 0 : 1;
  }
  view.encoding = text_[at] == '%' ? Encoding::percent : Encoding::escaped;
  const std::size_t word = view.text.size() - (begin - head);
  if (word >= 16 && (escaped > 0 || word < 256) && budget_.take(view.text.size())) visit_(view);
  return i;
}

std::size_t Decoder::wide_run(std::size_t begin, std::size_t step) {
  View view;
  view.encoding = Encoding::utf16;
  view.stretches.push_back({0, begin, step, 1});
  std::size_t i = begin;
  const auto narrow = [&](std::size_t from) {
    for (std::size_t k = 1; k < step; ++k)
      if (from + k < text_.size() && text_[from + k] != '\0') return false;
    return from < text_.size() && is_text(text_[from]);
  };
  while (narrow(i) && view.text.size() < limits::kDecodeRegion) {
    view.text.push_back(text_[i]);
    i += step;
  }
  if (view.text.size() >= kShortestWide && budget_.take(view.text.size())) visit_(view);
  if (view.text.size() >= limits::kDecodeRegion) i -= limits::kScanWindow * step;  // goes on: overlap
  return std::max(i, begin + 1);
}

// 'Bearer ' + '...'
std::size_t Decoder::join_scheme(std::size_t seam, std::size_t next) {
  const View tail = join_from(text_, next);
  View view = named(seam, kNameBefore);
  view.stretches.push_back({view.text.size(), next, 1, 1});
  for (const Stretch& stretch : tail.stretches)
    if (stretch.inner > 0) view.stretches.push_back({stretch.inner + view.text.size(), stretch.outer, 1, 1});
  view.text += tail.text + text_[seam];
  reach_.round(seam, tail.end_of(tail.text.size()), kNameBefore + 1, kSeamReach);
  if (tail.text.size() >= 12 && budget_.take(view.text.size())) visit_(view);
  return next;
}

std::size_t Decoder::join_over(std::size_t seam, std::size_t next) {
  constexpr std::size_t kLongestScheme = 8;
  reach_.round(seam, seam, kLongestScheme, 0);
  for (const std::string_view scheme : {"Bearer ", "bearer ", "Basic ", "Token ", "token "})
    if (text_.substr(0, seam).ends_with(scheme) && seam > scheme.size() &&
        is(text_[seam - scheme.size() - 1], kQuote))
      return join_scheme(seam, next);
  const auto in_word = [](char c) {
    return is(c, kWord | kBase64) || std::string_view(".=:$~@?&%").contains(c);
  };
  std::size_t begin = seam;
  while (begin > 0 && seam - begin < 512 && in_word(text_[begin - 1])) --begin;
  const bool opened = begin > 0 && is(text_[begin - 1], kQuote) && begin < seam;
  reach_.round(begin, next, 1, 1);
  if (!opened || next >= text_.size() || !in_word(text_[next])) return next;
  View tail = join_from(text_, begin);
  if (tail.stretches.size() < 2 || tail.text.size() < 12) return next;
  // What stands before on the line gives the value its name.
  std::size_t head = begin;
  while (head > 0 && begin - head < kNameBefore && text_[head - 1] != '\n') --head;
  // Or on the line before, when the string begins its own.
  const auto blank = [](char c) { return is(c, kSpace | kQuote); };
  if (head > 0 && std::ranges::all_of(text_.substr(head, begin - head), blank)) {
    --head;
    while (head > 0 && begin - head < kNameBefore && text_[head - 1] != '\n') --head;
  }
  View view;
  view.encoding = Encoding::joined;
  view.text = std::string(text_.substr(head, begin - head)) + tail.text + text_[begin - 1];
  view.stretches.push_back({0, head, 1, 1});
  for (Stretch stretch : tail.stretches) {
    stretch.inner += begin - head;
    view.stretches.push_back(stretch);
  }
  const std::size_t end = tail.stretches.back().outer;
  reach_.round(head, tail.end_of(tail.text.size()), 1, kSeamReach);
  if (budget_.take(view.text.size())) visit_(view);
  return end;
}

}  // namespace claviger::detect
