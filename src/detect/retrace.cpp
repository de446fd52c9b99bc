// The scan of a text that repeats parts of another: old verdicts where they hold, new ones elsewhere.
#include <algorithm>
#include <limits>
#include <utility>

#include "detect/scanner.hpp"

namespace claviger::detect {
namespace {

class Retrace {
 public:
  Retrace(Engine::Scanner::State& state, std::string_view text, const Trace* base,
          std::span<const Repeat> repeats, Engine::Scanner::Leave leave, Trace& out)
      : of_(state), text_(text), base_(base), repeats_(repeats), leave_(leave), out_(out) {}

  // False when the text cannot be remembered.
  bool run(Found& found) {
    for (std::size_t k = 0; k < kProbeKinds; ++k)
      if (!merge(static_cast<ProbeKind>(k), found.probes[k], out_.marks[k])) return false;
    return true;
  }

 private:
  // Goes through old and new probes in their order; what is both is old.
  bool merge(ProbeKind kind, const std::vector<Probe>& fresh, std::vector<Mark>& marks) {
    Brought brought(base_, repeats_, text_.size(), kind);
    if (leave_ == Engine::Scanner::Leave::trace) marks.reserve(brought.about() + fresh.size());
    const Known* known = brought.next();
    std::size_t next = 0, done = 0;
    const auto key = [](const Probe& probe) { return std::pair(probe.begin, probe.literal); };
    while (known != nullptr || next < fresh.size()) {
      const bool old = known != nullptr && (next >= fresh.size() || key(known->probe) <= key(fresh[next]));
      const Probe& probe = old ? known->probe : fresh[next];
      if (old && next < fresh.size() && key(fresh[next]) == key(probe)) ++next;
      const bool passed = kind > ProbeKind::dense && probe.begin < done;
      if (passed)
        note_passed(probe, marks);
      else if (old && known->stays && budget_.take(known->mark->cost))
        keep(*known, marks, done);
      else
        judge(kind, probe, marks, done);
      if (old)
        known = brought.next();
      else
        ++next;
      if (budget_.refused || out_.hits.size() >= limits::kScanHits) return false;
    }
    return true;
  }

  void put(const Mark& mark, std::vector<Mark>& marks) const {
    if (leave_ == Engine::Scanner::Leave::trace) marks.push_back(mark);
  }

  static Mark mark_of(const Probe& probe) {
    Mark mark;
    mark.begin = static_cast<std::uint32_t>(probe.begin);
    mark.end = static_cast<std::uint32_t>(probe.end);
    mark.literal = probe.literal;
    return mark;
  }

  // Whether it is passed by hangs on another: it has no verdict to keep.
  void note_passed(const Probe& probe, std::vector<Mark>& marks) const {
    Mark mark = mark_of(probe);
    mark.to = std::numeric_limits<std::uint32_t>::max();
    put(mark, marks);
  }

  void keep(const Known& known, std::vector<Mark>& marks, std::size_t& done) {
    const Stay stay{&repeats_[known.stretch], base_, text_.size()};
    Mark mark = mark_of(known.probe);
    mark.from = stay.moved(known.mark->from);
    mark.to = stay.moved(known.mark->to);
    mark.until = known.mark->until == 0 ? 0 : stay.moved(known.mark->until);
    mark.cost = known.mark->cost;
    mark.hits = static_cast<std::uint32_t>(out_.hits.size());
    mark.found = known.mark->found;
    for (std::uint32_t i = 0; i < mark.found; ++i) {
      KeptHit hit = base_->hits[known.mark->hits + i];
      hit.begin = stay.moved(hit.begin);
      hit.end = stay.moved(hit.end);
      out_.hits.push_back(hit);
    }
    done = std::max<std::size_t>(done, mark.until);
    put(mark, marks);
  }

  void judge(ProbeKind kind, const Probe& probe, std::vector<Mark>& marks, std::size_t& done) {
    Look look{*of_.engine, text_, place_, hits_};
    const std::size_t left = budget_.left;
    const std::size_t until = of_.judge(look, decoder_, kind, probe, done);
    const Reach read = decoder_.take_reach();
    look.reach.take(read.begin, read.end);
    done = std::max(done, until);
    Mark mark = mark_of(probe);
    mark.from = static_cast<std::uint32_t>(std::min(look.reach.begin, probe.begin));
    mark.to = static_cast<std::uint32_t>(std::min(std::max(look.reach.end, probe.end), text_.size()));
    mark.until = static_cast<std::uint32_t>(until);
    mark.cost = static_cast<std::uint32_t>(left - budget_.left);
    mark.hits = static_cast<std::uint32_t>(out_.hits.size());
    mark.found = static_cast<std::uint32_t>(hits_.size());
    for (const Hit& hit : hits_)
      out_.hits.push_back({hit.rule, static_cast<std::uint32_t>(hit.begin),
                           static_cast<std::uint32_t>(hit.end), static_cast<std::uint32_t>(hit.secret.size()),
                           hit.validated, secret_number(hit.secret)});
    hits_.clear();
    put(mark, marks);
  }

  Engine::Scanner::State& of_;
  std::string_view text_;
  const Trace* base_;
  std::span<const Repeat> repeats_;
  const Engine::Scanner::Leave leave_;
  Trace& out_;
  Place place_{};
  Budget budget_ = budget_of(text_.size());
  std::vector<Hit> hits_{};  // of the probe that is being judged
  Visit visit_ = of_.visitor(place_, 0, hits_);
  Decoder decoder_{text_, budget_, visit_};
};

// Verdicts of these hang on the whole text, or on more than the text.
bool can_trace(const Engine& engine) {
  const Engine::Parts& parts = engine.parts();
  const Ruleset& rules = engine.rules();
  return parts.always.empty() && rules.allowlists().empty() &&
         std::ranges::none_of(rules.rules(), [](const Rule& rule) { return rule.kind == Kind::pattern; });
}

}  // namespace

std::shared_ptr<Trace> Engine::Scanner::State::retrace(std::string_view text, const Trace* base,
                                                       std::span<const Repeat> repeats, Leave leave) {
  if (text.size() > kTracedText || !can_trace(*engine)) return nullptr;
  Layer& here = layer(0);
  if (base == nullptr) {
    here.gatherer.whole(engine->parts(), scratch_anywhere, text, here.found);
  } else {
    find_fresh(text, repeats, base->size, engine->parts().anywhere.longest + 2, fresh);
    here.gatherer.some(engine->parts(), scratch_anywhere, text, fresh, here.found);
  }
  if (here.found.zeros) return nullptr;
  auto out = std::make_shared<Trace>();
  out->size = text.size();
  return Retrace(*this, text, base, repeats, leave, *out).run(here.found) ? out : nullptr;
}

}  // namespace claviger::detect
