// Credentials and their versions from the first to the shredder. Each change is one transaction.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "crypto/hash.hpp"
#include "vault/opened.hpp"
#include "vault/rows.hpp"
#include "vault/sealing.hpp"

namespace claviger::vault {
namespace {

std::string new_id(Rng& rng) {
  std::array<std::uint8_t, 8> random{};
  rng.fill(random);
  return "cred_" + base62(random, 11);
}

ByteView bytes_of(const Secret& secret, const SecretAccess& access) {
  const std::span<const char> text = secret.open(access);
  return as_bytes({text.data(), text.size()});
}

Result<void> check_alive(const Credential& it) {
  if (it.state != CredentialState::destroyed) return {};
  return refuse(Code::conflict, fmt::format("The credential '{}' is destroyed.", it.name));
}

// The version, when it is in one of `allowed`.
Result<void> check_version(const Credential& it, std::int64_t number,
                           std::initializer_list<VersionState> allowed) {
  const auto found = std::ranges::find(it.versions, number, &CredentialVersion::number);
  if (found == it.versions.end())
    return refuse(Code::not_found, fmt::format("The credential '{}' has no version {}.", it.name, number));
  if (std::ranges::find(allowed, found->state) != allowed.end()) return {};
  return refuse(Code::conflict, fmt::format("Version {} of '{}' is {}, which does not allow this.", number,
                                            it.name, name_of(found->state)));
}

// Of the versions kept as previous the one that was current last.
const CredentialVersion* last_previous(const Credential& it) {
  const CredentialVersion* best = nullptr;
  for (const CredentialVersion& version : it.versions) {
    if (version.state != VersionState::previous || version.transitions.empty()) continue;
    // Equal times are told apart by the number: the later version was published later.
    if (best == nullptr || version.transitions.back().at >= best->transitions.back().at) best = &version;
  }
  return best;
}

Result<void> demote_current(store::Tx& tx, const Credential& it, Time at) {
  const CredentialVersion* current = it.current();
  return current == nullptr ? Result<void>()
                            : move_version(tx, it.id, current->number, VersionState::previous, at);
}

}  // namespace

Result<void> Vault::insert_sealed(store::Tx& tx, const Credential& it, VersionState state,
                                  const Secret& secret) {
  const SecretAccess access;
  const ByteView plain = bytes_of(secret, access);
  CredentialVersion version;
  version.number = it.versions.empty() ? 1 : it.versions.back().number + 1;
  version.state = state;
  version.created = clock_.now();
  version.sha256 = fingerprint(as_text(plain));
  const auto same = std::ranges::find(it.versions, version.sha256, &CredentialVersion::sha256);
  if (same != it.versions.end())
    return refuse(Code::conflict,
                  fmt::format("This is the secret of version {} of '{}' already: a new version needs "
                              "a new secret.",
                              same->number, it.name));
  TRY(const std::int64_t term, newest_term(tx));
  TRY(const crypto::Key kek, term_key(term));
  const SealedVersion sealed = seal_version({store_id_, it, version.number}, term, kek, plain, rng_);
  TRY_VOID(insert_version(tx, it.id, version, sealed));
  return tag_version(tx, it.id, version.number, plain);
}

Result<Credential> Vault::add(const NewCredential& asked, const Secret& secret) {
  TRY(const NewCredential made, normalised(asked));
  TRY_VOID(check_secret(secret, SecretAccess()));
  Credential it;
  TRY_VOID(store_.write([&](store::Tx& tx) -> Result<void> {
    Credential fresh{.id = new_id(rng_),
                     .name = made.name,
                     .provider = made.provider,
                     .environment = made.environment,
                     .base_url = made.base_url,
                     .origins = made.origins,
                     .owner = made.owner,
                     .rotate_days = made.rotate_days,
                     .spend_alert = made.spend_alert,
                     .kind = made.kind,
                     .state = CredentialState::enabled,
                     .created = clock_.now(),
                     .versions = {},
                     .setting = {}};
    TRY(fresh.setting, changed({}, made.setting));
    TRY_VOID(insert_credential(tx, fresh));
    TRY_VOID(insert_sealed(tx, fresh, VersionState::current, secret));
    TRY(it, load(tx, fresh.id));
    return {};
  }));
  return it;
}

Result<Credential> Vault::change(std::string_view credential, const Change& work, const Also& also) {
  std::string id;
  Credential after;
  const auto done = store_.write([&](store::Tx& tx) -> Result<void> {
    TRY(const Credential before, load(tx, credential));
    id = before.id;
    if (before.damaged) return fail(Code::corrupt, fmt::format("the row of {} is damaged", before.id));
    TRY_VOID(work(tx, before));
    TRY(after, load(tx, id));
    return also ? also(tx, after) : Result<void>{};
  });
  // Also after a failure: a commit may have happened although its report was lost.
  if (!id.empty()) cache_->forget(id);
  if (!done) return std::unexpected(done.error());
  return after;
}

Result<Credential> Vault::add_version(std::string_view credential, const Secret& secret, Publish publish,
                                      const Also& also) {
  TRY_VOID(check_secret(secret, SecretAccess()));
  const auto work = [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_alive(it));
    if (publish == Publish::now) {
      TRY_VOID(demote_current(tx, it, clock_.now()));
      return insert_sealed(tx, it, VersionState::current, secret);
    }
    const auto pending = std::ranges::find(it.versions, VersionState::pending, &CredentialVersion::state);
    if (pending != it.versions.end())
      return refuse(Code::conflict, fmt::format("Version {} of '{}' is pending: publish or destroy it first.",
                                                pending->number, it.name));
    return insert_sealed(tx, it, VersionState::pending, secret);
  };
  return change(credential, work, also);
}

Result<Credential> Vault::publish(std::string_view credential, std::int64_t version, const Also& also) {
  const auto work = [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_version(it, version, {VersionState::pending}));
    TRY_VOID(demote_current(tx, it, clock_.now()));
    return move_version(tx, it.id, version, VersionState::current, clock_.now());
  };
  return change(credential, work, also);
}

Result<Credential> Vault::restore(std::string_view credential, std::int64_t version, const Also& also) {
  const auto work = [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_alive(it));
    TRY_VOID(check_version(it, version, {VersionState::previous}));
    TRY_VOID(demote_current(tx, it, clock_.now()));
    return move_version(tx, it.id, version, VersionState::current, clock_.now());
  };
  return change(credential, work, also);
}

Result<Credential> Vault::rollback(std::string_view credential) {
  return change(credential, [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_alive(it));
    const CredentialVersion* target = last_previous(it);
    if (target == nullptr)
      return refuse(Code::conflict, fmt::format("The credential '{}' has no previous version.", it.name));
    TRY_VOID(demote_current(tx, it, clock_.now()));
    return move_version(tx, it.id, target->number, VersionState::current, clock_.now());
  });
}

Result<Credential> Vault::revoke_version(std::string_view credential, std::int64_t version,
                                         const Also& also) {
  const auto work = [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(
        check_version(it, version, {VersionState::pending, VersionState::previous, VersionState::revoked}));
    const auto found = std::ranges::find(it.versions, version, &CredentialVersion::number);
    if (found->state == VersionState::revoked) return {};
    return move_version(tx, it.id, version, VersionState::revoked, clock_.now());
  };
  return change(credential, work, also);
}

Result<Credential> Vault::destroy_where(std::string_view credential, const Change& work) {
  TRY(Credential after, change(credential, work));
  TRY_VOID(store_.scrub());
  return after;
}

Result<Credential> Vault::destroy_version(std::string_view credential, std::int64_t version) {
  return destroy_where(credential, [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_version(
        it, version,
        {VersionState::pending, VersionState::previous, VersionState::revoked, VersionState::destroyed}));
    TRY_VOID(shred(tx, it.id, version));
    const auto found = std::ranges::find(it.versions, version, &CredentialVersion::number);
    if (found->state == VersionState::destroyed)
      return {};  // asked again, after the files could not be scrubbed
    return move_version(tx, it.id, version, VersionState::destroyed, clock_.now());
  });
}

Result<Credential> Vault::destroy(std::string_view credential) {
  return destroy_where(credential, [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(shred(tx, it.id, std::nullopt));
    for (const CredentialVersion& version : it.versions)
      if (version.state != VersionState::destroyed)
        TRY_VOID(move_version(tx, it.id, version.number, VersionState::destroyed, clock_.now()));
    return set_state(tx, it.id, CredentialState::destroyed);
  });
}

Result<Credential> Vault::disable(std::string_view credential) {
  return change(credential, [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_alive(it));
    return set_state(tx, it.id, CredentialState::disabled);
  });
}

Result<Credential> Vault::enable(std::string_view credential) {
  return change(credential, [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_alive(it));
    return set_state(tx, it.id, CredentialState::enabled);
  });
}

Result<Credential> Vault::set(std::string_view credential, const SettingChange& asked) {
  return change(credential, [&](store::Tx& tx, const Credential& it) -> Result<void> {
    TRY_VOID(check_alive(it));
    TRY(const Setting setting, changed(it.setting, asked));
    return put_setting(tx, it.id, setting);
  });
}

Result<Credential> Vault::get(std::string_view credential) const {
  Credential it;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(it, load(tx, credential));
    return {};
  }));
  return it;
}

Result<std::vector<Credential>> Vault::list() const {
  std::vector<Credential> all;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(all, load_all(tx));
    return {};
  }));
  return all;
}

}  // namespace claviger::vault
