// Keys that rotations have left: probed until their provider refuses them, then destroyed here.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/wipe.hpp"
#include "steward/alert.hpp"
#include "steward/rotation_look.hpp"

namespace claviger::steward {
namespace {

std::string busy_name(const LeftKey& key) { return fmt::format("{}/{}", key.credential, key.version); }

}  // namespace

// What the rotation's undoing leaves.
LeftKey Rotations::make_left(const Case& made, Time now) const {
  LeftKey key;
  key.credential = made.it.credential;
  key.version = made.it.new_version;
  key.rotation = made.it.id;
  key.removed = !leaves_key(made.it) && made.it.rotation != provider::RotationClass::in_place;
  key.since = now;
  key.next = now;
  return key;
}

Result<std::vector<LeftKey>> Rotations::left_by(const Rotation& rotation) const {
  std::vector<LeftKey> all;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(all, load_left(tx, rotation.credential));
    return {};
  }));
  std::erase_if(all, [&](const LeftKey& key) { return key.rotation != rotation.id; });
  return all;
}

Result<Left> Rotations::left_of(std::string_view credential_id, std::int64_t version) const {
  std::vector<LeftKey> keys;
  std::vector<Rotation> rotations;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(keys, load_left(tx, credential_id));
    TRY(rotations, load_rotations(tx, credential_id, Which::all));
    return {};
  }));
  // The end of the key it replaces is asked for, and not confirmed.
  const bool ending = std::ranges::any_of(rotations, [&](const Rotation& it) {
    return it.old_version == version && it.revoked && !it.confirmed && !over(it.state);
  });
  const auto key = std::ranges::find(keys, version, &LeftKey::version);
  if (key == keys.end()) return ending ? Left::watched : Left::no;
  const auto by = std::ranges::find(rotations, key->rotation, &Rotation::id);
  const bool nobody = !key->removed && by != rotations.end() &&
                      (by->state == RotationState::failed || by->state == RotationState::undone);
  return nobody || lingers(*key, parts_.clock.now()) ? Left::by_hand : Left::watched;
}

Result<Rotation> Rotations::ended(std::string_view id, std::string_view actor) {
  TRY(const Rotation it, get(id));
  TRY(auto keys, left_by(it));
  if (keys.empty())
    return refuse(Code::conflict, fmt::format("The rotation '{}' has left no key behind.", it.id));
  TRY_VOID(record("rotation.ended", it, actor));
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    for (LeftKey& key : keys) {
      ask_again(key, parts_.clock.now());
      TRY_VOID(put_left(tx, key, parts_.epoch));
    }
    return add_event(tx, it.id, parts_.clock.now(), "a person says that the key it left is gone");
  }));
  return it;
}

// What a person is to do about them; empty when nothing waits for one.
Result<std::vector<std::string>> Rotations::left_to_do(const Rotation& rotation) const {
  std::vector<std::string> lines;
  TRY(const auto keys, left_by(rotation));
  for (const LeftKey& key : keys) {
    TRY(const Left left, left_of(key.credential, key.version));
    if (left != Left::by_hand) continue;
    const bool in_place = rotation.rotation == provider::RotationClass::in_place;
    const std::string which =
        rotation.new_key.empty() ? fmt::format("whose secret is version {}", key.version) : rotation.new_key;
    lines.push_back(in_place ? fmt::format("Begin anew: claviger rotation resume {}. Or delete the key {}.",
                                           rotation.id, which)
                             : fmt::format("Delete the key {}: nothing uses it.", which));
    lines.push_back(fmt::format(
        "It is probed until the provider refuses it; at once when you say so: claviger rotation ended {}.",
        rotation.id));
  }
  if (lines.empty()) return lines;
  TRY(const Case made, open_case(rotation));
  if (!made.adapter->console_url.empty())
    lines.insert(lines.begin(), "Open " + made.adapter->console_url + ".");
  return lines;
}

void Rotations::look_after_left() {
  std::vector<LeftKey> keys;
  const auto read = parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(keys, load_left(tx));
    return {};
  });
  if (!read) return;
  const Time now = parts_.clock.now();
  for (LeftKey& key : keys) {
    if (busy_.contains(busy_name(key))) continue;
    if (dead(key))
      (void)forget(key);
    else if (now >= key.next)
      probe_left(std::move(key));
  }
}

void Rotations::probe_left(LeftKey key) {
  const auto credential = parts_.vault.get(key.credential);
  if (!credential) return;
  const auto version =
      std::ranges::find(credential->versions, key.version, &vault::CredentialVersion::number);
  // An operator has destroyed it: there is nothing to ask with.
  const bool gone = version == credential->versions.end() || version->state == vault::VersionState::destroyed;
  if (gone) return void(forget(key));
  Rotation draft;
  draft.credential = key.credential;
  const auto made = open_case(std::move(draft));
  if (!made) return;
  const RotationTraits traits = made->traits;
  const auto failed = [&](const Error& error) { heard_of_left(key, traits, unanswered(error)); };
  const auto asked = provider::call_of(*made->adapter, provider::Operation::probe, made->link, {});
  if (!asked) return failed(asked.error());
  busy_.insert(busy_name(key));
  envoy_.send(*parts_.outside, *asked, {key.credential, key.version},
              [this, key, traits, by = made->adapter->provider](Result<OutsideAnswer> answer) {
                busy_.erase(busy_name(key));
                if (!answer) return heard_of_left(key, traits, unanswered(answer.error()));
                Heard heard;
                heard.verdict = provider::classify(by, answer->status, answer->body);
                crypto::wipe(answer->body);  // providers quote parts of keys
                heard_of_left(key, traits, heard);
              });
}

void Rotations::heard_of_left(LeftKey key, const RotationTraits& traits, const Heard& heard) {
  hear(key, traits, heard, parts_.clock.now());
  const auto kept = parts_.store.write([&](store::Tx& tx) { return put_left(tx, key, parts_.epoch); });
  if (!kept) return;
  if (dead(key)) return void(forget(key));
  if (!lingers(key, parts_.clock.now())) return;
  const auto it = get(key.rotation);
  if (it)
    alert("rotation_stuck", *it,
          fmt::format("Version {} was taken back, and the provider still accepts it: delete its key there.",
                      key.version));
}

// It is dead. The secret first: what fails behind it is done again.
Result<void> Rotations::forget(const LeftKey& key) {
  TRY(const vault::Credential credential, parts_.vault.get(key.credential));
  const auto version = std::ranges::find(credential.versions, key.version, &vault::CredentialVersion::number);
  if (version != credential.versions.end() && version->state == vault::VersionState::revoked) {
    TRY(const vault::Credential after, parts_.vault.destroy_version(key.credential, key.version));
  }
  TRY(Rotation it, get(key.rotation));
  TRY(const auto all, left_by(it));
  TRY_VOID(record("rotation.left_dead", it, "steward"));
  if (all.size() == 1) left_ended(it);
  return parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(forget_left(tx, key));
    return save_in(tx, it, fmt::format("version {}: taken back and dead", key.version));
  });
}

}  // namespace claviger::steward
