// The providers' own administration of keys: what each can do, its calls as values, and what the answers say.
// No sockets, no clock. Descriptors are data (adapters/adapters.toml); admin_auth.hpp arms a call with a
// secret.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace claviger::provider {

// How a key of this provider is replaced.
enum class RotationClass : std::uint8_t {
  create,      // A: another key is created by API and lives beside the old one, which is then removed
  in_place,    // A': the same key gets a new secret; the old one dies at a time that cannot be taken back
  slots,       // B: two slots; the spare one is regenerated, later the other
  human,       // C: a person creates it; disabling may go by API
  self_hosted  // S: a key file and a command that reloads it
};
std::string_view class_name(RotationClass rotation);  // "create", "in_place", "slots", "human", "self_hosted"

// What can be asked. Which of them a provider has: offers().
enum class Operation : std::uint8_t {
  create,    // makes another key; in class slots: regenerates the slot `id`; in_place: a new secret for `id`
  progress,  // how far a creation is that was answered with an operation
  reveal,    // reads the secret of `id` again (Google, Azure)
  propagation,  // whether the newest secret of `id` is known everywhere yet (x-ai)
  list,         // keys, page by page
  disable,      // `id` is refused from then on, until it is enabled again
  enable,
  remove,     // `id` is gone for good
  revoke,     // the key that is sent along is gone for good (Hugging Face): needs no admin credential
  last_used,  // when `id` was last used
  probe,      // the cheapest call on the inference plane that needs the key: needs no admin credential
  usage,      // what `id` used in a span of time, by the provider's own count
  cost        // what that cost
};
inline constexpr std::size_t kOperations = 13;
std::string_view operation_name(Operation operation);

// How a call proves who asks.
enum class AdminAuth : std::uint8_t {
  none,
  bearer,
  x_api_key,
  api_key,
  x_goog_api_key,
  aws,         // "ID:SECRET[:TOKEN]" signs (SigV4)
  google,      // a service account's JSON document buys an access token; anything else is one
  azure,       // "CLIENT_ID:CLIENT_SECRET" buys one for the tenant; anything without a colon is one
  client_pair  // "CLIENT_ID:CLIENT_SECRET" buys one (Pinecone); anything without a colon is one
};

using Values = std::map<std::string, std::string, std::less<>>;
using HeaderFields = std::vector<std::pair<std::string, std::string>>;

// A call without its secret: arm() puts that in. `body` holds kSecretMark where the key itself belongs.
struct AdminCall {
  std::string method;
  std::string base_url;  // scheme, host, and the path in front when there is one
  std::string path;      // with its query
  HeaderFields headers;
  std::string body;
  AdminAuth auth = AdminAuth::none;
  bool own_key = false;         // it is armed with the key it is about, not with the admin credential
  std::string token_base_url;   // azure, client_pair: where the access token is bought
  std::string token_path;       // with it
  std::string region, service;  // aws
};
inline constexpr std::string_view kSecretMark = "\x01secret\x01";

// A parameter of the link between a credential and its admin credential.
struct AdapterParameter {
  std::string name;
  bool required = false;
  std::string preset;  // used when it is not given
  std::string says;    // what it is
};

// A piece of a body's template: an object with parts, a list or number as it stands, or a text with values.
struct BodyPart {
  enum class Kind : std::uint8_t { object, literal, text } kind = Kind::object;
  std::string name;
  std::string text;
  std::vector<BodyPart> parts;
};

// One operation of a provider, as its descriptor has it. In texts, {NAME} is a value that must be given,
// {NAME?} one without which the query field or body member is left out; {NAME:list}, :int, :json, :unix,
// :date and :path say how it is written.
struct AdapterCall {
  Operation operation = Operation::create;
  std::string method, at, path;  // at: "admin", "own", or an address for keys without one of their own
  HeaderFields headers;
  std::optional<BodyPart> body;
  bool form = false;  // body and answer in AWS's query protocol: a form, XML
  AdminAuth auth = AdminAuth::none;
  bool own_key = false;
  std::vector<int> gone;  // further answers, beside 404, that say there is no such key
  std::vector<std::pair<int, std::string>> full;  // status and words that say there may be no more keys
  std::vector<std::pair<std::string, std::string>> read;  // what is read, and where it stands
};

struct Adapter {
  std::string provider;  // as in builtin_providers(), or a name of its own ("cloudflare")
  std::string variant;   // "" usually; "admin": the admin credential itself; "access_key": of AWS
  RotationClass rotation = RotationClass::human;
  std::vector<AdapterParameter> parameters;
  std::int64_t most_live = 0;    // keys that may exist beside each other; 0: not known to be bounded
  std::int64_t name_length = 0;  // longest name of a key; 0: 64
  std::string hint;  // how a listed key shows its secret: "" not, "ends" PREFIX...SUFFIX, "sha256"
  std::optional<Operation>
      kill;  // the quickest way to stop a leaked key: disable or remove or revoke or create
  bool disable_narrows = false;  // there is no disabling: it takes the key's rights away as far as it goes
  std::string console_url;       // where a person does it
  std::vector<std::string>
      instructions;                // class human, and every class without an admin credential: in order
  std::vector<std::string> slots;  // class slots: their ids
  std::string token_url;           // azure, client_pair: where access tokens are bought
  std::string region, service;     // aws
  std::string admin_url;           // of the provider's admin API
  std::vector<AdapterCall> calls;

  const AdapterCall* find(Operation operation) const;
  bool offers(Operation operation) const { return find(operation) != nullptr; }
};

// The adapter for keys of `provider` (other names are known too: "google", "xai"), or null: such keys are
// replaced by a person (class human) without instructions of ours.
const Adapter* find_adapter(std::string_view provider, std::string_view variant = {});
// The variant that the link asks for with the parameter "variant", else "".
const Adapter* find_adapter(std::string_view provider, const Values& parameters);
const std::vector<Adapter>& builtin_adapters();
// Descriptors in the form of adapters/adapters.toml. An unknown key, operation or class is an error
// (configuration) that names it.
Result<std::vector<Adapter>> parse_adapters(std::string_view toml);

// Where the calls of one credential go.
struct Link {
  std::string admin_base_url;  // of the admin credential; empty: the provider's own
  std::string base_url;        // of the credential; empty: the provider's own. The probe goes there
  Values parameters;
};
// Refuses (invalid_parameter) what is missing or not known to the adapter, saying what there is.
Result<void> check_link(const Adapter& adapter, const Link& link);

// What a call is about, beside the link's parameters. Known names: "name", "id", "operation", "page",
// "expires" (RFC 3339), "lifetime_s", "old_expires" (RFC 3339: in_place, when the old secret dies),
// "from", "to" (RFC 3339). Refuses (invalid_parameter) when a value the template needs is missing,
// unsupported when the provider has no such operation.
Result<AdminCall> call_of(const Adapter& adapter, Operation operation, const Link& link, const Values& about);
// A name for a key that is to be made, unique by its nonce and short enough: "claviger-LABEL-NONCE".
std::string key_name(const Adapter& adapter, std::string_view label, std::string_view nonce);

// What an answer means for whoever drives a machine by it.
enum class Outcome : std::uint8_t {
  done,
  gone,    // there is no such key (any more): for disable, remove and revoke as good as done
  again,   // limited, or the provider failed: it may have happened. Look, then ask again
  denied,  // the admin credential was refused or may not do this
  full,    // no more keys are allowed beside those that exist
  refused  // the request itself is wrong: asking again does not help
};
std::string_view outcome_name(Outcome outcome);
Outcome outcome_of(const Adapter& adapter, Operation operation, int status, std::string_view body);

}  // namespace claviger::provider
