// Admin tokens and their roles: who may use the admin API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/hmac.hpp"
#include "store/store.hpp"

namespace claviger::identity {

// owner: everything. operator_: everything but tokens and the destruction of credentials. developer: keys and
// usage outside production. auditor: reads everything but secrets.
enum class Role : std::uint8_t { owner, operator_, developer, auditor };

std::string_view role_name(Role role);
Result<Role> parse_role(std::string_view text);

struct AdminToken {
  std::string id;
  std::string name;
  Role role = Role::auditor;
  Time created{};
  Time expires = kNever;
  std::string created_by;
  std::string rotates =
      {};  // id of the one credential that it may rotate, and nothing else; empty: no such bound
};

struct IssuedAdminToken {
  AdminToken info;
  std::string token;  // shown once
};

extern const std::string_view kAdminTokenSchema;

// Thread-safe as the store is.
class AdminTokens {
 public:
  // `pepper` is the vault's subkey "admin-pepper".
  AdminTokens(store::Store& store, Rng& rng, const Clock& clock, crypto::HmacSha256 pepper);

  Result<IssuedAdminToken> create(std::string_view name, Role role, Time expires, std::string_view created_by,
                                  std::string_view rotates = {});
  // Oldest first, ties by id.
  Result<std::vector<AdminToken>> list();
  // Deletes the token; refuses not_found.
  Result<void> revoke(std::string_view id);
  // Who presents this; refuses unauthenticated for everything that is not a living token, without saying why.
  Result<AdminToken> authenticate(std::string_view token);

 private:
  store::Store& store_;
  Rng& rng_;
  const Clock& clock_;
  crypto::HmacSha256 pepper_;
};

}  // namespace claviger::identity
