// Opening a secret for use: the one way from the vault to an outgoing buffer.
#include <fmt/format.h>

#include <algorithm>

#include "vault/opened.hpp"
#include "vault/rows.hpp"
#include "vault/sealing.hpp"

namespace claviger::vault {
namespace {

constexpr int kReadAttempts = 8;  // a change between read and use makes another attempt; changes are rare

std::unexpected<Error> unavailable(std::string detail) {
  return fail_upstream(Code::credential_unavailable, std::move(detail));
}

// Fast when `origin` is in normal form already, as routes keep it.
Result<void> check_origin(const std::vector<std::string>& allowed, std::string_view id,
                          std::string_view origin) {
  if (std::ranges::find(allowed, origin) != allowed.end()) return {};
  const auto normal = parse_origin(origin, PlainHttp::allowed);
  if (normal && std::ranges::find(allowed, *normal) != allowed.end()) return {};
  return fail_upstream(Code::origin_mismatch, fmt::format("{} may not go to {}", id, origin));
}

void append_to(std::string& out, std::string_view secret) {
  const std::size_t size = out.size() + secret.size() + Vault::kAfterSecret;
  if (out.capacity() < size) out.reserve(size);
  out.append(secret);
}

}  // namespace

Result<crypto::WipedBytes> Vault::open_stored(store::Tx& tx, const Credential& it,
                                              std::int64_t version) const {
  TRY(const SealedVersion sealed, load_sealed(tx, it.id, version));
  TRY(const crypto::Key kek, term_key(sealed.term));
  return open_version({store_id_, it, version}, sealed, kek);
}

Result<Vault::Opened> Vault::open_for_use(std::string_view id) const {
  Opened opened;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    auto it = load(tx, id);
    if (!it && it.error().code == Code::not_found)
      return unavailable(fmt::format("{} is not in the vault", id));
    if (!it) return std::unexpected(it.error());
    if (it->id != id) return unavailable(fmt::format("{} is a name, not an id", id));
    if (it->damaged) return fail(Code::corrupt, fmt::format("the row of {} is damaged", id));
    if (it->state != CredentialState::enabled)
      return unavailable(fmt::format("{} is {}", id, name_of(it->state)));
    const CredentialVersion* current = it->current();
    if (current == nullptr) return unavailable(fmt::format("{} has no current version", id));
    TRY(opened.secret, open_stored(tx, *it, current->number));
    opened.version = current->number;
    opened.origins = it->origins;
    return {};
  }));
  return opened;
}

Result<std::int64_t> Vault::append_secret(std::string_view id, std::string_view origin, std::string& out,
                                          const SecretAccess& access) {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    std::uint64_t generation = 0;
    {
      const store::Lock lock(cache_->mutex);
      generation = cache_->generation;
      if (const auto found = cache_->entries.find(id); found != cache_->entries.end()) {
        TRY_VOID(check_origin(found->second.origins, id, origin));
        const std::span<const char> secret = found->second.secret.open(access);
        append_to(out, {secret.data(), secret.size()});
        return found->second.version;
      }
    }
    TRY(const Opened opened, open_for_use(id));
    TRY_VOID(check_origin(opened.origins, id, origin));
    const std::string_view secret = as_text(opened.secret);
    const store::Lock lock(cache_->mutex);
    if (cache_->generation != generation) continue;  // what was read may be what was just taken away
    auto cell = arena_.hold(secret);
    while (!cell && !cache_->entries.empty()) {
      cache_->entries.erase(cache_->entries.begin());  // any: it is opened again when it is needed
      cell = arena_.hold(secret);
    }
    if (cell)
      cache_->entries.insert_or_assign(std::string(id),
                                       Cache::Entry{opened.version, opened.origins, std::move(*cell)});
    append_to(out, secret);
    return opened.version;
  }
  return fail(Code::store_unavailable, fmt::format("{} kept changing while it was opened", id));
}

Result<void> Vault::append_version(std::string_view id, std::int64_t version, std::string_view origin,
                                   std::string& out, const SecretAccess& /*access*/) {
  crypto::WipedBytes secret;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    auto it = load(tx, id);
    if (!it && it.error().code != Code::not_found) return std::unexpected(it.error());
    if (!it || it->id != id || it->state == CredentialState::destroyed)
      return unavailable(fmt::format("{} has no secret", id));
    if (it->damaged) return fail(Code::corrupt, fmt::format("the row of {} is damaged", id));
    const auto found = std::ranges::find(it->versions, version, &CredentialVersion::number);
    if (found == it->versions.end() || found->state == VersionState::destroyed)
      return unavailable(fmt::format("{} has no version {} with a secret", id, version));
    TRY_VOID(check_origin(it->origins, id, origin));
    TRY(secret, open_stored(tx, *it, version));
    return {};
  }));
  append_to(out, as_text(secret));
  return {};
}

Result<std::vector<std::string>> Vault::damaged_rows() {
  std::vector<std::string> damaged;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(const std::vector<Credential> all, load_all(tx));
    for (const Credential& it : all) {
      if (it.damaged) damaged.push_back(it.id);
      for (const CredentialVersion& version : it.versions) {
        if (version.state == VersionState::destroyed) continue;
        const auto opened = open_stored(tx, it, version.number);
        if (!opened && opened.error().code != Code::corrupt) return std::unexpected(opened.error());
        if (!opened) damaged.push_back(fmt::format("{} version {}", it.id, version.number));
      }
    }
    return {};
  }));
  return damaged;
}

}  // namespace claviger::vault
