// Probes from a survey and the literals of the whole text.
#include "detect/gather.hpp"

#include <algorithm>
#include <tuple>

namespace claviger::detect {
namespace {

constexpr char kBetween = '\x01';  // between two stretches: in no run and no literal

void note_literal(const Engine::Parts& parts, unsigned number, std::size_t end, Found& out) {
  const Meaning& meaning = parts.anywhere.meanings[number];
  const std::size_t begin = end - meaning.size;
  if (meaning.role == Role::seam) {
    out.of(ProbeKind::seam).push_back({begin, end, 0});
  } else if (meaning.role == Role::keyword) {
    out.awake.resize(parts.forms.size());
    for (const std::uint32_t rule : meaning.rules) out.awake[rule] = true;
  } else {
    out.of(ProbeKind::literal).push_back({begin, end, number});
  }
}

// Literals are found by their ends; several seams may begin at one place.
void put_in_order(Found& out) {
  for (const ProbeKind kind : {ProbeKind::literal, ProbeKind::seam}) {
    std::vector<Probe>& list = out.of(kind);
    const auto key = [](const Probe& probe) { return std::tuple(probe.begin, probe.literal, probe.end); };
    if (!std::ranges::is_sorted(list, {}, key)) std::ranges::sort(list, {}, key);
  }
  std::vector<Probe>& seams = out.of(ProbeKind::seam);
  seams.erase(std::ranges::unique(seams, {}, &Probe::begin).begin(), seams.end());
}

void take(const Survey& survey, Found& out) {
  for (const Span& run : survey.dense) out.of(ProbeKind::dense).push_back({run.begin, run.end, 0});
  for (const Span& run : survey.letters) out.of(ProbeKind::letters).push_back({run.begin, run.end, 0});
  for (const std::size_t at : survey.escapes) out.of(ProbeKind::escape).push_back({at, at + 2, 0});
  out.zeros = survey.zeros;
}

}  // namespace

void Found::clear() {
  for (auto& list : probes) list.clear();
  awake.clear();
  zeros = false;
}

void Gatherer::whole(const Engine::Parts& parts, Scratch& scratch, std::string_view text, Found& out) {
  out.clear();
  survey(text, survey_);
  take(survey_, out);
  if (const Watch& watch = parts.anywhere; watch.heads) {
    watch.heads->find(text, places_);
    for (const Heads::Place& place : places_)
      note_literal(parts, place.number, place.begin + watch.meanings[place.number].size, out);
  } else {
    scratch.scan(watch.literals, text, [&](unsigned number, std::size_t end) {
      note_literal(parts, number, end, out);
      return true;
    });
  }
  put_in_order(out);
}

void Gatherer::some(const Engine::Parts& parts, Scratch& scratch, std::string_view text,
                    std::span<const Span> stretches, Found& out) {
  pieces_.clear();
  begins_.clear();
  for (const Span& stretch : stretches) {
    begins_.push_back(pieces_.size());
    pieces_.append(text, stretch.begin, stretch.end - stretch.begin).push_back(kBetween);
  }
  whole(parts, scratch, pieces_, out);
  for (auto& list : out.probes) {
    std::size_t piece = 0;
    for (Probe& probe : list) {
      while (piece + 1 < begins_.size() && begins_[piece + 1] <= probe.begin) ++piece;
      const std::size_t move = stretches[piece].begin - begins_[piece];  // never less than 0
      probe.begin += move;
      probe.end += move;
    }
  }
}

}  // namespace claviger::detect
