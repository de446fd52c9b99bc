// The double of the providers' admin APIs: OpenAI, Anthropic, Google, Azure, AWS IAM, OpenRouter, Pinecone
// and x-ai. Stateful: a key made here is good on the inference plane, a removed one is refused, each after
// its delay.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "sandbox/admin_keys.hpp"
#include "sandbox/book.hpp"
#include "sandbox/draft.hpp"
#include "sandbox/fault.hpp"
#include "sandbox/plan.hpp"

namespace claviger::sandbox {

// One request to an admin API.
struct AdminAsked {
  const Request& request;
  std::vector<std::string> path;  // segments, unescaped
  Json body;                      // an object; of a form, its fields
  Time now;
};

class Admin {
 public:
  // Without a secret there are no admin APIs, only the probes of the inference plane.
  explicit Admin(std::string secret) : secret_(std::move(secret)) {}

  bool serves(const Request& request) const;
  // Of a request it serves. `fault` is committed before or after the side effect, as it says.
  Plan plan(const Request& request, const Fault& fault, const Book& book, Time now);
  // GET and POST /_sandbox/admin: manners and keys; POST /_sandbox/console: what a person does in a
  // provider's console. Nothing for other paths.
  std::optional<Plan> control(const Request& request, Time now);

  // What the inference plane makes of a key, for an answer in that dialect; a good one has then been used.
  // One that no admin API knows is `otherwise` good or not; where there are admin APIs it becomes one of its
  // provider's keys, as if a person had made it.
  Standing met(std::string_view secret, provider::Dialect dialect, bool models_only, bool otherwise,
               Time now);
  // Of a request signed as AWS wants it: unknown unless the id is one of an access key that was made here.
  Standing met_signed(const Request& request, Time now);

  // Whose admin API has made this secret; empty: none has.
  std::string_view maker_of(std::string_view secret) const;

  // An access token that Google's token endpoint has given to this service account.
  void minted(std::string_view email, std::string_view token);

 private:
  Plan handle(const AdminAsked& asked, const Book& book);
  Plan openai(const AdminAsked& asked, const Book& book);
  Plan openai_project(const AdminAsked& asked);
  Plan openai_key_made(const AdminAsked& asked, std::string_view kind, AdminKey key);
  Plan openai_usage(const AdminAsked& asked, const Book& book);
  Plan openai_costs(const AdminAsked& asked, const Book& book);
  Plan anthropic(const AdminAsked& asked, const Book& book);
  Plan anthropic_analytics(const AdminAsked& asked, const Book& book);
  Plan google(const AdminAsked& asked);
  Plan google_key_made(const AdminAsked& asked);
  Plan azure(const AdminAsked& asked);
  Plan aws(const AdminAsked& asked);
  Plan aws_key_made(const AdminAsked& asked, bool access);
  Plan aws_keys(const AdminAsked& asked, bool access);
  Plan openrouter(const AdminAsked& asked, const Book& book);
  Plan openrouter_activity(const AdminAsked& asked, const Book& book);
  Plan pinecone(const AdminAsked& asked);
  Plan xai(const AdminAsked& asked);
  Plan mistral(const AdminAsked& asked);
  Plan fireworks(const AdminAsked& asked);
  Plan cloudflare(const AdminAsked& asked);
  Plan token(const AdminAsked& asked);  // Azure's and Pinecone's
  Plan console(const Json& body, Time now);

  bool is_admin(std::string_view bearer, Time now);
  bool signed_by_admin(const Request& request) const;
  std::string shown_secret() const;  // of AWS: what stands behind the id
  // Made-up text of `length` letters and digits that no other call gives.
  std::string fresh(std::size_t length);
  std::string new_secret(std::string_view provider);
  AdminKey* adopt(std::string_view secret, provider::Dialect dialect, Time now);
  Time life_of(Time wanted, Time now) const;  // an expiry, shortened by the policy

  std::string secret_;
  AdminKeys keys_;
  std::uint64_t made_ = 0;
  std::set<std::string, std::less<>> tokens_;  // that were bought with the admin secret
  std::map<std::string, Json, std::less<>> operations_;
};

// Shared by the files of this double.
Plan admin_json(int status, const Json& body);  // null: an answer without a body
Plan admin_xml(int status, std::string body);
// "sk-svcacct-ab...wxyz".
std::string hint_of(std::string_view secret, std::size_t front, std::size_t back);
// The id that a key with this secret has, in the shape of the provider's own.
std::string key_id(std::string_view provider, std::string_view owner, std::string_view secret);
std::string unescaped(std::string_view text);  // percent-encoding and "+"
std::string seconds_time(Time time);           // RFC 3339 without a fraction
// AWS's signature: who says to have signed, and whether it was with that secret.
std::string_view signing_id(const Request& request);
bool signed_with(const Request& request, std::string_view secret);
// The value of a query parameter, whose name may be written with brackets.
std::string asked_for(const Request& request, std::string_view name);
std::vector<std::string> all_asked_for(const Request& request, std::string_view name);

}  // namespace claviger::sandbox
