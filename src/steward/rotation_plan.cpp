// The machine: states, what each waits for, and what an answer does to it.
#include "steward/rotation_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::steward {
namespace {

using provider::RotationClass;

constexpr std::int64_t kMs = 1'000'000;

Time after(Time time, std::int64_t ms) { return {time.ns + ms * kMs}; }

void enter(Rotation& it, RotationState state, Time now) {
  it.state = state;
  it.next = now;
  it.tries = 0;
  it.good = it.bad = 0;
  it.looks = 0;
  it.deadline = kNever;
  it.trouble.clear();
  if (state == RotationState::confirming)
    it.deadline = after(std::max(now, it.old_expires.value_or(now)), limits::kRotationConfirmMs);
}

void retry(Rotation& it, Time now, const Heard& heard) {
  const int doubled = std::min(it.tries, 20);
  const std::int64_t wait = std::min(limits::kRotationRetryMs << doubled, limits::kRotationRetryMostMs);
  ++it.tries;
  it.next = after(now, std::max(wait, std::min(heard.retry_after_ms, limits::kRotationRetryMostMs)));
  if (!heard.trouble.empty()) it.trouble = heard.trouble;
}

void start_making(Rotation& it, Time now) {
  enter(it, it.rotation == RotationClass::human ? RotationState::waiting : RotationState::creating, now);
}

bool before(const Rotation& it, Time now) { return now < it.next; }

// The key of a creation that was not answered comes first, whatever state it is in.
std::optional<Act> tidy_up(const Rotation& it, Time now) {
  if (!it.seeking && it.orphan.empty()) return std::nullopt;
  if (before(it, now)) return Act::wait;
  return it.seeking ? Act::seek : Act::clear;
}

Act create_next(Rotation& it, Time now) {
  if (const auto act = tidy_up(it, now)) return *act;
  if (before(it, now)) return Act::wait;
  if (!it.operation.empty()) return Act::progress;
  if (it.rotation == RotationClass::create && !it.new_key.empty()) return Act::reveal;
  if (it.creates >= limits::kRotationCreates) {
    give_up(it, it.trouble.empty() ? "The provider made no key that could be kept." : it.trouble, now);
    return Act::wait;
  }
  return Act::create;
}

// Until then a provider's word on how far the new key has come is waited for that does not come. Well before
// the old secret of class in_place may die.
Time patience_end(const Rotation& it, const RotationTraits& traits) {
  return after(it.deadline, -traits.verify_ms / 2);
}

Act verify_next(Rotation& it, const RotationTraits& traits, Time now) {
  const bool mute = it.good >= limits::kRotationProbes && it.tries > 0 && now >= patience_end(it, traits);
  if (mute || it.good >= limits::kRotationProbes + (traits.spreads ? 1 : 0)) return Act::promote;
  if (now >= it.deadline) {
    give_up(it, fmt::format("The new key did not become valid in time. {}", it.trouble), now);
    return Act::wait;
  }
  if (before(it, now)) return Act::wait;
  if (it.good >= limits::kRotationProbes) return Act::propagation;
  const bool known = it.rotation != RotationClass::human || !traits.lists || !traits.shows;
  return known || !it.new_key.empty() ? Act::probe_new : Act::identify;
}

// True when the old key may go.
bool drained(Rotation& it, const RotationTraits& traits, const RotationFacts& facts) {
  const Time quiet = after(*it.promoted, traits.quiet_ms);
  const Time soaked = it.mode == RotationMode::planned ? after(*it.promoted, traits.soak_ms) : *it.promoted;
  if (facts.old_in_flight || facts.now < std::max(quiet, soaked)) return false;
  it.drained = facts.now;
  return true;
}

Act revoke_next(Rotation& it, const RotationTraits& traits, Time now) {
  if (before(it, now)) return Act::wait;
  const bool by_id = it.rotation == RotationClass::create || it.rotation == RotationClass::human ||
                     it.rotation == RotationClass::slots;
  if (by_id && it.old_key.empty() && traits.lists && traits.shows && it.looks < 2) return Act::look;
  it.revoke_by_hand = !traits.removes || (by_id && it.old_key.empty() && !traits.by_secret);
  if (!it.revoke_by_hand) return Act::revoke;
  if (it.new_version == 0) {  // an emergency: the replacement does not wait for a person's hand
    start_making(it, now);
    return Act::wait;
  }
  it.trouble = "Delete the old key at the provider: it is probed until it is refused.";
  return Act::probe_old;
}

// Whether the new key is one that a person has made, and lives on.
bool made_by_hand(const Rotation& it) {
  return it.rotation == RotationClass::human && it.new_version != 0 && it.good == 0;
}

Act undo_next(Rotation& it, const RotationTraits& traits, const RotationFacts& facts) {
  if (const auto act = tidy_up(it, facts.now)) return *act;
  if (before(it, facts.now)) return Act::wait;
  if (it.promoted && (facts.new_in_flight || facts.now < after(*it.promoted, traits.quiet_ms)))
    return Act::wait;
  if (!traits.removes || it.rotation == RotationClass::in_place) return Act::drop_new;
  if (!it.new_key.empty()) return Act::remove_new;
  if (!made_by_hand(it)) return Act::drop_new;
  if (traits.by_secret) return Act::remove_new;
  // It may have been given up before it was found.
  return traits.lists && traits.shows && it.looks < 2 ? Act::identify : Act::drop_new;
}

// Whether a secret that was replaced in place is still to die by itself: the old one, or one between.
bool on_timer(const Rotation& it, Time now) {
  const bool between = it.rotation == RotationClass::in_place && it.creates > 1;
  return (it.old_expires && now < *it.old_expires) || (between && now < after(it.asked, kUnusedSecretMs));
}

// One state's word, or nothing when it moved on to another.
std::optional<Act> look_at(Rotation& it, const RotationTraits& traits, const RotationFacts& facts) {
  const Time now = facts.now;
  const RotationState was = it.state;
  const auto act = [&]() -> Act {
    switch (it.state) {
      case RotationState::planned:
        if (before(it, now)) return Act::wait;
        // Whatever the answer: it tells whether the way to the provider is open, for the record.
        if (traits.probes && it.good == 0 && !it.looked) return Act::probe_old;
        if (traits.lists && !it.looked) return Act::look;
        // Ending the key would end its next secret, too: there the call itself sets the old one's end.
        if (it.mode == RotationMode::emergency && it.rotation != RotationClass::in_place)
          enter(it, RotationState::revoking, now);
        else
          start_making(it, now);
        return Act::wait;
      case RotationState::creating:
        return create_next(it, now);
      case RotationState::verifying:
        return verify_next(it, traits, now);
      case RotationState::draining:
        if (drained(it, traits, facts))
          enter(it,
                it.rotation == RotationClass::in_place ? RotationState::confirming : RotationState::revoking,
                now);
        return Act::wait;
      case RotationState::revoking:
        return revoke_next(it, traits, now);
      case RotationState::confirming:
        if (it.bad >= limits::kRotationRefusals || it.confirmed) {
          if (!it.confirmed) it.confirmed = now;
          if (it.new_version != 0) return Act::conclude;
          start_making(it, now);
          return Act::wait;
        }
        // A provider that is slow to forget must not hold the replacement up.
        if (it.new_version == 0 && it.revoked && now >= after(*it.revoked, traits.list_ms)) {
          start_making(it, now);
          return Act::wait;
        }
        if (!traits.probes) return Act::conclude;
        return before(it, now) || on_timer(it, now) ? Act::wait : Act::probe_old;
      case RotationState::done:
        return it.confirmed && now >= after(*it.confirmed, traits.retain_ms) && !before(it, now)
                   ? Act::destroy
                   : Act::wait;
      case RotationState::undoing:
        return undo_next(it, traits, facts);
      case RotationState::waiting:
      case RotationState::closed:
      case RotationState::undone:
      case RotationState::failed:
        return Act::wait;
    }
    return Act::wait;
  }();
  return it.state == was ? std::optional(act) : std::nullopt;
}

void take_look(Rotation& it, const Heard& heard, Time now) {
  using Kind = Heard::Kind;
  if (heard.kind == Kind::done || heard.kind == Kind::gone) {
    it.old_key = heard.id.empty() ? it.old_key : heard.id;
    it.looked = true;
    ++it.looks;
    it.tries = 0;
    return;
  }
  const bool early = it.state == RotationState::planned && it.mode != RotationMode::emergency;
  if (early && (heard.kind == Kind::full || heard.kind == Kind::denied || heard.kind == Kind::refused))
    return give_up(it, heard.trouble, now);
  retry(it, now, heard);
  // A slot that is not known may be the one in use: there only an answer ends the looking.
  const bool unheard = heard.kind == Kind::lost || heard.kind == Kind::again;
  if (it.rotation == RotationClass::slots && unheard) return;
  if (it.mode == RotationMode::emergency && it.tries > 1) it.looked = true, ++it.looks;
}

// The next creation is another one.
void forget_creation(Rotation& it, Time now) {
  it.seeking = false;
  it.orphan.clear();
  it.new_key.clear();
  it.nonce.clear();
  it.looks = 0;
  it.next = now;
}

// Somebody has changed their mind while the key was being made.
bool unwanted(Rotation& it, const Heard& heard, Time now) {
  using Kind = Heard::Kind;
  if (it.state != RotationState::undoing || heard.kind == Kind::again || heard.kind == Kind::lost)
    return false;
  const std::string made = heard.kind == Kind::done ? heard.id : "";
  const bool by_id = it.rotation == RotationClass::create;
  const std::string in_file = it.rotation == RotationClass::self_hosted ? it.new_key : "";
  forget_creation(it, now);
  if (by_id) it.orphan = made;
  it.new_key = in_file;  // the file may hold it, whatever the answer was
  return true;
}

void take_created(Rotation& it, const RotationTraits& traits, const Heard& heard, Time now) {
  using Kind = Heard::Kind;
  if (unwanted(it, heard, now)) return;
  if (heard.kind == Kind::done) {
    it.new_key = heard.id.empty() ? it.new_key : heard.id;
    it.operation = heard.operation;
    // The first call's word counts: a further secret replaces one that nobody uses.
    if (!it.old_expires) it.old_expires = heard.old_expires;
    it.tries = 0;
    it.next = now;
    if (!heard.operation.empty()) it.next = after(now, std::min(traits.probe_ms, limits::kRotationRetryMs));
    if (heard.version == 0) return;
    it.new_version = heard.version;
    enter(it, RotationState::verifying, now);
    it.deadline = after(now, traits.verify_ms);
    return;
  }
  if (heard.kind == Kind::again || heard.kind == Kind::lost) {
    retry(it, now, heard);
    it.operation.clear();
    if (it.rotation == RotationClass::create && traits.lists) {
      it.seeking = true;
      it.looks = 0;
      it.new_key.clear();
    }
    return;
  }
  give_up(it, heard.trouble, now);
}

void take_sought(Rotation& it, const RotationTraits& traits, const Heard& heard, Time now) {
  if (heard.kind != Heard::Kind::done && heard.kind != Heard::Kind::gone) return retry(it, now, heard);
  it.tries = 0;
  if (!heard.id.empty()) {
    it.seeking = false;
    it.orphan = heard.id;
    it.next = now;
    return;
  }
  // A list may lag: only two empty looks, the last one late enough, prove that there is nothing.
  ++it.looks;
  const Time late = after(it.asked, traits.list_ms);
  if (it.looks >= 2 && now >= late) return forget_creation(it, now);
  it.next = std::max(late, after(now, limits::kRotationRetryMs));
}

void take_probe_new(Rotation& it, const RotationTraits& traits, const Heard& heard, Time now) {
  it.next = after(now, traits.probe_ms);
  if (heard.kind == Heard::Kind::done &&
      (heard.verdict == provider::Verdict::valid || heard.verdict == provider::Verdict::no_quota)) {
    ++it.good;
    it.trouble.clear();
    // The last of them need not be waited for.
    if (it.good >= limits::kRotationProbes) it.next = now;
    return;
  }
  it.good = 0;
  it.trouble = heard.trouble.empty()
                   ? fmt::format("The provider calls the new key {}.", provider::verdict_name(heard.verdict))
                   : heard.trouble;
}

// Where the provider says how far a secret has come, that counts beside the probes, which one place answers.
// One that has no such word is not waited for; one whose word does not come, or cannot be read, for a while.
void take_propagation(Rotation& it, const RotationTraits& traits, const Heard& heard, Time now) {
  using Kind = Heard::Kind;
  const bool told = heard.kind == Kind::done;
  const bool mute = told ? !heard.everywhere : heard.kind == Kind::again || heard.kind == Kind::lost;
  if (!mute && heard.everywhere.value_or(true)) {
    ++it.good;
    it.tries = 0;
    it.next = now;
    it.trouble.clear();
    return;
  }
  it.tries = mute ? it.tries + 1 : 0;
  it.next = std::max(after(now, traits.probe_ms), after(now, heard.retry_after_ms));
  it.trouble = mute ? fmt::format(
                          "Whether the new key is known everywhere cannot be told: {} It is used from "
                          "{} on all the same, for its probes are good.",
                          told ? "the provider's answer cannot be read." : heard.trouble,
                          format_time(patience_end(it, traits)))
                    : "The provider does not know the new key everywhere yet.";
}

void take_probe_old(Rotation& it, const RotationTraits& traits, const Heard& heard, Time now) {
  if (it.state == RotationState::planned) {
    it.good = 1;  // asked
    it.trouble =
        heard.kind == Heard::Kind::done && !provider::alive(heard.verdict)
            ? fmt::format("The provider calls the old key {}.", provider::verdict_name(heard.verdict))
            : heard.trouble;
    return;
  }
  it.next = after(now, traits.probe_ms);
  if (heard.kind == Heard::Kind::done && provider::dead(heard.verdict)) {
    ++it.bad;
    if (it.bad < limits::kRotationRefusals) return;
    if (!it.revoked) it.revoked = now;
    it.confirmed = now;
    const RotationState state = it.state;
    if (state == RotationState::revoking) enter(it, RotationState::confirming, now);
    return;
  }
  it.bad = 0;
  if (it.revoke_by_hand && !it.revoked) return;
  if (now < it.deadline) return;
  Heard slow = heard;
  slow.trouble = "The old key was revoked, and the provider still accepts it.";
  retry(it, now, slow);
  it.next = std::max(it.next, after(now, traits.probe_ms));
}

void take_revoked(Rotation& it, const Heard& heard, Time now) {
  if (heard.kind == Heard::Kind::done || heard.kind == Heard::Kind::gone) {
    it.revoked = now;
    return enter(it, RotationState::confirming, now);
  }
  retry(it, now, heard);
}

// A key that is to be taken back does not stand in the list, or nobody has answered.
void take_unfound(Rotation& it, const RotationTraits& traits, const Heard& heard, Time now) {
  if (heard.kind != Heard::Kind::done && heard.kind != Heard::Kind::gone) return retry(it, now, heard);
  ++it.looks;
  it.tries = 0;
  it.next = after(now, traits.list_ms);
}

// Whether an answer to this act still matters: meanwhile somebody may have changed their mind, or a write
// that was told to have failed may have happened.
bool matters(Act act, const Rotation& it) {
  const RotationState state = it.state;
  switch (act) {
    case Act::look:
      return state == RotationState::planned || state == RotationState::revoking;
    case Act::create:
    case Act::progress:
    case Act::reveal:
      return state == RotationState::creating || state == RotationState::waiting ||
             state == RotationState::undoing;
    case Act::seek:
      return it.seeking;
    case Act::clear:
      return !it.orphan.empty();
    case Act::identify:
      return state == RotationState::verifying || state == RotationState::undoing;
    case Act::probe_new:
    case Act::propagation:
    case Act::promote:
      return state == RotationState::verifying;
    case Act::revoke:
      return state == RotationState::revoking;
    case Act::probe_old:
      return state == RotationState::planned || state == RotationState::revoking ||
             state == RotationState::confirming;
    case Act::conclude:
      return state == RotationState::confirming;
    case Act::remove_new:
    case Act::drop_new:
      return state == RotationState::undoing;
    case Act::destroy:
      return state == RotationState::done;
    case Act::wait:
      return false;
  }
  return false;
}

void end_undoing(Rotation& it, Time now) {
  // The old secret of a key that got another one is on a timer: it is saved by a further one, or by nothing.
  const bool must_go_on = it.doomed && it.rotation == RotationClass::in_place && it.old_expires &&
                          it.creates < limits::kRotationCreates;
  if (must_go_on) {
    it.doomed = false;
    it.new_version = 0;
    it.new_key.clear();
    return start_making(it, now);
  }
  std::string why = it.trouble;
  if (leaves_key(it)) why += fmt::format("{}{}", why.empty() ? "" : " ", left_sentence(it));
  enter(it, it.doomed ? RotationState::failed : RotationState::undone, now);
  it.trouble = why;
}

}  // namespace

bool changes(Act act) {
  return act == Act::create || act == Act::clear || act == Act::revoke || act == Act::remove_new;
}

Act next_act(Rotation& it, const RotationTraits& traits, const RotationFacts& facts) {
  for (std::size_t moves = 0; moves <= kRotationStates; ++moves)
    if (const auto act = look_at(it, traits, facts)) return *act;
  return Act::wait;
}

void take(Rotation& it, const RotationTraits& traits, Act act, const Heard& heard, Time now) {
  it.asking.clear();
  it.updated = now;
  if (!matters(act, it)) return;
  const bool well = heard.kind == Heard::Kind::done || heard.kind == Heard::Kind::gone;
  switch (act) {
    case Act::look:
      return take_look(it, heard, now);
    case Act::create:
    case Act::progress:
    case Act::reveal:
      return take_created(it, traits, heard, now);
    case Act::seek:
      return take_sought(it, traits, heard, now);
    case Act::clear:
      return well ? forget_creation(it, now) : retry(it, now, heard);
    case Act::identify:
      if (well && !heard.id.empty()) return void(it.new_key = heard.id);
      if (it.state == RotationState::undoing) return take_unfound(it, traits, heard, now);
      it.next = after(now, traits.probe_ms);
      it.trouble =
          heard.trouble.empty() ? "The provider's list does not show the new key yet." : heard.trouble;
      return;
    case Act::probe_new:
      return take_probe_new(it, traits, heard, now);
    case Act::propagation:
      return take_propagation(it, traits, heard, now);
    case Act::promote:
      if (!well) return retry(it, now, heard);
      it.promoted = now;
      return enter(it, it.revoked ? RotationState::confirming : RotationState::draining, now);
    case Act::revoke:
      return take_revoked(it, heard, now);
    case Act::probe_old:
      return take_probe_old(it, traits, heard, now);
    case Act::conclude:
      if (!well) return retry(it, now, heard);
      if (!it.confirmed) it.confirmed = now;
      return enter(it, RotationState::done, now);
    case Act::remove_new:
      if (!well) return retry(it, now, heard);
      it.new_key.clear();
      it.good = 1;  // it is gone
      return;
    case Act::drop_new:
      return well ? end_undoing(it, now) : retry(it, now, heard);
    case Act::destroy:
      if (!well) return retry(it, now, heard);
      it.destroyed = now;
      return enter(it, RotationState::closed, now);
    case Act::wait:
      return;
  }
}

void give_up(Rotation& it, std::string why, Time now) {
  enter(it, RotationState::undoing, now);
  it.doomed = true;
  it.trouble = std::move(why);
}

void undo(Rotation& it, Time now) {
  enter(it, RotationState::undoing, now);
  it.doomed = false;
  // What the old version was waited for to be free of is waited for of the new one.
  if (it.promoted) it.promoted = now;
}

}  // namespace claviger::steward
