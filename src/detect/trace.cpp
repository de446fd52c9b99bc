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

void bring(const Trace& base, std::span<const Repeat> repeats, std::size_t size, ProbeKind kind,
           std::vector<Known>& out) {
  out.clear();
  const std::vector<Mark>& marks = base.marks[static_cast<std::size_t>(kind)];
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < repeats.size(); ++i) {
    const Repeat& repeat = repeats[i];
    const Stay stay{&repeat, &base, size};
    // Repeats mostly follow each other in the base as well.
    if (at >= marks.size() || marks[at].begin < repeat.from || (at > 0 && marks[at - 1].begin >= repeat.from))
      at = static_cast<std::size_t>(std::ranges::lower_bound(marks, repeat.from, {}, &Mark::begin) -
                                    marks.begin());
    const std::size_t end = repeat.from + repeat.size;
    for (; at < marks.size() && marks[at].begin < end; ++at) {
      const Mark& mark = marks[at];
      // The bytes on both sides belong to a probe.
      if (!stay.holds(mark.begin > 0 ? mark.begin - 1 : 0, std::size_t{mark.end} + 1)) continue;
      out.push_back({{stay.moved(mark.begin), stay.moved(mark.end), mark.literal},
                     &mark,
                     i,
                     stay.holds(mark.from, mark.to)});
    }
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
