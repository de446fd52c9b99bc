// What of a base's marks holds in a text, and where the rest has to be looked for.
#include "detect/trace.hpp"

#include <algorithm>

#include "detect/survey.hpp"

namespace claviger::detect {

std::size_t Trace::memory() const {
  std::size_t bytes = hits.capacity() * sizeof(KeptHit);
  for (const auto& list : marks) bytes += list.capacity() * sizeof(Mark);
  return bytes;
}

Brought::Brought(const Trace* base, std::span<const Repeat> repeats, std::size_t size, ProbeKind kind)
    : base_(base), repeats_(repeats), size_(size) {
  if (base != nullptr) marks_ = &base->marks[static_cast<std::size_t>(kind)];
}

// Finds the first mark of the next repeat. Repeats mostly follow each other in the base as well.
bool Brought::enter_repeat() {
  if (repeat_ == repeats_.size()) return false;
  const Repeat& repeat = repeats_[repeat_];
  const std::vector<Mark>& marks = *marks_;
  if (at_ >= marks.size() || marks[at_].begin < repeat.from ||
      (at_ > 0 && marks[at_ - 1].begin >= repeat.from))
    at_ = static_cast<std::size_t>(std::ranges::lower_bound(marks, repeat.from, {}, &Mark::begin) -
                                   marks.begin());
  end_ = repeat.from + repeat.size;
  inside_ = true;
  return true;
}

const Known* Brought::next() {
  if (marks_ == nullptr || marks_->empty()) return nullptr;
  while (true) {
    if (!inside_ && !enter_repeat()) return nullptr;
    const Stay stay{&repeats_[repeat_], base_, size_};
    for (; at_ < marks_->size() && (*marks_)[at_].begin < end_; ++at_) {
      const Mark& mark = (*marks_)[at_];
      // The bytes on both sides belong to a probe.
      if (!stay.holds(mark.begin > 0 ? mark.begin - 1 : 0, std::size_t{mark.end} + 1)) continue;
      known_ = {{stay.moved(mark.begin), stay.moved(mark.end), mark.literal},
                &mark,
                static_cast<std::uint32_t>(repeat_),
                stay.holds(mark.from, mark.to)};
      ++at_;
      return &known_;
    }
    inside_ = false;
    ++repeat_;
  }
}

void find_fresh(std::string_view text, std::span<const Repeat> repeats, std::size_t base, std::size_t margin,
                std::vector<Span>& out) {
  out.clear();
  const auto add = [&](std::size_t begin, std::size_t end) {
    begin = begin > margin ? begin - margin : 0;
    end = std::min(text.size(), end + margin);
    if (!out.empty() && begin <= out.back().end) {
      if (end <= out.back().end) return;
      begin = out.back().begin;
      out.pop_back();
    }
    while (begin > 0 && is_in_run(text[begin - 1])) --begin;
    while (end < text.size() && is_in_run(text[end])) ++end;
    while (!out.empty() && begin <= out.back().end) {
      begin = std::min(begin, out.back().begin);
      out.pop_back();
    }
    out.push_back({begin, end});
  };
  std::size_t done = 0, from = 0;
  for (const Repeat& repeat : repeats) {
    if (repeat.to > 0 || repeat.from > 0) add(done, repeat.to);
    done = repeat.to + repeat.size;
    from = repeat.from + repeat.size;
  }
  if (done < text.size() || from < base) add(done, text.size());
}

}  // namespace claviger::detect
