// Keys, their secrets, and from when to when each secret is accepted.
#include "sandbox/admin_keys.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "crypto/hash.hpp"

namespace claviger::sandbox {
namespace {

Time later(Time now, std::int64_t ms) { return now + std::chrono::milliseconds(ms); }

}  // namespace

void AdminKeys::issue(const std::string& secret, std::size_t key, Time now) {
  secrets_[secret] = {key, later(now, manners.create_delay_ms), kNever};
  hashes_[hex(crypto::sha256(secret))] = key;
}

const AdminKey* AdminKeys::by_sha256(std::string_view sha256) const {
  const auto at = hashes_.find(sha256);
  return at == hashes_.end() ? nullptr : &keys_[at->second];
}

AdminKey* AdminKeys::add(AdminKey key, Time now) {
  if (keys_.size() >= limits::kDoubleKeys) return nullptr;
  key.created = now;
  key.listed_from = later(now, manners.list_lag_ms);
  issue(key.secret, keys_.size(), now);
  return &keys_.emplace_back(std::move(key));
}

AdminKey* AdminKeys::find(std::string_view provider, std::string_view id) {
  const auto at = std::ranges::find_if(
      keys_, [&](const AdminKey& key) { return key.provider == provider && key.id == id && !key.removed; });
  return at == keys_.end() ? nullptr : &*at;
}

std::vector<AdminKey*> AdminKeys::listed(std::string_view provider, std::string_view owner, Time now) {
  std::vector<AdminKey*> out;
  for (AdminKey& key : keys_)
    if (key.provider == provider && (owner.empty() || key.owner == owner) && key.listed_from <= now &&
        now < key.listed_until)
      out.push_back(&key);
  return out;
}

std::size_t AdminKeys::live(std::string_view provider, std::string_view owner) const {
  return static_cast<std::size_t>(std::ranges::count_if(keys_, [&](const AdminKey& key) {
    return key.provider == provider && key.owner == owner && !key.removed;
  }));
}

void AdminKeys::renew(AdminKey& key, std::string secret, Time old_until, Time now) {
  Issued& old = secrets_[key.secret];
  old.until = std::min(old.until, later(std::max(old_until, now), manners.delete_delay_ms));
  const std::size_t index = old.key;
  key.secret = std::move(secret);
  issue(key.secret, index, now);
}

void AdminKeys::disable(AdminKey& key, Time now) {
  if (key.disabled) return;
  key.disabled = true;
  for (auto& [secret, issued] : secrets_)
    if (&keys_[issued.key] == &key)
      issued.until = std::min(issued.until, later(now, manners.disable_delay_ms));
}

void AdminKeys::enable(AdminKey& key, Time now) {
  if (!key.disabled) return;
  key.disabled = false;
  Issued& issued = secrets_[key.secret];
  if (now < issued.until) {
    issued.until = kNever;  // the disabling had not arrived yet
    return;
  }
  issued.from = later(now, manners.create_delay_ms);
  issued.until = kNever;
}

void AdminKeys::remove(AdminKey& key, Time now) {
  key.removed = true;
  key.listed_until = later(now, manners.list_lag_ms);
  for (auto& [secret, issued] : secrets_)
    if (&keys_[issued.key] == &key)
      issued.until = std::min(issued.until, later(now, manners.delete_delay_ms));
}

Standing AdminKeys::standing(std::string_view secret, Time now, AdminKey** key) {
  const auto at = secrets_.find(secret);
  if (at == secrets_.end()) return Standing::unknown;
  AdminKey& known = keys_[at->second.key];
  if (key) *key = &known;
  if (now < at->second.from) return Standing::early;
  return now < at->second.until && now < known.expires ? Standing::good : Standing::refused;
}

std::string_view AdminKeys::state_name(const AdminKey& key, Time now) {
  const Standing now_is = standing(key.secret, now);
  if (now_is == Standing::good) return "good";
  return now_is == Standing::early ? "early" : "refused";
}

}  // namespace claviger::sandbox
