// The texts that may hide in a text: base64, hex, percent and backslash escapes, UTF-16, joined strings.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "detect/survey.hpp"
#include "detect/text.hpp"
#include "detect/view.hpp"

namespace claviger::detect {

// Bytes that may still be decoded for one scan.
struct Budget {
  std::size_t left = 0;
  bool refused = false;
  bool take(std::size_t bytes) {
    if (bytes > left) {
      refused = true;
      return false;
    }
    left -= bytes;
    return true;
  }
};

using Visit = std::function<void(const View&)>;

inline constexpr std::size_t kNameBefore = 128;  // bytes of the line before a text, where its name may stand

// Whether base64 begins as that of gzip or zlib does; what can be unpacked of such bytes, at most `most`.
bool looks_packed(std::string_view base64);
std::string unpack_some(std::string_view packed, std::size_t most);

// Visits the texts that hide in one text, one level deep, within the budget. Each function looks at a place
// that the survey or a literal named and returns where it has read to: what begins before that needs no look.
class Decoder {
 public:
  Decoder(std::string_view text, Budget& budget, const Visit& visit)
      : text_(text), budget_(budget), visit_(visit) {}

  // A run of letters and digits: base64 in either alphabet, with the lines that go on in the same way, or
  // hex.
  std::size_t letters(Span run);
  // The word round an escape.
  std::size_t escape(std::size_t at);
  // The whole chain of strings that the seam at `at` is part of, when it could be a word without blanks; a
  // list of strings that are joined or added, or of numbers that are characters.
  std::size_t joined(std::size_t seam);
  // Everywhere: letters with zero bytes between them, in either order, two or four bytes each.
  void wide();

  // What was read since the last call.
  Reach take_reach() { return std::exchange(reach_, {}); }

 private:
  struct Escape {
    std::size_t size = 0;  // 0: none, or one that is no ASCII text
    char value = 0;
  };

  void base64_run(std::size_t begin, std::size_t end);
  std::size_t base64_begin(std::size_t at, std::size_t most) const;
  std::size_t base64_end(std::size_t at, std::size_t most) const;
  void decode_pieces(std::size_t begin, std::size_t end);
  void decode_lines(std::size_t begin, std::size_t end);
  void hex(std::size_t begin, std::size_t end);
  bool packed(std::size_t begin, std::size_t end);
  std::string collect_lines(std::size_t& begin, std::size_t end, std::vector<Stretch>& lines);
  std::optional<std::size_t> next_line(std::size_t at);
  Escape escape_at(std::size_t at) const;
  Escape entity_at(std::size_t at) const;
  Escape braced_at(std::size_t at) const;
  std::size_t escaped_word(std::size_t at);
  std::size_t wide_run(std::size_t begin, std::size_t step);
  std::size_t join_scheme(std::size_t seam, std::size_t next);
  std::size_t join_over(std::size_t seam, std::size_t next);
  View named(std::size_t begin, std::size_t most) const;
  std::size_t list(std::size_t at);
  std::size_t pieces(std::size_t at, std::size_t begin, std::size_t open);
  std::size_t called(std::size_t at);
  std::size_t added(std::size_t sign);
  std::size_t numbers(std::size_t at);

  std::string_view text_;
  Budget& budget_;
  const Visit& visit_;
  Reach reach_;
  std::size_t done_ = 0;  // end of what was decoded of runs
};

}  // namespace claviger::detect
