// What the provider counts of a leaked key, asked for a day after its containment: reports are late.
#include <fmt/format.h>

#include "base/limits.hpp"
#include "steward/incidents.hpp"
#include "steward/provider_count.hpp"

namespace claviger::steward {
namespace {

constexpr std::chrono::hours kLate{25};           // after containment a provider's report is whole
constexpr std::chrono::hours kAgain{1};           // between two looks
constexpr std::chrono::minutes kAfterTrouble{5};  // the same, when there was no answer
constexpr std::chrono::seconds kForTheKey{30};    // until a rotation knows which key it is

const Doer kSteward{"steward", {}, {}};

}  // namespace

bool Incidents::count_is_due(const Incident& it) const {
  const auto contained = it.when(IncidentState::contained);
  const bool asked_for = it.owned == Owned::credential && !it.drill && !it.accounting.empty() && contained;
  if (!asked_for || !parts_.rotating.count) return false;
  const Time now = parts_.clock.now();
  const auto next = count_at_.find(it.id);
  return now < *contained + kLate && (next == count_at_.end() || now >= next->second);
}

void Incidents::count_at_provider(const Incident& it) {
  count_at_[it.id] = parts_.clock.now() + kAgain;  // however long the answer takes
  const std::uint64_t turn = ++count_turn_[it.id];
  const Time until = *it.when(IncidentState::contained);
  parts_.rotating.count(it.subject_id, it.version, it.first_exposed, until,
                        [this, id = it.id, turn](Result<ProviderCount> count) {
                          if (count_turn_[id] != turn) return;
                          if (count) return weigh_count(id, *count, turn);
                          const bool may_come = count.error().code == Code::conflict;
                          const Time now = parts_.clock.now();
                          count_at_[id] = may_come ? now + kForTheKey : now + kAfterTrouble;
                          (void)keep_count(id, to_json(told(count.error()), now), 0);
                        });
}

// The gate's calls in the spans that the provider's figures are of.
void Incidents::weigh_count(const std::string& id, const ProviderCount& count, std::uint64_t turn) {
  const auto it = get(id);
  if (!it) return;
  const auto ask = [&](const ReportSpan& span) {
    AccountAsk made{Owned::credential, it->subject_id, span.from, span.to};
    made.version = it->version;
    return made;
  };
  auto gate = std::make_shared<Result<GateCount>>();
  auto work = [&folder = parts_.journal, use = ask(count.use), cost = ask(count.cost), count, gate] {
    const auto read = [&]() -> Result<GateCount> {
      GateCount sums;
      if (count.tells_use) {
        TRY(const Accounting found, steward::account(folder, use));
        sums.use = found.total;
      }
      if (count.tells_cost) {
        TRY(const Accounting found, steward::account(folder, cost));
        sums.cost = found.total;
      }
      return sums;
    };
    *gate = read();
  };
  auto done = [this, id, count, gate, turn] {
    if (!*gate || count_turn_[id] != turn) return;
    const Time now = parts_.clock.now();
    (void)keep_count(id, to_json(count, **gate, now), past_the_gate(count, **gate));
  };
  if (parts_.offload) return parts_.offload(std::move(work), std::move(done));
  work();
  done();
}

Result<void> Incidents::keep_count(const std::string& id, const std::string& object, std::int64_t past) {
  TRY(Incident it, get(id));
  if (it.accounting.empty()) return {};
  const std::string figures = with_provider(it.accounting, object);
  // The same again, but for the time of asking, is no news; nor is trouble, but for the first time.
  const std::string before = provider_sentence(it.accounting), sentence = provider_sentence(figures);
  const bool first = !it.accounting.contains("\"provider\":{");
  if (sentence.empty() ? !first : sentence == before) return {};
  const Written written = record("incident.counted", it.subject(), it.id, kSteward);
  TRY_VOID(seal());
  it.accounting = figures;
  return parts_.store.write([&](store::Tx& tx) -> Result<void> {
    if (!sentence.empty()) TRY_VOID(note(tx, it, "counted at the provider", sentence, kSteward, written));
    if (past > 0) TRY_VOID(tell(tx, it, "bypassed", sentence, Severity::critical));
    return update_incident(tx, it);
  });
}

}  // namespace claviger::steward
