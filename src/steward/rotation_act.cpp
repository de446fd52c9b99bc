// Rotations as they are carried out: each act that changes something is on record before it is done, and its
// answer is stored before the next.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/wipe.hpp"
#include "steward/alert.hpp"
#include "steward/rotation_look.hpp"

namespace claviger::steward {
namespace {

using provider::Operation;
using provider::RotationClass;
using Kind = Heard::Kind;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::string_view kFile = "file";  // what stands for a provider's id where keys stand in a file

Kind kind_of(provider::Outcome outcome) {
  switch (outcome) {
    case provider::Outcome::done:
      return Kind::done;
    case provider::Outcome::gone:
      return Kind::gone;
    case provider::Outcome::exists:  // made before, by a call whose answer was lost
    case provider::Outcome::again:
      return Kind::again;
    case provider::Outcome::denied:
      return Kind::denied;
    case provider::Outcome::full:
      return Kind::full;
    case provider::Outcome::refused:
      return Kind::refused;
  }
  return Kind::refused;
}

std::int64_t retry_after_ms(const OutsideAnswer& answer) {
  const std::string_view text = answer.header("retry-after");
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return read.ec == std::errc() && seconds > 0 ? std::min(seconds, std::int64_t{86'400}) * 1'000 : 0;
}

Act act_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Act::destroy); ++i)
    if (name_of(static_cast<Act>(i)) == name) return static_cast<Act>(i);
  return Act::create;
}

Heard unwell(Kind kind, std::string trouble) {
  Heard heard;
  heard.kind = kind;
  heard.trouble = std::move(trouble);
  return heard;
}

// The key in use is never ended, whoever has changed the credential meanwhile.
std::string_view held_up(const Rotations::Case& made, Act act) {
  const vault::CredentialVersion* current = made.credential.current();
  const std::int64_t in_use = current == nullptr ? 0 : current->number;
  const bool emergency = made.it.mode == RotationMode::emergency;
  if (act == Act::revoke && !emergency && in_use == made.it.old_version)
    return "The old version was made current again: it is not revoked while it is in use.";
  if (act == Act::remove_new && in_use == made.it.new_version)
    return "The new version was made current: it is not removed while it is in use.";
  return {};
}

bool is_listing(Act act) { return act == Act::look || act == Act::seek || act == Act::identify; }

// When the secret that is replaced in place dies: late enough to verify the new one. A second secret of the
// same rotation replaces one that nobody uses, and that may have leaked.
Time overlap(const Rotation& it, const RotationTraits& traits, Time now) {
  if (it.mode == RotationMode::emergency || it.old_expires) return {now.ns + kUnusedSecretMs * kMs};
  const std::int64_t ms = it.mode == RotationMode::planned ? traits.soak_ms : 0;
  return {now.ns + std::max(ms, traits.verify_ms) * kMs};
}

provider::Values about_of(const Rotation& it, const std::string& name, Act act, const RotationTraits& traits,
                          Time now) {
  provider::Values about;
  if (act == Act::create || act == Act::progress) {
    about["name"] = name;
    about["old_expires"] = format_time(overlap(it, traits, now));
  }
  if (!it.operation.empty()) about["operation"] = it.operation;
  std::string id = it.new_key;
  if (act == Act::clear) id = it.orphan;
  if (act == Act::revoke || (act == Act::create && it.rotation == RotationClass::in_place)) id = it.old_key;
  if (!id.empty()) about["id"] = id;
  return about;
}

}  // namespace

Heard unanswered(const Error& error) {
  Heard heard;
  const bool may_have = error.code == Code::upstream_failed || error.code == Code::upstream_timeout ||
                        error.code == Code::upstream_malformed || error.code == Code::shutting_down;
  heard.kind = may_have ? Kind::lost : error.code == Code::overloaded ? Kind::again : Kind::denied;
  heard.trouble = std::string(told(error));
  return heard;
}

Heard heard_of(const Rotations::Case& made, Operation operation, const OutsideAnswer& answer) {
  Heard heard;
  heard.retry_after_ms = retry_after_ms(answer);
  heard.kind = kind_of(provider::outcome_of(*made.adapter, operation, answer.status, answer.body));
  if (heard.kind != Kind::done && heard.kind != Kind::gone)
    heard.trouble = fmt::format("{} answered {} to '{}'.", made.credential.provider, answer.status,
                                provider::operation_name(operation));
  return heard;
}

void Rotations::move_on(Rotation rotation) {
  auto made = open_case(std::move(rotation));
  if (!made) return;
  Rotation& it = made->it;
  const Time now = parts_.clock.now();
  if (!it.asking.empty()) {
    // The process ended, or could not write, between a call and its answer.
    const Act was = act_of(it.asking);
    take(it, made->traits, was, unwell(Kind::lost, "An answer was lost."), now);
    if (!save(it, fmt::format("{}: the answer was lost", name_of(was)))) return;
  }
  RotationFacts facts{now};
  if (it.state == RotationState::draining) facts.old_in_flight = in_flight(it.credential, it.old_version);
  if (it.state == RotationState::undoing && it.promoted)
    facts.new_in_flight = in_flight(it.credential, it.new_version);
  const RotationState before = it.state;
  const bool by_hand = it.revoke_by_hand;
  const Act next = next_act(it, made->traits, facts);
  if (stuck(it, now)) alert("rotation_stuck", it, it.trouble);
  if (it.state != before) {
    it.updated = now;
    if (!record(fmt::format("rotation.{}", name_of(it.state)), it, "steward")) return;
    if (!save(it, name_of(it.state))) return;
  } else if (it.revoke_by_hand != by_hand) {
    // What a person is to do is read from the row.
    if (!save(it, {})) return;
  }
  if (next != Act::wait) act(std::move(*made), next);
}

void Rotations::act(Case made, Act next) {
  Rotation& it = made.it;
  const Time now = parts_.clock.now();
  if (next == Act::promote || next == Act::conclude || next == Act::drop_new || next == Act::destroy) {
    const RotationState before = it.state;
    const Result<void> done = act_here(made, next);
    if (done && it.state != before)
      (void)record(fmt::format("rotation.{}", name_of(it.state)), it, "steward");
    if (done) return;
    auto kept = get(it.id);
    if (!kept) return;
    take(*kept, made.traits, next, unwell(Kind::again, std::string(told(done.error()))), now);
    (void)save(*kept, {});
    return;
  }
  if (const std::string_view held = held_up(made, next); !held.empty()) {
    take(it, made.traits, next, unwell(Kind::again, std::string(held)), now);
    return void(save(it, {}));
  }
  if (changes(next)) {
    if (next == Act::create && it.nonce.empty()) {
      std::array<std::uint8_t, 8> random{};
      parts_.rng.fill(random);
      it.nonce = hex(random);
    }
    if (next == Act::create) ++it.creates;
    it.asking = name_of(next);
    it.asked = now;
    if (!record(fmt::format("rotation.{}", name_of(next)), it, "steward")) return;
    if (!save(it, fmt::format("{}: asked", name_of(next)))) return;
  }
  busy_.insert(it.id);
  if (it.rotation == RotationClass::self_hosted && next == Act::create) return make_own(std::move(made));
  if (it.rotation == RotationClass::self_hosted && changes(next))
    return write_key_file(std::move(made), next);
  if (is_listing(next)) {
    auto look = std::make_shared<Look>();
    if (it.rotation != RotationClass::slots) return walk(std::move(made), next, std::move(look));
    for (const std::string& slot : made.adapter->slots)
      look->keys.push_back({slot, slot, {}, {}, {}, {}, {}});
    return look_closer(std::move(made), next, std::move(look));
  }
  call(std::move(made), next);
}

// What needs the vault and nobody outside; the row and the vault change in one transaction.
Result<void> Rotations::act_here(Case& made, Act next) {
  Rotation& it = made.it;
  vault::Vault& vault = parts_.vault;
  const Time now = parts_.clock.now();
  const auto also = [&](store::Tx& tx, const vault::Credential&) -> Result<void> {
    take(it, made.traits, next, {}, now);
    // One that has failed is not looked at again: it is told of now, or never.
    if (it.state == RotationState::failed)
      TRY_VOID(note_due(tx, due_alert("rotation_stuck", it, it.trouble)));
    return save_in(tx, it, name_of(it.state));
  };
  const auto state_of = [&](std::int64_t version) {
    const auto found =
        std::ranges::find(made.credential.versions, version, &vault::CredentialVersion::number);
    return found == made.credential.versions.end() ? vault::VersionState::destroyed : found->state;
  };
  const auto alone = [&] {
    return parts_.store.write([&](store::Tx& tx) { return also(tx, made.credential); });
  };
  switch (next) {
    case Act::promote: {
      const bool there = state_of(it.new_version) == vault::VersionState::current;
      const bool wakes =
          it.mode == RotationMode::emergency && made.credential.state == vault::CredentialState::disabled;
      if (!there) {
        TRY(const vault::Credential after,
            vault.publish(it.credential, it.new_version, wakes ? vault::Vault::Also() : also));
      }
      // What containment has stopped may go on with the new key. The row moves last: what fails before is
      // done again.
      if (wakes) TRY_VOID(vault.enable(it.credential));
      if (there || wakes) TRY_VOID(alone());
      unpublished_ = true;
      TRY_VOID(parts_.republish());
      unpublished_ = false;
      return {};
    }
    case Act::conclude: {
      const vault::VersionState old = state_of(it.old_version);
      if (old != vault::VersionState::previous && old != vault::VersionState::revoked) return alone();
      TRY(const vault::Credential after, vault.revoke_version(it.credential, it.old_version, also));
      return {};
    }
    case Act::drop_new: {
      const vault::VersionState was = state_of(it.new_version);
      if (was == vault::VersionState::destroyed || was == vault::VersionState::current) return alone();
      // The provider may accept it yet, or for good: its secret goes when that is over.
      const LeftKey left = make_left(made, now);
      const auto leave = [&](store::Tx& tx, const vault::Credential& after) -> Result<void> {
        TRY_VOID(put_left(tx, left, parts_.epoch));
        return also(tx, after);
      };
      TRY(const vault::Credential after, vault.revoke_version(it.credential, it.new_version, leave));
      return {};
    }
    case Act::destroy: {
      const vault::VersionState was = state_of(it.old_version);
      if (was != vault::VersionState::destroyed && was != vault::VersionState::current) {
        TRY(const vault::Credential after, vault.destroy_version(it.credential, it.old_version));
      }
      return alone();
    }
    default:
      return {};
  }
}

void Rotations::call(Case made, Act next) {
  const std::string id = made.it.id;
  const auto failed = [&](const Error& error) { answered(id, next, unanswered(error)); };
  const auto operation = made.operation(next);
  if (!operation) return failed(Error{Code::invalid_input, Origin::client, {}, "There is no way to ask.", 0});
  const Time now = parts_.clock.now();
  provider::Values about = about_of(made.it, made.key_name(), next, made.traits, now);
  if (made.it.rotation == RotationClass::slots && next == Act::create) {
    const auto spare = std::ranges::find_if(made.adapter->slots,
                                            [&](const std::string& one) { return one != made.it.old_key; });
    about["id"] = *spare;
  }
  const auto asked = provider::call_of(*made.adapter, *operation, made.link, about);
  if (!asked) return failed(asked.error());
  const bool of_new = next == Act::probe_new || next == Act::remove_new || next == Act::clear;
  const Bearer own{made.it.credential, of_new ? made.it.new_version : made.it.old_version};
  const Bearer bearer =
      asked->own_key ? own : Bearer{made.admin ? made.admin->id : std::string(), made.admin_version()};
  auto shared = std::make_shared<Case>(std::move(made));
  envoy_.send(*parts_.outside, *asked, bearer, [this, shared, next, id](Result<OutsideAnswer> answer) {
    if (!answer) return answered(id, next, unanswered(answer.error()));
    if (next == Act::create || next == Act::progress || next == Act::reveal)
      return hear_created(*shared, next, *answer);
    const Operation what = *shared->operation(next);
    Heard heard;
    if (what == Operation::probe)
      heard.verdict = provider::classify(shared->adapter->provider, answer->status, answer->body);
    else
      heard = heard_of(*shared, what, *answer);
    if (what == Operation::propagation && heard.kind == Kind::done)
      if (const auto read = provider::read_propagation(*shared->adapter, answer->body))
        heard.everywhere = *read;
    crypto::wipe(answer->body);  // providers quote parts of keys
    answered(id, next, heard);
  });
}

// A creation's answer: the secret in it is stored before anything else is done.
void Rotations::hear_created(const Case& made, Act act, OutsideAnswer& answer) {
  const Rotation& it = made.it;
  const Operation what = *made.operation(act);
  Heard heard = heard_of(made, what, answer);
  if (heard.kind != Kind::done) {
    crypto::wipe(answer.body);
    return answered(it.id, act, heard);
  }
  provider::Values about = about_of(it, made.key_name(), act, made.traits, it.asked);
  if (it.rotation == RotationClass::slots) {
    const auto spare =
        std::ranges::find_if(made.adapter->slots, [&](const std::string& one) { return one != it.old_key; });
    about["id"] = heard.id = *spare;
  }
  auto created = provider::read_created(*made.adapter, what, about, answer.body);
  crypto::wipe(answer.body);
  if (!created) return answered(it.id, act, unanswered(created.error()));
  if (!created->id.empty()) heard.id = created->id;
  heard.operation = created->operation;
  if (it.rotation == RotationClass::in_place) {
    heard.id = it.old_key;
    heard.old_expires = overlap(it, made.traits, it.asked);
  }
  if (created->secret.empty()) return answered(it.id, act, heard);
  keep_secret(made, act, heard, std::move(created->secret));
}

void Rotations::keep_secret(Case made, Act act, const Heard& heard, std::string text) {
  const Secret secret = Secret::take(text);
  auto it = get(made.it.id);
  if (!it) return void(busy_.erase(made.it.id));
  if (it->state != RotationState::creating) return answered(made.it.id, act, heard);
  Heard kept = heard;
  const auto also = [&](store::Tx& tx, const vault::Credential& after) -> Result<void> {
    kept.version = after.versions.back().number;
    take(*it, made.traits, act, kept, parts_.clock.now());
    return save_in(tx, *it, name_of(it->state));
  };
  const auto stored = parts_.vault.add_version(made.it.credential, secret, vault::Publish::later, also);
  if (stored) {
    busy_.erase(made.it.id);
    (void)record("rotation.verifying", *it, "steward");
    return move_on(std::move(*it));
  }
  // It cannot be kept, so that it must not stay alive: it is found by its name, and removed.
  Heard lost;
  lost.kind = Kind::lost;
  lost.trouble = fmt::format("The new secret could not be stored: {}", told(stored.error()));
  answered(made.it.id, act, lost);
}

void Rotations::answered(const std::string& id, Act act, const Heard& heard) {
  busy_.erase(id);
  auto it = get(id);
  if (!it) return;  // with `asking` on its row, it is heard of as lost
  auto made = open_case(std::move(*it));
  if (!made) return;
  Rotation& rotation = made->it;
  const RotationState before = rotation.state;
  take(rotation, made->traits, act, heard, parts_.clock.now());
  const bool moved = rotation.state != before;
  std::string what;
  if (changes(act))
    what = fmt::format("{}: {}", name_of(act), heard.trouble.empty() ? "done" : heard.trouble);
  if (moved) what = std::string(name_of(rotation.state));
  if (moved) (void)record(fmt::format("rotation.{}", what), rotation, "steward");
  // The end of the old key is on the vault's record in the moment it is known.
  if (act == Act::revoke && moved && rotation.new_version != 0) {
    const auto also = [&](store::Tx& tx, const vault::Credential&) { return save_in(tx, rotation, what); };
    if (parts_.vault.revoke_version(rotation.credential, rotation.old_version, also))
      return move_on(std::move(rotation));
  }
  if (save(rotation, what)) move_on(std::move(rotation));
}

// The secret of a server of the operator's own is made here: stored first, then written.
void Rotations::make_own(Case made) {
  Rotation& it = made.it;
  if (it.new_version == 0) {
    const Secret secret = envoy_.make_secret();
    const auto also = [&](store::Tx& tx, const vault::Credential& after) -> Result<void> {
      it.new_version = after.versions.back().number;
      it.new_key = kFile;
      return save_in(tx, it, "stored");
    };
    const auto stored = parts_.vault.add_version(it.credential, secret, vault::Publish::later, also);
    if (!stored) return answered(it.id, Act::create, unwell(Kind::again, std::string(told(stored.error()))));
  }
  write_key_file(std::move(made), Act::create);
}

void Rotations::write_key_file(Case made, Act next) {
  const Rotation& it = made.it;
  const auto file = settings_.key_files.find(made.credential.name);
  const std::string id = it.id;
  const auto failed = [&](std::string why) { answered(id, next, unwell(Kind::again, std::move(why))); };
  if (file == settings_.key_files.end() || parts_.key_files == nullptr)
    return failed("The configuration names no key file for this credential any more.");
  // In an emergency the old one goes before there is a new one, and does not come back with it.
  std::vector<std::int64_t> versions;
  if (next != Act::revoke && !it.revoked) versions.push_back(it.old_version);
  if (next != Act::remove_new && it.new_version != 0) versions.push_back(it.new_version);
  auto fresh = parts_.vault.get(it.credential);
  if (!fresh) return failed(std::string(told(fresh.error())));
  auto lines = envoy_.lines(*fresh, versions);
  if (!lines) return failed(std::string(told(lines.error())));
  const std::int64_t version = it.new_version;
  parts_.key_files->replace(file->second, std::move(*lines), [this, id, next, version](Result<void> done) {
    Heard heard;
    heard.id = kFile;
    if (next == Act::create) heard.version = version;
    if (!done) heard = unwell(Kind::again, std::string(told(done.error())));
    answered(id, next, heard);
  });
}

}  // namespace claviger::steward
