// The steps of incidents: what is done about them, from what is seen of their subjects.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "steward/accounting.hpp"
#include "steward/incidents.hpp"

namespace claviger::steward {
namespace {

constexpr std::int64_t kTickRound = 100;  // incidents looked at in one tick
constexpr int kRounds = 8;                // steps that an incident takes at once

const Doer kSteward{"steward", {}, {}};

IncidentState state_after(Step step) {
  return step == Step::note_replaced ? IncidentState::replaced : IncidentState::contained;
}

std::string_view action_of(Step step) {
  switch (step) {
    case Step::freeze:
      return "key.freeze";
    case Step::withdraw:
      return "credential.disable";
    case Step::restore:
      return "credential.enable";
    case Step::rotate:
      return "incident.rotate";
    case Step::hasten:
      return "incident.hasten";
    case Step::call:
      return "incident.call";
    case Step::note_contained:
      return "incident.contained";
    case Step::note_replaced:
      return "incident.replaced";
    case Step::wait:
    case Step::account:
      break;
  }
  return "incident.account";
}

std::string sentence_of(const Incident& it) {
  switch (it.containment) {
    case Containment::frozen:
      return fmt::format("The key {} is frozen; its streams are cut.", it.name);
    case Containment::withdrawn:
      return fmt::format("The credential {} is withdrawn from the gate.", it.name);
    case Containment::rotated:
      return fmt::format("The gate uses a new secret for the credential {}.", it.name);
    case Containment::none:
    case Containment::opened_nothing:
      break;
  }
  return fmt::format("The leaked secret of {} {} opened nothing any more.", name_of(it.owned), it.name);
}

std::string left_alone(const Incident& it) {
  return fmt::format(
      "The credential {} was withdrawn, because its rotation {} came to nothing: rotate it, or give it a new "
      "secret.",
      it.name, it.rotation);
}

}  // namespace

// The keys that were made below a leaked one while it was exposed: by whoever held it.
Result<std::vector<identity::Key>> Incidents::made_below(const Incident& incident) {
  std::vector<identity::Key> made;
  if (incident.owned != Owned::key) return made;
  const Time until = incident.when(IncidentState::contained).value_or(parts_.clock.now());
  identity::KeyFilter filter;
  filter.above = incident.subject_id;
  TRY(made, parts_.keys.list(filter));
  std::erase_if(made, [&](const identity::Key& key) {
    return key.created < incident.first_exposed || key.created >= until;
  });
  return made;
}

// Those of them that a leaked secret has left behind which opens nothing itself any more, while its key does.
Result<std::vector<identity::Key>> Incidents::left_below(const Incident& incident) {
  std::vector<identity::Key> left;
  if (incident.owned != Owned::key) return left;
  TRY(const identity::Key key, parts_.keys.get(incident.subject_id));
  TRY(const std::int64_t newest, parts_.keys.newest(key.id));
  const bool in_grace_last = incident.version + 1 == newest && key.previous_digest.has_value();
  TRY(left, made_below(incident));
  std::erase_if(left, [&](const identity::Key& one) {
    return one.state != identity::KeyState::active || (in_grace_last && one.created >= key.previous_until);
  });
  return left;
}

// A canary that is contained and tried again says nothing new; one that is open again does, in a later hour.
Result<void> Incidents::look_at_canaries() {
  const std::int64_t now = parts_.clock.now().ns / 1'000'000'000;
  std::vector<std::string> used;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto any, tx.query("SELECT 1 FROM canary_key LIMIT 1"));
    if (any.empty()) return {};
    TRY(const auto rows,
        tx.query(
            "SELECT c.key FROM canary_key c WHERE (EXISTS (SELECT 1 FROM usage_refusal u WHERE u.hour >= ?1 "
            "AND u.key = c.key AND u.hour > coalesce((SELECT max(closed) / 1000000000 FROM incident i WHERE "
            "i.owned = 'key' AND i.subject = c.key), 0)) OR EXISTS (SELECT 1 FROM usage u WHERE u.hour >= ?1 "
            "AND u.key = c.key AND u.hour > coalesce((SELECT max(closed) / 1000000000 FROM incident i WHERE "
            "i.owned = 'key' AND i.subject = c.key), 0)) OR EXISTS (SELECT 1 FROM journal_open_intent o "
            "WHERE "
            "instr(o.line, '\"key\":\"' || c.key || '\"') > 0)) AND NOT EXISTS (SELECT 1 FROM incident i "
            "WHERE "
            "i.owned = 'key' AND i.subject = c.key AND i.state != 'closed')",
            {now - 7'200}));
    for (const store::Row& row : rows) used.push_back(row.text(0));
    return {};
  }));
  for (const std::string& key : used)
    TRY_VOID(declare("key:" + key, Proof::canary, "use of a canary key", parts_.clock.now(), kSteward));
  return {};
}

Result<void> Incidents::tick() {
  TRY_VOID(look_at_canaries());
  std::vector<std::string> ids;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT id FROM incident WHERE state != 'closed' AND id > ?1 "
                                  "ORDER BY id LIMIT ?2",
                                  {cursor_, kTickRound}));
    for (const store::Row& row : rows) ids.push_back(row.text(0));
    return {};
  }));
  cursor_ = static_cast<std::int64_t>(ids.size()) < kTickRound ? std::string() : ids.back();
  return advance(std::move(ids));
}

Result<void> Incidents::advance(std::vector<std::string> ids) {
  if (unpublished_) TRY_VOID(publish());
  for (int round = 0; round < kRounds && !ids.empty(); ++round) {
    TRY(std::vector<Plan> plans, plan(ids));
    if (plans.empty()) return {};
    TRY_VOID(carry_out(plans));
    ids.clear();
    for (const Plan& one : plans) ids.push_back(one.incident.id);
  }
  return {};
}

// What is to be done now; reading figures is begun at once, and what waits is left out.
Result<std::vector<Incidents::Plan>> Incidents::plan(const std::vector<std::string>& ids) {
  std::vector<Plan> plans;
  for (const std::string& id : ids) {
    TRY(Incident it, get(id));
    TRY(const Observation seen, observe(it));
    if (count_is_due(it)) {
      count_at_provider(it);
      TRY(it, get(id));  // the answer may have come at once
    }
    const Step step = next_step(it, seen);
    if (step == Step::account) account(it);
    if (step == Step::wait || step == Step::account) continue;
    if (step == Step::note_contained && it.containment == Containment::none)
      it.containment =
          seen.rotation >= RotationStage::in_use ? Containment::rotated : Containment::opened_nothing;
    Plan next{std::move(it), step, seen.rotation};
    if (step == Step::note_contained && next.incident.containment == Containment::opened_nothing) {
      TRY(next.below, left_below(next.incident));
    }
    plans.push_back(std::move(next));
  }
  return plans;
}

Result<void> Incidents::carry_out(std::vector<Plan>& plans) {
  for (Plan& one : plans) {
    for (const identity::Key& key : one.below)
      record("key.freeze", "key:" + key.id, one.incident.id, kSteward);
    one.written = record(action_of(one.step), one.incident.subject(), one.incident.id, kSteward);
  }
  TRY_VOID(seal());
  // Before anything is stored: what fails in between is published by the next tick.
  for (const Plan& one : plans)
    unpublished_ |= one.step == Step::freeze || one.step == Step::withdraw || one.step == Step::restore ||
                    !one.below.empty();
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    for (Plan& one : plans) {
      if (one.step == Step::freeze) TRY_VOID(freeze(tx, one));
      TRY_VOID(freeze_below(tx, one));
      if (one.step == Step::note_contained || one.step == Step::note_replaced) TRY_VOID(reach(tx, one));
    }
    return {};
  }));
  // One that fails is tried again by the next tick, and holds no other up.
  Result<void> all;
  for (Plan& one : plans)
    if (auto done = act(one); !done) all = std::move(done);
  if (unpublished_) TRY_VOID(publish());
  return all;
}

Result<void> Incidents::act(Plan& plan) {
  // Counted again: calls that were on their way when it was counted first have ended, here and there.
  if (plan.step == Step::note_replaced) count_at_.erase(plan.incident.id);
  if (plan.step == Step::withdraw) return withdraw(plan);
  if (plan.step == Step::restore) return restore(plan);
  if (plan.step == Step::rotate) return rotate(plan);
  if (plan.step == Step::hasten) return hasten(plan);
  if (plan.step == Step::call) return call(plan);
  return {};
}

Result<void> Incidents::publish() {
  TRY_VOID(parts_.republish());
  unpublished_ = false;
  return {};
}

Result<void> Incidents::freeze(store::Tx& tx, Plan& plan) {
  Incident& it = plan.incident;
  TRY_VOID(parts_.keys.set_state(tx, it.subject_id, identity::KeyState::frozen));
  it.containment = Containment::frozen;
  TRY_VOID(note(tx, it, "key.freeze", "The key was frozen.", kSteward, plan.written));
  return update_incident(tx, it);
}

// Whoever held the old secret made them; whether one of them is a friend's, a person must say.
Result<void> Incidents::freeze_below(store::Tx& tx, Plan& plan) {
  for (const identity::Key& key : plan.below) {
    TRY_VOID(parts_.keys.set_state(tx, key.id, identity::KeyState::frozen));
    TRY_VOID(
        note(tx, plan.incident, "key.freeze",
             fmt::format("The key {} was frozen: it was made below while the secret was exposed.", key.id),
             kSteward, plan.written));
  }
  if (plan.below.empty()) return {};
  return tell(
      tx, plan.incident, "waiting",
      fmt::format("{} keys below {} were made while its old secret was exposed and are frozen: revoke "
                  "or unfreeze each.",
                  plan.below.size(), plan.incident.name),
      Severity::critical);
}

Result<void> Incidents::withdraw(Plan& plan) {
  Incident& it = plan.incident;
  // The row first: a credential that was withdrawn here is given back when it is replaced.
  it.containment = Containment::withdrawn;
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(note(tx, it, "credential.disable", "The credential was withdrawn from the gate.", kSteward,
                  plan.written));
    if (plan.rotation == RotationStage::failed)
      TRY_VOID(tell(tx, it, "waiting", left_alone(it), Severity::critical));
    return update_incident(tx, it);
  }));
  TRY_VOID(parts_.vault.disable(it.subject_id));
  return {};
}

Result<void> Incidents::restore(Plan& plan) {
  const Incident& it = plan.incident;
  TRY_VOID(parts_.vault.enable(it.subject_id));
  return parts_.store.write([&](store::Tx& tx) {
    return note(tx, it, "credential.enable", "The credential works again, with its new secret.", kSteward,
                plan.written);
  });
}

// A rotation that is refused is told once and left to people; a store that cannot be written now is no
// refusal.
Result<void> Incidents::rotate(Plan& plan) {
  Incident& it = plan.incident;
  auto begun = parts_.rotating.begin(it.subject_id, it.version, fmt::format("leaked, incident {}", it.id));
  if (!begun && begun.error().origin == Origin::internal) return std::unexpected(std::move(begun).error());
  if (begun)
    it.rotation = *begun;
  else
    it.rotation_problem = std::string(told(begun.error()));
  return parts_.store.write([&](store::Tx& tx) -> Result<void> {
    if (begun) {
      TRY_VOID(note(tx, it, "rotation", fmt::format("Rotation {} was begun.", it.rotation), kSteward,
                    plan.written));
    } else {
      TRY_VOID(note(tx, it, "rotation refused", it.rotation_problem, kSteward, plan.written));
      TRY_VOID(
          tell(tx, it, "waiting",
               fmt::format("The credential {} cannot be rotated by itself: {}", it.name, it.rotation_problem),
               Severity::critical));
    }
    return update_incident(tx, it);
  });
}

// Of the rotation that has put the leaked version into use: it goes on without its soak.
Result<void> Incidents::hasten(Plan& plan) {
  const Incident& it = plan.incident;
  TRY_VOID(parts_.rotating.hasten(it.subject_id, it.version));
  return parts_.store.write([&](store::Tx& tx) {
    return note(
        tx, it, "rotation hastened",
        "The rotation that put the leaked secret into use ends without delay: the next one replaces it.",
        kSteward, plan.written);
  });
}

// Once: it is probed from then on, and the incident goes on when it is refused.
Result<void> Incidents::call(Plan& plan) {
  Incident& it = plan.incident;
  it.rotation_problem = fmt::format(
      "The leaked key of {} was taken back, and {} may still accept it: delete it there, or regenerate it. "
      "It is probed until it is refused.",
      it.name, it.provider);
  return parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(note(tx, it, "left to a person", it.rotation_problem, kSteward, plan.written));
    TRY_VOID(tell(tx, it, "waiting", it.rotation_problem, Severity::critical));
    return update_incident(tx, it);
  });
}

Result<void> Incidents::reach(store::Tx& tx, Plan& plan) {
  Incident& it = plan.incident;
  it.state = state_after(plan.step);
  it.reached[static_cast<std::size_t>(it.state)] = parts_.clock.now();
  const bool contained = it.state == IncidentState::contained;
  if (!contained) it.rotation_problem.clear();  // nobody is waited for any more
  const std::string sentence =
      contained ? sentence_of(it)
                : fmt::format("The leaked secret of {} {} is replaced and dead.", name_of(it.owned), it.name);
  TRY_VOID(note(tx, it, name_of(it.state), sentence, kSteward, plan.written));
  TRY_VOID(tell(tx, it, name_of(it.state), sentence, contained ? Severity::warning : Severity::info));
  return update_incident(tx, it);
}

// The figures come back to this thread; whether there is somebody to read them elsewhere or not.
void Incidents::account(const Incident& incident) {
  if (!accounting_.insert(incident.id).second) return;
  const Time until = incident.when(IncidentState::contained).value_or(parts_.clock.now());
  AccountAsk ask{incident.owned, incident.subject_id, incident.first_exposed, until};
  if (incident.owned == Owned::credential) ask.version = incident.version;
  auto made = made_below(incident);
  if (!made) return accounted(incident.id, ask.from, std::unexpected(std::move(made).error()));
  for (identity::Key& key : *made) ask.below.insert(std::move(key.id));
  auto baseline = baseline_of(parts_.store, ask);
  if (!baseline) return accounted(incident.id, ask.from, std::unexpected(std::move(baseline).error()));
  auto figures = std::make_shared<Result<std::string>>();
  auto work = [&folder = parts_.journal, ask, baseline = *std::move(baseline), figures] {
    auto read = steward::account(folder, ask);
    if (read)
      *figures = to_json(*read, baseline);
    else
      *figures = std::unexpected(std::move(read).error());
  };
  auto done = [this, id = incident.id, from = ask.from, figures] {
    accounted(id, from, std::move(*figures));
  };
  if (parts_.offload) return parts_.offload(std::move(work), std::move(done));
  work();
  done();
}

// What fails is tried again by a later tick, and so is what was read of a shorter exposure than is known now.
void Incidents::accounted(const std::string& id, Time from, Result<std::string> figures) {
  if (figures) (void)keep_figures(id, from, *std::move(figures));
  accounting_.erase(id);
}

Result<void> Incidents::keep_figures(const std::string& id, Time from, std::string figures) {
  TRY(Incident it, get(id));
  if (it.state == IncidentState::closed || it.first_exposed < from) return {};
  const Written written = record("incident.accounted", it.subject(), it.id, kSteward);
  TRY_VOID(seal());
  it.accounting = std::move(figures);
  count_at_.erase(id);  // the provider's are of the same exposure
  const bool first = it.state == IncidentState::contained;
  if (first) {
    it.state = IncidentState::accounted;
    it.reached[2] = parts_.clock.now();
  }
  const std::string sentence = account_sentence(it.accounting);
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(note(tx, it, "accounted", sentence, kSteward, written));
    if (first) TRY_VOID(tell(tx, it, "accounted", sentence, Severity::warning));
    return update_incident(tx, it);
  }));
  return advance({id});
}

Result<void> Incidents::tell(store::Tx& tx, const Incident& incident, std::string_view what,
                             std::string_view sentence, Severity severity) {
  if (!parts_.tell) return {};
  Notice notice;
  notice.type = fmt::format("incident.{}", what);
  notice.subject = incident.subject();
  notice.thread = incident.id;
  notice.severity = incident.drill ? Severity::info : severity;
  notice.over = incident.state == IncidentState::closed;
  notice.at = parts_.clock.now();
  notice.summary = incident.drill ? fmt::format("Drill: {}", sentence) : std::string(sentence);
  notice.data = summary_json(incident);
  return parts_.tell(tx, notice);
}

}  // namespace claviger::steward
