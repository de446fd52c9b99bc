// Credentials as values: what is known about a provider's secret without the secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/origin.hpp"

namespace claviger::vault {

inline constexpr std::size_t kSecretBytes = 16 * 1024;  // the longest secret
inline constexpr std::size_t kOriginsPerCredential = 16;
inline constexpr std::int64_t kRotateDaysMax = 3650;

enum class CredentialKind : std::uint8_t { inference, admin };
enum class CredentialState : std::uint8_t { enabled, disabled, destroyed };

// SP 800-57 part 1 rev. 5: pending is pre-activation, current is active, previous is deactivated (kept for
// rollback), revoked is dead at the provider but still on record, destroyed has no key material left.
enum class VersionState : std::uint8_t { pending, current, previous, revoked, destroyed };

std::string_view name_of(CredentialKind kind);
std::string_view name_of(CredentialState state);
std::string_view name_of(VersionState state);

// When a version came into a state.
struct Transition {
  VersionState state = VersionState::pending;
  Time at;
};

struct CredentialVersion {
  std::int64_t number = 0;  // 1, 2, ..: never used twice
  VersionState state = VersionState::pending;
  Time created;
  Digest sha256{};                      // keyed: HMAC-SHA-256 of the secret, see Vault::fingerprint
  std::vector<Transition> transitions;  // in the order they happened; the first is the creation
};

// How the gate chooses among an environment's credentials for one provider, and what that provider needs to
// know besides the secret. Not secret, and not bound to it: it may change while the secret stays.
struct Setting {
  std::int64_t priority = 0;  // the lower goes first
  std::int64_t weight = 0;    // share of the traffic among those of one priority; 0: by age, behind them
  std::vector<std::string> parameters;  // "name=value", by name
};
inline constexpr std::int64_t kPriorityMax = 1000;  // of weights too
inline constexpr std::size_t kParameters = 256;
inline constexpr std::size_t kParameterBytes = 512;

// What is left out stays as it is. A parameter "name=" goes.
struct SettingChange {
  std::optional<std::int64_t> priority, weight;
  std::vector<std::string> parameters;
};
// `before` changed, or invalid_input.
Result<Setting> changed(Setting before, const SettingChange& change);
// The value of a parameter; empty when it has none.
std::string_view parameter(const std::vector<std::string>& parameters, std::string_view name);

struct Credential {
  std::string id;  // "cred_" and 11 characters
  std::string name;
  std::string provider;
  std::string environment;
  std::string base_url;
  std::vector<std::string> origins;  // "https://host:port"; the secret goes nowhere else
  std::string owner;
  std::int64_t rotate_days = 0;  // 0: no schedule
  std::optional<Nanousd> spend_alert;
  CredentialKind kind = CredentialKind::inference;
  CredentialState state = CredentialState::enabled;
  Time created;
  std::vector<CredentialVersion> versions;  // by number
  Setting setting;
  bool damaged = false;  // its row cannot be read as written: shown, but never opened

  const CredentialVersion* current() const;  // null when there is none
};

// What is asked for when a credential is added.
struct NewCredential {
  std::string name;         // unique among those not destroyed: letters, digits, '.', '_', '-'
  std::string provider;     // same letters
  std::string environment;  // same letters
  std::string base_url;
  std::vector<std::string> origins;  // further ones; the base URL's own is always allowed
  std::string owner;                 // free text without control bytes; may be empty
  std::int64_t rotate_days = 0;
  std::optional<Nanousd> spend_alert;
  CredentialKind kind = CredentialKind::inference;
  PlainHttp plain_http = PlainHttp::loopback_only;
  SettingChange setting;
};

// `asked` in normal form (base URL, origins sorted and unique, base URL's own included), or invalid_input
// saying what is wrong with which field.
Result<NewCredential> normalised(NewCredential asked);

// 1..kSecretBytes of visible ASCII, no spaces: what can stand in a header. A JSON document ({...}) may hold
// spaces and line ends too; it never stands in a header. The refusal never quotes it.
Result<void> check_secret(const Secret& secret, const SecretAccess& access);

}  // namespace claviger::vault
