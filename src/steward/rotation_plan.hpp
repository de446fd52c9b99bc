// A rotation as a value, and the pure decision of what comes next. No I/O, no clock: tables test it.
//
// planned > creating | waiting > verifying > draining > revoking > confirming > done > closed, each state a
// row on disk. In an emergency: planned > revoking > confirming > creating ... > done. A rollback leads to
// undoing > undone, what cannot succeed to undoing > failed; neither ever ends with less than one key that
// was found valid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "provider/admin.hpp"
#include "provider/verdict.hpp"

namespace claviger::steward {

enum class RotationMode : std::uint8_t {
  planned,   // the old key is kept for a while, so that the rotation can be undone
  now,       // the old key is revoked as soon as nothing uses it
  emergency  // the old key is revoked first
};
std::string_view name_of(RotationMode mode);

enum class RotationState : std::uint8_t {
  planned,     // the provider's list of keys is looked at
  creating,    // the new key is asked for
  waiting,     // a person is to create it and to hand in its secret
  verifying,   // the new secret is stored; it is probed until the provider knows it everywhere
  draining,    // the new key carries all new calls; the old one's end
  revoking,    // the old key is being ended at the provider
  confirming,  // the old key is probed until the provider refuses it
  done,        // the old key is dead; its secret is kept for a while
  closed,      // and destroyed
  undoing,     // the new key is being taken back
  undone,      // the old key is in use as before, because somebody wanted it so
  failed       // and because it could not be done
};
inline constexpr std::size_t kRotationStates = 12;
std::string_view name_of(RotationState state);
// Nothing further will happen, but for the destruction of a dead secret.
bool over(RotationState state);

struct Rotation {
  std::string id;          // "rot_" and 11 characters
  std::string credential;  // id
  provider::RotationClass rotation = provider::RotationClass::human;
  RotationMode mode = RotationMode::planned;
  RotationState state = RotationState::planned;
  std::string reason, started_by;
  std::string nonce;                              // in the name of the key that is asked for now
  std::string old_key, new_key;                   // the provider's ids; empty: not known
  std::int64_t old_version = 0, new_version = 0;  // in the vault; 0: none yet
  std::string operation;                          // of the provider, while a creation goes on there
  std::string orphan;                             // a key whose secret was lost, to be removed
  // A call that changes something at the provider and is not answered: its name, and when it was made.
  std::string asking;
  Time asked;
  std::optional<Time> old_expires;  // class in_place: when the secret in use dies by itself
  bool looked = false;              // the old key was looked for in the list
  bool seeking = false;             // a creation was not answered: its key is looked for
  bool revoke_by_hand = false;      // nobody but a person can end the old key
  bool doomed = false;              // undoing leads to failed, not to undone
  int creates = 0, looks = 0;       // keys asked for; looks in the list for one
  int good = 0, bad = 0;            // answers in a row that found the new key valid, the old one dead
  int tries = 0;                    // failures in a row
  Time next;                        // nothing is done before
  Time deadline;                    // of the state, where it has one
  std::optional<Time> promoted, drained, revoked, confirmed, destroyed;
  Time started, updated;
  std::string trouble;  // what stands in the way, in a sentence; never a secret
};

// Whether another rotation of the same credential must wait for this one: until the new key carries all calls
// and the old one's end is only watched.
bool obstructs(const Rotation& rotation);
// Whether it has put this version into use and waits only so that it can be undone.
bool soaks(const Rotation& rotation, std::int64_t version);

// What does not change while a rotation goes on: the provider, and the operator's wishes.
struct RotationTraits {
  bool lists = false;      // keys can be listed
  bool removes = false;    // a key can be ended by API
  bool shows = false;      // the list shows enough of a secret to tell its key
  bool probes = false;     // there is a way to ask whether a key works
  bool spreads = false;    // and one to ask whether a new secret is known everywhere
  bool by_secret = false;  // a key is ended with its own secret: its id need not be known
  std::int64_t probe_ms = limits::kRotationProbeMs;
  std::int64_t verify_ms = limits::kRotationVerifyMs;
  std::int64_t list_ms = limits::kRotationListMs;
  std::int64_t quiet_ms = limits::kRotationQuietMs;
  std::int64_t soak_ms = limits::kRotationSoakMs;
  std::int64_t retain_ms = limits::kRotationRetainMs;
};

// A secret in place that nobody uses, and that may have leaked, lives so long beside the one that follows it.
inline constexpr std::int64_t kUnusedSecretMs = 60'000;

// What was seen just now. Of the versions only while something waits for it.
struct RotationFacts {
  Time now;
  bool old_in_flight = false, new_in_flight = false;
};

enum class Act : std::uint8_t {
  wait,      // until Rotation::next, or for a person
  look,      // find the old key in the list
  create,    // ask for the new key: with a fresh nonce
  progress,  // of that
  reveal,    // read the new key's secret
  seek,      // find the key of an unanswered creation
  clear,     // remove it
  identify,  // find the key that a person has created: to use it, or to end it
  probe_new,
  propagation,  // is the new secret known everywhere?
  promote,      // locally: the new version becomes current
  revoke,
  probe_old,
  conclude,  // locally: the old version is revoked in the vault, too
  remove_new,
  drop_new,  // locally: the new version's secret is destroyed
  destroy    // locally: the old version's
};
std::string_view name_of(Act act);
// Whether it changes something at the provider, so that it must be on record before it is done.
bool changes(Act act);

// Moves the rotation through the states that need nothing from outside and says what to do next.
Act next_act(Rotation& rotation, const RotationTraits& traits, const RotationFacts& facts);

// What became of an act.
struct Heard {
  enum class Kind : std::uint8_t {
    done,
    gone,     // there is no such key (any more)
    again,    // it may have happened, or not: ask again later
    denied,   // the admin credential was refused
    full,     // no more keys are allowed
    refused,  // asking again does not help
    lost      // no answer: it may have happened, or not
  };
  Kind kind = Kind::done;
  std::string id;            // of the key that was made or found
  std::string operation;     // the creation goes on
  std::int64_t version = 0;  // the secret is stored as this one
  std::optional<Time> old_expires;
  provider::Verdict verdict = provider::Verdict::unknown;  // of a probe
  std::optional<bool> everywhere;                          // of propagation; nothing: it cannot be read
  std::int64_t retry_after_ms = 0;
  std::string trouble;  // in a sentence, when something went wrong
};
void take(Rotation& rotation, const RotationTraits& traits, Act act, const Heard& heard, Time now);

// Whether the new key may live on, and nothing that a rotation can do ends it: it was not removed by API.
bool leaves_key(const Rotation& rotation);
// What a person is to do about it.
std::string_view left_sentence(const Rotation& rotation);
// A person has ended what it left, or the provider refuses it: nobody need be asked any more.
void left_ended(Rotation& rotation);

// Gives up and takes back what was made.
void give_up(Rotation& rotation, std::string why, Time now);
// Takes back what was made, because somebody wants it so; the old version is current again.
void undo(Rotation& rotation, Time now);
// Whether it can still be undone.
bool can_roll_back(const Rotation& rotation);
// Failures enough that somebody should be told.
bool stuck(const Rotation& rotation, Time now);

}  // namespace claviger::steward
