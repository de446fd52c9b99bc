// What each provider lets one do with its keys, as data: the descriptors of adapters/adapters.toml.
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

// adapters/adapters.toml as it was built in.
extern const std::string_view kAdaptersData;

// How a key of this provider is replaced.
enum class RotationClass : std::uint8_t {
  create,      // A: another key is created by API and lives beside the old one, which is then removed
  in_place,    // A': the same key gets a new secret; the old one dies at a time that cannot be taken back
  slots,       // B: two slots; the spare one is regenerated, later the other
  human,       // C: a person creates it; disabling may go by API
  self_hosted  // S: a key file and a command that reloads it
};
std::string_view class_name(RotationClass rotation);  // "create", "in_place", "slots", "human", "self_hosted"

// What can be asked. Which of them a provider has: Adapter::offers().
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
  bearer_and_x_api_key,  // Mistral: its documents contradict each other
  aws,                   // "ID:SECRET[:TOKEN]" signs (SigV4); a key without a colon is a bearer key
  google,                // a service account's JSON document buys an access token; anything else is one
  azure,                 // "CLIENT_ID:CLIENT_SECRET" buys one for the tenant; anything without a colon is one
  client_pair            // "CLIENT_ID:CLIENT_SECRET" buys one (Pinecone); anything without a colon is one
};

using Values = std::map<std::string, std::string, std::less<>>;
using HeaderFields = std::vector<std::pair<std::string, std::string>>;

// A parameter of the link between a credential and its admin credential.
struct AdapterParameter {
  std::string name;
  bool required = false;
  std::string says;  // what it is
};

// A piece of a body's template: an object with parts, a list or number as it stands, or a text with values.
struct BodyPart {
  enum class Kind : std::uint8_t { object, literal, text } kind = Kind::object;
  std::string name;
  std::string text;
  std::vector<BodyPart> parts;
};

// One operation, as its descriptor has it. In texts, {NAME} is a value that must be given, {NAME?} one
// without which the query field or body member is left out, {NAME|TEXT} one with a preset; {NAME:list}, :int,
// :json, :unix, :date and :path say how it is written. {secret} is where the key itself belongs.
struct AdapterCall {
  Operation operation = Operation::create;
  std::string method, path;
  std::string at;  // "admin"; "own": the credential's base URL; or an address for credentials without one
  HeaderFields headers;
  std::optional<BodyPart> body;
  bool form = false;  // AWS's query protocol: the body a form, the answer XML
  AdminAuth auth = AdminAuth::none;
  bool own_key = false;  // armed with the key it is about, not with the admin credential
  std::vector<std::pair<std::string, std::string>> read;  // what is read, and where it stands

  // Where `name` stands in the answer; empty when it does not.
  std::string_view place(std::string_view name) const;
};

struct Adapter {
  std::string provider;  // as in builtin_providers(), or a name of its own ("cloudflare")
  std::string variant;   // mostly ""; "admin": an admin credential itself; "access_key": of AWS
  RotationClass rotation = RotationClass::human;
  std::vector<AdapterParameter> parameters;

  std::int64_t most_live = 0;    // keys that may exist beside each other; 0: not known to be bounded
  std::string full;              // words of the answer that says there may be no more
  bool named = true;             // keys bear names; else a lost one is found by when it was made
  std::int64_t name_length = 0;  // longest name of a key; 0: 64
  // How a listed key shows its secret: "", "ends" (PREFIX...SUFFIX), "sha256" (it is the id), "id" (the
  // secret is "ID:...").
  std::string hint;
  // What keys begin with that may be probed; with "!" in front, what they do not. A key of another kind would
  // be refused, and that would prove nothing.
  std::vector<std::string> probe_keys;
  std::optional<Operation> kill;   // the quickest way to stop a leaked key; none: a person must
  bool disable_narrows = false;    // there is no disabling: it takes away the key's rights as far as it goes
  std::vector<std::string> slots;  // class slots: their ids

  std::string console_url;                // where a person does it
  std::vector<std::string> instructions;  // what they do, in order; for every class without admin credential

  std::string admin_url;        // of the admin API
  std::string token_url;        // azure, client_pair: where access tokens are bought
  std::string region, service;  // aws
  std::vector<AdapterCall> calls;

  const AdapterCall* find(Operation operation) const;
  bool offers(Operation operation) const { return find(operation) != nullptr; }
  bool may_probe(std::string_view key) const;
};

// The adapter for keys of `provider` (other names are known too: "google", "xai"), or null: such keys are
// replaced by a person (class human), without instructions of ours.
const Adapter* find_adapter(std::string_view provider, std::string_view variant = {});
// The variant that a link's parameter "variant" names, else "".
const Adapter* find_adapter(std::string_view provider, const Values& parameters);
const std::vector<Adapter>& builtin_adapters();

// Descriptors in the form of adapters/adapters.toml. An unknown key, operation or class is an error
// (configuration) that names it.
Result<std::vector<Adapter>> parse_adapters(std::string_view toml);

}  // namespace claviger::provider
