// The scan of one buffer: probes, finders, decoded texts, then order, overlaps and allow comments.
#include <algorithm>
#include <tuple>

#include "detect/allow.hpp"
#include "detect/scanner.hpp"

namespace claviger::detect {

namespace {

// Which of two findings of one place is told: the more specific, then the proven, then the longer.
int rank(const Rule& rule) {
  switch (rule.kind) {
    case Kind::private_key:
      return 6;
    case Kind::token:
      return rule.provider == "unknown" ? 2 : 5;  // a form that several share: the surroundings know better
    case Kind::pattern:
      return 4;
    case Kind::context:
      return 3;
    case Kind::connection:
      return 1;
    case Kind::assignment:
      return 0;
  }
  return 0;
}

std::size_t secret_size(const Hit& hit) { return hit.secret.size(); }
std::size_t secret_size(const KeptHit& hit) { return hit.size; }
std::uint64_t number_of(const Hit& hit) { return secret_number(hit.secret); }
std::uint64_t number_of(const KeptHit& hit) { return hit.secret; }

template <class One>
bool better(const Ruleset& rules, const One& a, const One& b) {
  const int rank_a = rank(rules.at(a.rule)), rank_b = rank(rules.at(b.rule));
  if (rank_a != rank_b) return rank_a > rank_b;
  if (a.validated != b.validated) return a.validated;
  if (secret_size(a) != secret_size(b)) return secret_size(a) > secret_size(b);
  return a.rule < b.rule;
}

// Puts hits in order and leaves one for each place.
template <class One>
void settle(const Ruleset& rules, std::vector<One>& hits) {
  std::ranges::sort(hits, [](const One& a, const One& b) {
    const auto key = [](const One& hit) {
      return std::tuple(hit.begin, hit.end, hit.rule, hit.validated, secret_size(hit));
    };
    return key(a) == key(b) ? number_of(a) < number_of(b) : key(a) < key(b);
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    std::size_t over = kept;
    while (over > 0 && hits[over - 1].end > hits[i].begin) --over;
    bool wins = true;
    for (std::size_t k = over; k < kept; ++k) wins = wins && better(rules, hits[i], hits[k]);
    if (!wins) continue;
    if (over != i) hits[over] = std::move(hits[i]);
    kept = over + 1;
  }
  hits.resize(kept);
}

// How far before a dense run the name that it is given to, or an anchor in a piece before, is looked for.
constexpr std::size_t kBeforeDense = 256;

}  // namespace

// What a literal says stands at its place.
void Engine::Scanner::State::find_at(Look& look, const Meaning& meaning, std::size_t begin, std::size_t end) {
  switch (meaning.role) {
    case Role::anchor:
      for (const std::uint32_t rule : meaning.rules) find_token(look, rule, begin, end);
      break;
    case Role::name:
      find_value(look, begin, end);
      break;
    case Role::address:
      find_login(look, begin);
      break;
    case Role::block:
      find_private_key(look, begin);
      break;
    case Role::seam:
    case Role::keyword:
      break;
  }
}

// The literals that stand in a dense run or before it, but behind the run before, which ends at `before`.
void Engine::Scanner::State::find_near(Look& look, const Probe& run, std::size_t before) {
  const std::size_t from = std::max(before, run.begin > kBeforeDense ? run.begin - kBeforeDense : 0);
  const Watch& watch = engine->parts().near_dense;
  const std::size_t start = from > watch.longest ? from - watch.longest : 0;
  scratch_near.scan(watch.literals, look.text.substr(start, run.end - start),
                    [&](unsigned number, std::size_t at) {
                      const std::size_t end = start + at;
                      const Meaning& meaning = watch.meanings[number];
                      if (end > from) find_at(look, meaning, end - meaning.size, end);
                      return true;
                    });
  // The run before is one by all its bytes.
  std::size_t reach = run.begin > kBeforeDense + 1 ? run.begin - kBeforeDense - 1 : 0;
  while (reach > 0 && is_in_run(look.text[reach - 1])) --reach;
  look.reach.take(std::min(reach, start), run.end + 1);
}

// Hands what a probe points at to its finder. Returns where that has read to.
std::size_t Engine::Scanner::State::judge(Look& look, Decoder& decoder, ProbeKind kind, const Probe& probe,
                                          std::size_t before) {
  switch (kind) {
    case ProbeKind::literal:
      find_at(look, engine->parts().anywhere.meanings[probe.literal], probe.begin, probe.end);
      return 0;
    case ProbeKind::dense:
      find_near(look, probe, before);
      return probe.end;
    case ProbeKind::letters:
      return decoder.letters({probe.begin, probe.end});
    case ProbeKind::escape:
      return decoder.escape(probe.begin);
    case ProbeKind::seam:
      return decoder.joined(probe.begin);
  }
  return 0;
}

// Scans the texts that hide in a text of `depth`.
Visit Engine::Scanner::State::visitor(const Place& place, std::size_t depth, std::vector<Hit>& hits) {
  return [this, &place, depth, &hits](const View& view) {
    std::vector<Hit> inner;
    scan_text(view.text, place, depth + 1, inner);
    for (Hit& hit : inner) {
      hit.begin = view.begin_of(hit.begin);
      hit.end = view.end_of(hit.end);
      hit.encoding = view.encoding;
      hits.push_back(std::move(hit));
    }
  };
}

// `dense` runs are passed by in turn: each looks back to the one before. The others ask not to be looked at
// before a place.
void Engine::Scanner::State::scan_text(std::string_view text, const Place& place, std::size_t depth,
                                       std::vector<Hit>& hits) {
  Layer& here = layer(depth);
  here.gatherer.whole(engine->parts(), scratch_anywhere, text, here.found);
  Budget budget = budget_of(text.size());
  const Visit visit = visitor(place, depth, hits);
  Decoder decoder(text, budget, visit);
  for (std::size_t k = 0; k < kProbeKinds; ++k) {
    const auto kind = static_cast<ProbeKind>(k);
    if (kind > ProbeKind::dense && depth >= limits::kDecodeDepth) break;
    if (kind == ProbeKind::seam && here.found.zeros) decoder.wide();
    std::size_t done = 0;
    for (const Probe& probe : here.found.probes[k]) {
      if (kind > ProbeKind::dense && probe.begin < done) continue;
      Look look{*engine, text, place, hits};
      done = std::max(done, judge(look, decoder, kind, probe, done));
      if (depth == 0 && hits.size() >= limits::kScanHits) flush();
    }
  }
  Look look{*engine, text, place, hits};
  for (std::uint32_t rule = 0; rule < here.found.awake.size(); ++rule)
    if (here.found.awake[rule]) find_pattern(look, rule);
  for (const std::uint32_t rule : engine->parts().always) find_pattern(look, rule);
}

void Engine::Scanner::State::emit(std::string_view bytes, const Place& place, std::vector<Hit>& hits,
                                  const Sink& sink) {
  settle(engine->rules(), hits);
  for (const Hit& hit : hits) {
    if (has_allow_comment(bytes, hit.begin, hit.end) || is_listed(*engine, bytes, place, hit))
      ++allowed;
    else
      sink(hit);
  }
}

Engine::Scanner::Scanner(std::shared_ptr<const Engine> engine)
    : state_(std::make_unique<State>(std::move(engine))) {}
Engine::Scanner::~Scanner() = default;
Engine::Scanner::Scanner(Scanner&&) noexcept = default;

std::size_t Engine::Scanner::allowed() const { return state_->allowed; }

void Engine::Scanner::scan(std::string_view bytes, const Place& place, const Sink& sink) {
  state_->allowed = 0;
  std::vector<Hit> hits;
  state_->flush = [&] {
    state_->emit(bytes, place, hits, sink);
    hits.clear();
  };
  state_->scan_text(bytes, place, 0, hits);
  state_->flush();
  state_->flush = nullptr;
}

std::shared_ptr<const Trace> Engine::Scanner::scan_repeating(std::string_view bytes, const Trace* base,
                                                             std::span<const Repeat> repeats, Leave leave,
                                                             const Numbers& sink) {
  const bool traced = base != nullptr || leave == Leave::trace;
  auto trace = traced ? state_->retrace(bytes, base, repeats, leave) : nullptr;
  if (trace == nullptr) {
    scan(bytes, {}, [&](const Hit& hit) { sink(secret_number(hit.secret)); });
    return nullptr;
  }
  state_->allowed = 0;
  std::vector<KeptHit> hits = trace->hits;
  settle(state_->engine->rules(), hits);
  for (const KeptHit& hit : hits) {
    if (has_allow_comment(bytes, hit.begin, hit.end))
      ++state_->allowed;
    else
      sink(hit.secret);
  }
  return leave == Leave::trace ? trace : nullptr;
}

std::uint64_t secret_number(std::string_view secret) { return std::hash<std::string_view>()(secret); }

}  // namespace claviger::detect
