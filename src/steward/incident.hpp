// Incidents: what is known of a leaked secret, and, purely, what is to be done next.
//
// detected > contained > accounted > replaced > closed. A state is left only forwards, and each is stamped
// when it is reached. `next_step` says what to do from a row and what was observed; `Incidents`
// (incidents.hpp) does it. After a crash the row and a fresh observation are all that is needed: every step
// may be done again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace claviger::steward {

enum class IncidentState : std::uint8_t { detected, contained, accounted, replaced, closed };
inline constexpr std::size_t kIncidentStates = 5;
std::string_view name_of(IncidentState state);
std::optional<IncidentState> incident_state(std::string_view name);

// Whose secret it is: a virtual key, or a credential in the vault.
enum class Owned : std::uint8_t { key, credential };
std::string_view name_of(Owned owned);

// Why it is believed. inventory: its hash is one of ours. canary: a canary key was used. declared: an
// operator said so.
enum class Proof : std::uint8_t { inventory, canary, declared };
std::string_view name_of(Proof proof);

// What comes first when a leaked provider key has no other credential that could carry its traffic.
enum class Contain : std::uint8_t {
  revoke_first,  // it is withdrawn at once; calls fail until it is replaced
  rotate_first,  // it carries calls until its replacement does, or cannot
};
std::string_view name_of(Contain contain);

// How a secret was contained.
enum class Containment : std::uint8_t {
  none,
  opened_nothing,  // it was no longer good for anything when it was reported
  frozen,          // the key was frozen and its streams cut
  withdrawn,       // the credential was disabled at the gate
  rotated,         // the gate went over to its replacement
};
std::string_view name_of(Containment containment);

struct Incident {
  std::string id;  // "inc_" and 12 characters
  Owned owned = Owned::key;
  std::string subject_id;                          // of the key or credential
  std::int64_t version = 0;                        // which token of the key, which version of the credential
  std::string name, owner, environment, provider;  // as they were when it was detected
  Proof proof = Proof::inventory;
  std::string source;  // who reported it first
  IncidentState state = IncidentState::detected;
  bool drill = false;
  bool ordered = false;  // an operator wants it contained, whatever the policy says
  Containment containment = Containment::none;
  std::string rotation;          // id of the rotation that replaces the credential; empty: none
  std::string rotation_problem;  // why none could be begun, or what a person must end; empty: neither
  Time first_exposed;            // as far as it is known
  std::array<std::optional<Time>, kIncidentStates> reached{};  // by state
  std::int64_t reports = 0;                                    // how often it was reported
  bool accepted = false;              // closed for good: further reports of this secret change nothing
  std::string resolution, closed_by;  // empty until it is closed
  std::string accounting;             // JSON (accounting.hpp); empty until it is accounted

  // "key:ID" or "credential:ID".
  std::string subject() const;
  Time detected() const { return reached[0].value_or(first_exposed); }
  std::optional<Time> when(IncidentState at) const { return reached[static_cast<std::size_t>(at)]; }
};

// How far a rotation has come, as the incident sees it.
enum class RotationStage : std::uint8_t { none, under_way, in_use, done, failed };

// Whether a rotation that ends the leaked version can begin.
enum class Way : std::uint8_t {
  closed,  // none can
  taken,   // another of the credential must end first
  slow,    // that one takes its time, and need not
  open     // it can be begun, or found
};

// Whether the provider may still accept a leaked version that is not in use here any more.
enum class Left : std::uint8_t {
  no,       // it has refused it, or nothing is known of it
  watched,  // it is probed until it is refused
  by_hand   // and it will be when a person has ended it
};

// What was observed of the subject just now.
struct Observation {
  bool opens = false;          // the leaked secret opens something at the gate
  bool replaced = false;       // another secret stands in its place and this one is dead, or nothing needs to
  bool other_carries = false;  // another credential can carry its traffic
  Contain contain = Contain::rotate_first;
  RotationStage rotation = RotationStage::none;
  Way way = Way::closed;  // to a rotation that ends the version
  Left left = Left::no;
  bool leaked_again = false;  // another secret of the subject leaked, and is not replaced yet
  bool disabled = false;      // the credential is withdrawn from the gate
  bool in_flight = false;     // calls that were let in before still go on
};

enum class Step : std::uint8_t {
  wait,            // for a person, a rotation, or an answer
  freeze,          // the key
  withdraw,        // the credential
  rotate,          // begin the emergency rotation
  hasten,          // end the rotation that stands in its way
  note_contained,  // it opens nothing
  account,         // read what was done with it
  note_replaced,
  restore,  // the credential that was withdrawn works again, with its new secret
  call      // a person, who must end the key at its provider
};
std::string_view name_of(Step step);

// What to do next. Pure: the same row and observation give the same step, whenever it is asked.
Step next_step(const Incident& incident, const Observation& seen);

}  // namespace claviger::steward
