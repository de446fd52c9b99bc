// What a scan remembers of a text, so that a text that repeats parts of it is scanned by its new parts alone.
//
// A probe is a place worth a look: found by a survey or a literal, from the bytes of the place itself and one
// on each side. A verdict hangs on no byte outside its reach and on no other verdict, but for `until`: what
// begins before it was read already. A probe that lies within a repeated stretch is there again; its verdict
// holds again when its reach lies within that stretch too. All others are found and judged anew.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "detect/engine.hpp"
#include "detect/survey.hpp"

namespace claviger::detect {

enum class ProbeKind : std::uint8_t { literal, dense, letters, escape, seam };
inline constexpr std::size_t kProbeKinds = 5;

struct Probe {
  std::size_t begin = 0, end = 0;
  std::uint32_t literal = 0;  // of the watch that covers the whole text; 0 for other kinds
  friend bool operator==(const Probe&, const Probe&) = default;
};
using Probes = std::array<std::vector<Probe>, kProbeKinds>;

// A probe and its verdict. Positions fit: a longer text is not remembered.
struct Mark {
  std::uint32_t begin = 0, end = 0, literal = 0;
  std::uint32_t from = 0, to = 0;     // its reach
  std::uint32_t until = 0;            // the end of what it read
  std::uint32_t cost = 0;             // bytes that it decoded
  std::uint32_t hits = 0, found = 0;  // its hits: the first, and how many
};

// A hit without its secret.
struct KeptHit {
  std::uint32_t rule = 0, begin = 0, end = 0, size = 0;
  bool validated = false;
  std::uint64_t secret = 0;  // secret_number()
};

class Trace {
 public:
  std::array<std::vector<Mark>, kProbeKinds> marks;  // by begin
  std::vector<KeptHit> hits;
  std::size_t size = 0;  // of the text

  std::size_t memory() const;
};

inline constexpr std::size_t kTracedText = 256 * 1024 * 1024;  // a longer one is not remembered

// A stretch of a text that was found in another, and where the marks of its base come to lie.
struct Stay {
  const Repeat* repeat = nullptr;
  const Trace* base = nullptr;
  std::size_t size = 0;  // of the text

  std::uint32_t moved(std::uint32_t at) const {
    return static_cast<std::uint32_t>(at + repeat->to - repeat->from);
  }
  // All of [from, to) is in the stretch; where it touches an end of the base, the text ends there too.
  bool holds(std::size_t from, std::size_t to) const {
    const bool begins = from > repeat->from || (from == repeat->from && (from > 0 || repeat->to == 0));
    const std::size_t end = repeat->from + repeat->size;
    const bool at_end = end == base->size && repeat->to + repeat->size == size;
    return begins && (to < base->size ? to <= end : at_end);
  }
};

// A mark of the base that is there again. `stays` when its verdict is, too.
struct Known {
  Probe probe;
  const Mark* mark = nullptr;
  std::uint32_t stretch = 0;  // which repeat
  bool stays = false;
};

// The marks of one kind that repeats bring along into a text of `size`, by begin.
class Brought {
 public:
  // `base` may be null: it brings nothing.
  Brought(const Trace* base, std::span<const Repeat> repeats, std::size_t size, ProbeKind kind);
  // Null after the last one; lives until the next call.
  const Known* next();
  // At most so many, unless a stretch is repeated twice.
  std::size_t about() const { return marks_ == nullptr ? 0 : marks_->size(); }

 private:
  bool enter_repeat();

  const Trace* base_;
  std::span<const Repeat> repeats_;
  std::size_t size_;
  const std::vector<Mark>* marks_ = nullptr;
  std::size_t repeat_ = 0, at_ = 0, end_ = 0;  // the repeat, the mark, and where the repeat ends in the base
  bool inside_ = false;
  Known known_;
};

// The stretches of `text` in which probes may stand that no repeat brings along, ascending; each ends where
// no run goes on. `base` is the size of the text they are from; `margin` is longer than any literal. Empties
// `out` first.
void find_fresh(std::string_view text, std::span<const Repeat> repeats, std::size_t base, std::size_t margin,
                std::vector<Span>& out);

}  // namespace claviger::detect
