// The scan of one buffer: literals, finders, decoded texts, then order, overlaps and allow comments.
#include <algorithm>
#include <tuple>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "detect/allow.hpp"
#include "detect/decode.hpp"
#include "detect/engine.hpp"
#include "detect/find.hpp"
#include "detect/parts.hpp"
#include "detect/view.hpp"

namespace claviger::detect {

struct Engine::Scanner::State {
  explicit State(std::shared_ptr<const Engine> of) : engine(std::move(of)) {}

  std::shared_ptr<const Engine> engine;
  std::vector<Scratch> scratch;  // by depth; made when first needed
  std::size_t allowed = 0;

  void scan_text(std::string_view text, const Place& place, std::size_t depth, std::vector<Hit>& hits);
  void scan_views(std::string_view text, const Place& place, std::size_t depth, Budget& budget,
                  const std::vector<std::size_t>& seams, std::vector<Hit>& hits);
  void emit(std::string_view bytes, const Place& place, std::vector<Hit>& hits, const Sink& sink);
  std::function<void()> flush;  // emits what the running scan has found so far
};

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

bool better(const Ruleset& rules, const Hit& a, const Hit& b) {
  const int rank_a = rank(rules.at(a.rule)), rank_b = rank(rules.at(b.rule));
  if (rank_a != rank_b) return rank_a > rank_b;
  if (a.validated != b.validated) return a.validated;
  if (a.secret.size() != b.secret.size()) return a.secret.size() > b.secret.size();
  return a.rule < b.rule;
}

// Leaves one hit for each place. `hits` is in order of begin.
void settle(const Ruleset& rules, std::vector<Hit>& hits) {
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

}  // namespace

void Engine::Scanner::State::scan_text(std::string_view text, const Place& place, std::size_t depth,
                                       std::vector<Hit>& hits) {
  while (scratch.size() <= depth) scratch.emplace_back(engine->parts().literals);
  Look look{*engine, text, place, hits};
  std::vector<std::size_t> seams;
  std::vector<bool> awake;
  const Engine::Parts& parts = engine->parts();
  scratch[depth].scan(parts.literals, text, [&](unsigned number, std::size_t end) {
    const Meaning& meaning = parts.meanings[number];
    const std::size_t begin = end - meaning.size;
    switch (meaning.role) {
      case Role::anchor:
        for (const std::uint32_t rule : meaning.rules) find_token(look, rule, begin, end);
        break;
      case Role::seam:
        if (seams.empty() || seams.back() != begin) seams.push_back(begin);
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
      case Role::keyword:
        awake.resize(parts.forms.size());
        for (const std::uint32_t rule : meaning.rules) awake[rule] = true;
        break;
    }
    if (depth == 0 && hits.size() >= limits::kScanHits) flush();
    return true;
  });
  for (std::uint32_t rule = 0; rule < awake.size(); ++rule)
    if (awake[rule]) find_pattern(look, rule);
  for (const std::uint32_t rule : parts.always) find_pattern(look, rule);
  if (depth < limits::kDecodeDepth) {
    Budget budget{text.size() * 4 + limits::kDecodeSpare};
    scan_views(text, place, depth, budget, seams, hits);
  }
}

void Engine::Scanner::State::scan_views(std::string_view text, const Place& place, std::size_t depth,
                                        Budget& budget, const std::vector<std::size_t>& seams,
                                        std::vector<Hit>& hits) {
  each_view(text, seams, budget, [&](const View& view) {
    std::vector<Hit> inner;
    scan_text(view.text, place, depth + 1, inner);
    for (Hit& hit : inner) {
      hit.begin = view.begin_of(hit.begin);
      hit.end = view.end_of(hit.end);
      hit.encoding = view.encoding;
      hits.push_back(std::move(hit));
    }
    if (depth == 0 && hits.size() >= limits::kScanHits) flush();
  });
}

void Engine::Scanner::State::emit(std::string_view bytes, const Place& place, std::vector<Hit>& hits,
                                  const Sink& sink) {
  std::ranges::sort(hits, {}, [](const Hit& hit) { return std::tuple(hit.begin, hit.end, hit.rule); });
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

bool Engine::Scanner::cannot_hold(std::string_view bytes) {
  const Engine::Parts& parts = state_->engine->parts();
  if (!parts.always.empty() || !decodes_nothing(bytes)) return false;
  if (state_->scratch.empty()) state_->scratch.emplace_back(parts.literals);
  bool none = true;
  state_->scratch[0].scan(parts.literals, bytes, [&](unsigned, std::size_t) { return none = false; });
  return none;
}

}  // namespace claviger::detect
