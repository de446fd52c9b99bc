// Rotations, traits and answers for the tables that test the machine.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "steward/rotation_plan.hpp"

namespace claviger::steward {

using provider::RotationClass;
using Kind = Heard::Kind;
using State = RotationState;

inline constexpr std::int64_t kMs = 1'000'000;
inline constexpr Time kNow{std::int64_t{1'790'000'000} * 1'000'000'000};

inline Time later(std::int64_t ms) { return {kNow.ns + ms * kMs}; }

inline RotationTraits traits() { return {true, true, true, true}; }

inline Rotation in(State state, RotationMode mode = RotationMode::now) {
  Rotation it;
  it.id = "rot_1";
  it.rotation = RotationClass::create;
  it.mode = mode;
  it.state = state;
  it.old_key = "key_old";
  it.old_version = 1;
  it.looked = true;
  it.good = state == State::planned ? 1 : 0;  // the old key was asked about
  it.deadline = kNever;
  it.next = kNow;
  return it;
}

inline Heard heard(Kind kind, std::string id = {}, std::int64_t version = 0) {
  Heard made;
  made.kind = kind;
  made.id = std::move(id);
  made.version = version;
  if (kind != Kind::done && kind != Kind::gone) made.trouble = "It failed.";
  return made;
}
inline Heard probed(provider::Verdict verdict) {
  Heard made;
  made.verdict = verdict;
  return made;
}

inline Act next(Rotation& it, Time now = kNow, RotationTraits with = traits()) {
  RotationFacts facts;
  facts.now = now;
  return next_act(it, with, facts);
}

}  // namespace claviger::steward
