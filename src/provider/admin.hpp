// The providers' own administration of keys: calls as values, and what their status means. No sockets, no
// clock. admin_auth.hpp arms a call with its secret, admin_read.hpp reads the answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "provider/adapter.hpp"

namespace claviger::provider {

// A call without its secret: arm() puts that in. `body` holds kSecretMark where the key itself belongs.
struct AdminCall {
  std::string method;
  std::string base_url;  // scheme, host and port
  std::string path;      // all of it, with its query
  HeaderFields headers;
  std::string body;
  AdminAuth auth = AdminAuth::none;
  bool own_key = false;         // it is armed with the key it is about, not with the admin credential
  std::string token_url;        // azure, client_pair: where the access token is bought; may be empty
  std::string region, service;  // aws
};
inline constexpr std::string_view kSecretMark = "\x01secret\x01";

// Where the calls of one credential go.
struct Link {
  std::string admin_base_url;  // of the admin credential, when it has one of its own; else Adapter::admin_url
  std::string base_url;        // of the credential; empty: the provider's own. The probe goes there
  Values parameters;           // Adapter::parameters, "variant", and "token_url" where tokens are bought
};
// Refuses (invalid_parameter) what is missing or not known to the adapter, saying what there is.
Result<void> check_link(const Adapter& adapter, const Link& link);

// What a call is about, beside the link's parameters. Known names: "name", "id", "operation", "page",
// "expires" (RFC 3339) and "lifetime_s" (both or none), "old_expires" (RFC 3339; in_place: when the old
// secret dies), "from" and "to" (RFC 3339). Refuses (invalid_parameter) when a value is missing or cannot be
// written, and when the provider has no such operation.
Result<AdminCall> call_of(const Adapter& adapter, Operation operation, const Link& link, const Values& about);

// A name for a key that is to be made, short enough for its provider: "claviger-LABEL-NONCE", of a-z, 0-9 and
// "-". The nonce is what a lost key is found by.
std::string key_name(const Adapter& adapter, std::string_view label, std::string_view nonce);

// What an answer means for whoever drives a machine by it.
enum class Outcome : std::uint8_t {
  done,
  gone,    // there is no such key (any more): for disable, remove and revoke as good as done
  exists,  // create: there is a key of that name; it was made before, and the answer was lost
  again,   // limited, or the provider failed: it may have happened. Look, then ask again
  denied,  // the admin credential was refused, or may not do this
  full,    // no more keys are allowed beside those that exist
  refused  // the request itself is wrong: asking again does not help
};
std::string_view outcome_name(Outcome outcome);
Outcome outcome_of(const Adapter& adapter, Operation operation, int status, std::string_view body);

}  // namespace claviger::provider
