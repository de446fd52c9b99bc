// The front of the admin double: which API is asked, who asks, which fault is committed, and the control
// endpoints.
#include "sandbox/admin.hpp"

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "sandbox/form.hpp"

namespace claviger::sandbox {
namespace {

enum class Api : std::uint8_t {
  none,
  openai,
  anthropic,
  google,
  azure,
  aws,
  openrouter,
  pinecone,
  xai,
  mistral,
  fireworks,
  cloudflare,
  token
};

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) out.push_back(unescaped(path.substr(0, end)));
    path.remove_prefix(end);
  }
  return out;
}

// The same APIs below a folder of their own, for clients that take a path in front.
std::string_view without_folder(std::string_view path) {
  for (const std::string_view folder : {"/openai/v1/organization", "/openrouter/", "/pinecone/", "/xai/",
                                        "/google/v2/", "/azure/subscriptions/"})
    if (path.starts_with(folder)) return path.substr(path.find('/', 1));
  if (path == "/aws" || path == "/aws/") return "/";
  return path;
}

Api api_of(const Request& request) {
  const std::string_view path = without_folder(request.path());
  const auto under = [&](std::string_view front) {
    return path.starts_with(front) && (path.size() == front.size() || path[front.size()] == '/');
  };
  if (under("/v1/organization")) return Api::openai;
  if (under("/v1/organizations")) return Api::anthropic;
  if (under("/v2/projects") || under("/v2/operations") || under("/v2/keys:lookupKey")) return Api::google;
  if (under("/subscriptions")) return Api::azure;
  for (const std::string_view front : {"/api/v1/keys", "/v1/keys", "/api/v1/activity", "/v1/activity"})
    if (under(front)) return Api::openrouter;
  if (under("/admin")) return Api::pinecone;
  if (under("/auth")) return Api::xai;
  if (under("/v1/admin")) return Api::mistral;
  if (under("/v1/accounts")) return Api::fireworks;
  if (under("/accounts") || under("/client/v4/accounts")) return Api::cloudflare;
  if (path == "/oauth/token" || path.ends_with("/oauth2/v2.0/token")) return Api::token;
  const bool action = request.method == "POST" && request.body.contains("Action=");
  return path == "/" && action ? Api::aws : Api::none;
}

Json form_fields(std::string_view text) {
  Json fields = Json::object();
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    const std::size_t equals = std::min(field.find('='), field.size());
    fields[unescaped(field.substr(0, equals))] = unescaped(field.substr(std::min(equals + 1, field.size())));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
  }
  return fields;
}

Json body_of(const Request& request) {
  if (request.header("content-type").starts_with("application/x-www-form-urlencoded"))
    return form_fields(request.body);
  Json body = Json::parse(request.body, nullptr, false);
  return body.is_object() ? body : Json::object();
}

// What each API says to a fault's status; AWS in XML.
Plan failed(Api api, int status) {
  const bool limited = status == 429;
  const std::string message = limited ? "Rate limit reached (sandbox)." : "The sandbox was told to fail.";
  if (api == Api::aws) {
    return admin_xml(status, "<ErrorResponse><Error><Type>Receiver</Type><Code>" +
                                 std::string(limited ? "Throttling" : "ServiceFailure") + "</Code><Message>" +
                                 message +
                                 "</Message></Error><RequestId>sandbox</RequestId></ErrorResponse>");
  }
  Json error = {{"message", message}, {"code", status}, {"type", limited ? "rate_limit_error" : "api_error"}};
  if (api == Api::openai) error["code"] = limited ? "rate_limit_exceeded" : "server_error";
  if (api == Api::google) error["status"] = limited ? "RESOURCE_EXHAUSTED" : "INTERNAL";
  if (api == Api::azure) error["code"] = limited ? "TooManyRequests" : "InternalServerError";
  if (api == Api::pinecone) error["code"] = limited ? "RESOURCE_EXHAUSTED" : "INTERNAL";
  Json body = {{"error", error}};
  if (api == Api::anthropic) body["type"] = "error";
  if (api == Api::pinecone) body["status"] = status;
  return admin_json(status, body);
}

struct MannerKey {
  std::string_view name;
  std::int64_t AdminManners::* member;
};
constexpr std::array<MannerKey, 7> kManners{{{"create_delay_ms", &AdminManners::create_delay_ms},
                                             {"spread_ms", &AdminManners::spread_ms},
                                             {"disable_delay_ms", &AdminManners::disable_delay_ms},
                                             {"delete_delay_ms", &AdminManners::delete_delay_ms},
                                             {"list_lag_ms", &AdminManners::list_lag_ms},
                                             {"longest_life_s", &AdminManners::longest_life_s},
                                             {"advance_ms", &AdminManners::advance_ms}}};

std::string field(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string()
             ? object[name].get<std::string>()
             : std::string();
}

}  // namespace

namespace {

Plan with_body(int status, const char* type, std::string body) {
  Plan plan;
  plan.status = status;
  plan.headers.emplace_back("content-type", type);
  plan.length = body.size();
  plan.pieces.push_back({std::move(body), 0, 0});
  return plan;
}

}  // namespace

Plan admin_json(int status, const Json& body) {
  if (!body.is_null()) return with_body(status, "application/json", body.dump());
  Plan plan;
  plan.status = status;
  plan.pieces.emplace_back();
  return plan;
}

Plan admin_xml(int status, std::string body) { return with_body(status, "text/xml", std::move(body)); }

std::string hint_of(std::string_view secret, std::size_t front, std::size_t back) {
  if (secret.size() < front + back) return "...";
  return std::string(secret.substr(0, front)) + "..." + std::string(secret.substr(secret.size() - back));
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = text[at] == '%' ? unhex(text.substr(at + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      out += static_cast<char>(byte->front());
      at += 2;
    } else {
      out += text[at] == '+' ? ' ' : text[at];
    }
  }
  return out;
}

std::string seconds_time(Time time) { return format_time(time).substr(0, 19) + "Z"; }

std::vector<std::string> all_asked_for(const Request& request, std::string_view name) {
  std::vector<std::string> out;
  for (std::string_view query = request.query(); !query.empty();) {
    const std::string_view one = query.substr(0, query.find('&'));
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string key = unescaped(one.substr(0, equals));
    if (key.substr(0, key.find('[')) == name) {
      const std::string value = unescaped(one.substr(std::min(equals + 1, one.size())));
      for (std::size_t from = 0; from <= value.size();) {  // "a,b" too
        const std::size_t comma = std::min(value.find(',', from), value.size());
        if (comma > from) out.push_back(value.substr(from, comma - from));
        from = comma + 1;
      }
    }
    query.remove_prefix(std::min(one.size() + 1, query.size()));
  }
  return out;
}

std::string asked_for(const Request& request, std::string_view name) {
  const auto all = all_asked_for(request, name);
  return all.empty() ? std::string() : all.front();
}

bool Admin::serves(const Request& request) const { return !secret_.empty() && api_of(request) != Api::none; }

Plan Admin::plan(const Request& request, const Fault& fault, const Book& book, Time now) {
  const Api api = api_of(request);
  now = now + std::chrono::milliseconds(keys_.manners.advance_ms);
  Plan plan;
  if (fault.drop) return plan.ending = Ending::drop, plan;
  const AdminManners usual = keys_.manners;
  if (fault.propagation_ms)
    keys_.manners.create_delay_ms = keys_.manners.disable_delay_ms = keys_.manners.delete_delay_ms =
        *fault.propagation_ms;
  if (fault.status != 0) {
    plan = failed(api, fault.status);
  } else {
    plan = handle({request, segments_of(without_folder(request.path())), body_of(request), now}, book);
    if (fault.status_after != 0) plan = failed(api, fault.status_after);
    if (fault.lost) plan.ending = Ending::drop;
  }
  keys_.manners = usual;
  if (fault.retry_after_ms > 0 && plan.status >= 400)
    plan.headers.emplace_back("retry-after", std::to_string((fault.retry_after_ms + 999) / 1000));
  if (!plan.pieces.empty()) plan.pieces.front().delay_ms += fault.latency_ms;
  return plan;
}

// A body of another shape than the API's is the client's fault.
Plan Admin::handle(const AdminAsked& asked, const Book& book) try {
  switch (api_of(asked.request)) {
    case Api::openai:
      return openai(asked, book);
    case Api::anthropic:
      return anthropic(asked, book);
    case Api::google:
      return google(asked);
    case Api::azure:
      return azure(asked);
    case Api::aws:
      return aws(asked);
    case Api::openrouter:
      return openrouter(asked, book);
    case Api::pinecone:
      return pinecone(asked);
    case Api::xai:
      return xai(asked);
    case Api::mistral:
      return mistral(asked);
    case Api::fireworks:
      return fireworks(asked);
    case Api::cloudflare:
      return cloudflare(asked);
    case Api::token:
      return token(asked);
    case Api::none:
      break;
  }
  return admin_json(404, {{"error", "not found"}});
} catch (const Json::exception&) {
  return failed(api_of(asked.request), 400);
}

std::string Admin::shown_secret() const { return secret_.substr(secret_.find(':') + 1); }

bool Admin::is_admin(std::string_view bearer, Time now) {
  if (bearer.starts_with("Bearer ")) bearer.remove_prefix(7);
  if (bearer == secret_ || tokens_.contains(bearer)) return true;
  AdminKey* key = nullptr;  // an admin key made here
  return keys_.standing(bearer, now, &key) == Standing::good && key->owner == "admin";
}

// Entra's and Pinecone's: a client's id, whatever it is, and the admin secret buy a token.
Plan Admin::token(const AdminAsked& asked) {
  const bool good =
      field(asked.body, "grant_type") == "client_credentials" && !field(asked.body, "client_id").empty();
  if (!good || field(asked.body, "client_secret") != shown_secret())
    return admin_json(401,
                      {{"error", "invalid_client"}, {"error_description", "The client secret is wrong."}});
  const std::string made = "eyJ." + fresh(40);
  tokens_.insert(made);
  return admin_json(200, {{"access_token", made}, {"expires_in", 1800}, {"token_type", "Bearer"}});
}

void Admin::minted(std::string_view email, std::string_view token) {
  if (!secret_.empty() && email.starts_with("admin@")) tokens_.emplace(token);
}

std::string Admin::fresh(std::size_t length) {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out;
  while (out.size() < length) {
    const Digest digest = crypto::sha256(secret_ + "\n" + std::to_string(++made_));
    for (const std::uint8_t byte : digest)
      if (out.size() < length) out += kLetters[byte % kLetters.size()];
  }
  return out;
}

std::string Admin::new_secret(std::string_view provider) {
  if (provider == "openai") return "sk-svcacct-" + fresh(74) + "T3BlbkFJ" + fresh(74);
  if (provider == "anthropic") return "sk-ant-api03-" + fresh(93) + "AA";
  if (provider == "gemini") return "AIzaSy" + fresh(33);
  if (provider == "openrouter") return "sk-or-v1-" + hex(crypto::sha256(fresh(32)));
  if (provider == "pinecone") return "pcsk_" + fresh(6) + "_" + fresh(63);
  if (provider == "x-ai") return "xai-" + fresh(80);
  if (provider == "azure_openai") return fresh(84);
  if (provider == "mistral") return fresh(32);
  if (provider == "fireworks") return "fw_" + fresh(24);
  if (provider == "cloudflare") return "cfat_" + fresh(48);
  return "ABSK" + fresh(128);  // Bedrock
}

std::string key_id(std::string_view provider, std::string_view owner, std::string_view secret) {
  const std::string sha = hex(crypto::sha256(secret));
  if (provider == "openrouter") return sha;
  if (provider == "cloudflare") return sha.substr(0, 32);
  if (provider == "pinecone" || provider == "x-ai" || provider == "mistral")
    return "00000000-0000-4000-8000-" + sha.substr(0, 12);
  if (provider == "gemini")
    return "projects/" + std::string(owner) + "/locations/global/keys/k" + sha.substr(0, 16);
  return (provider == "anthropic" ? "apikey_" : "key_") + sha.substr(0, 20);
}

Time Admin::life_of(Time wanted, Time now) const {
  const std::int64_t longest = keys_.manners.longest_life_s;
  return longest == 0 ? wanted : std::min(wanted, now + std::chrono::seconds(longest));
}

AdminKey* Admin::adopt(std::string_view secret, provider::Dialect dialect, Time now) {
  struct Shape {
    std::string_view front, provider, owner;
  };
  constexpr std::array<Shape, 5> kShapes{{{"xai-", "x-ai", "team_sandbox"},
                                          {"sk-or-", "openrouter", ""},
                                          {"sk-ant-", "anthropic", ""},
                                          {"AIza", "gemini", "sandbox"},
                                          {"sk-", "openai", "proj_sandbox"}}};
  const auto* shape =
      std::ranges::find_if(kShapes, [&](const Shape& one) { return secret.starts_with(one.front); });
  if (shape == kShapes.end() && dialect != provider::Dialect::openai) return nullptr;
  const Shape& as = shape == kShapes.end() ? kShapes.back() : *shape;
  AdminKey key;
  key.provider = as.provider;
  key.owner = as.owner;
  key.name = "made by hand";
  key.id = key_id(as.provider, as.owner, secret);
  key.secret = secret;
  const AdminManners usual = std::exchange(keys_.manners, {});  // it is there already
  AdminKey* made = keys_.add(std::move(key), now);
  keys_.manners = usual;
  return made;
}

Standing Admin::met(std::string_view secret, provider::Dialect dialect, bool models_only, bool otherwise,
                    Time now) {
  if (secret_.empty()) return otherwise ? Standing::good : Standing::unknown;
  now = now + std::chrono::milliseconds(keys_.manners.advance_ms);
  AdminKey* key = nullptr;
  const Standing standing = keys_.standing(secret, now, &key);
  if (standing == Standing::unknown) {
    if (!otherwise || secret == secret_) return Standing::unknown;
    if (AdminKey* adopted = adopt(secret, dialect, now)) adopted->last_used = now;
    return Standing::good;
  }
  if (standing != Standing::good) return standing;
  if (key->owner == "admin") return Standing::refused;  // such keys run nothing
  key->last_used = now;
  const Json scopes = key->extra.value("scopes", Json::array());
  const auto allows = [&](std::string_view scope) {
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
  };
  if (scopes.empty() || allows("api.all") || allows("api.model.request") || allows("model.request"))
    return standing;
  return models_only && (allows("api.model.read") || allows("api.all.read")) ? standing : Standing::narrowed;
}

Standing Admin::met_signed(const Request& request, Time now) {
  now = now + std::chrono::milliseconds(keys_.manners.advance_ms);
  const std::string_view id = signing_id(request);
  const AdminKey* known = nullptr;
  for (const AdminKey& key : keys_.all())
    if (key.provider == "aws" && key.id == id && !id.empty()) known = &key;
  if (!known) return Standing::unknown;
  const std::string_view secret = std::string_view(known->secret).substr(known->secret.find(':') + 1);
  AdminKey* key = nullptr;
  const Standing standing = keys_.standing(known->secret, now, &key);
  if (standing == Standing::good && !signed_with(request, secret)) return Standing::refused;
  if (standing == Standing::good) key->last_used = now;
  return standing;
}

std::optional<Plan> Admin::control(const Request& request, Time now) {
  if (secret_.empty()) return std::nullopt;
  const std::string_view path = request.path();
  const Json body = body_of(request);
  if (path == "/_sandbox/console" && request.method == "POST")
    return console(body, now + std::chrono::milliseconds(keys_.manners.advance_ms));
  if (path != "/_sandbox/admin") return std::nullopt;
  if (request.method == "POST")
    for (const auto& [name, value] : body.items()) {
      const auto* known = std::ranges::find(kManners, std::string_view(name), &MannerKey::name);
      if (known == kManners.end() || !value.is_number_unsigned())
        return admin_json(400, {{"error",
                                 "There are create_delay_ms, spread_ms, disable_delay_ms, delete_delay_ms, "
                                 "list_lag_ms, longest_life_s and advance_ms, each a whole number."}});
      keys_.manners.*known->member = value.get<std::int64_t>();
    }
  now = now + std::chrono::milliseconds(keys_.manners.advance_ms);
  Json out = {{"manners", Json::object()}, {"keys", Json::array()}};
  for (const MannerKey& known : kManners)
    out["manners"][std::string(known.name)] = keys_.manners.*known.member;
  for (const AdminKey& key : keys_.all())
    out["keys"].push_back({{"provider", key.provider},
                           {"owner", key.owner},
                           {"id", key.id},
                           {"name", key.name},
                           {"secret_sha256", hex(crypto::sha256(key.secret))},
                           {"disabled", key.disabled},
                           {"removed", key.removed},
                           {"inference", keys_.state_name(key, now)}});
  return admin_json(200, out);
}

// {"provider", "name", "owner"?, "secret"?}: a key made by a person, who sees its secret once.
Plan Admin::console(const Json& body, Time now) {
  AdminKey key;
  key.provider = field(body, "provider");
  key.name = field(body, "name");
  key.owner = field(body, "owner");
  // Whose keys people make, and where one goes that is said to go nowhere.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kKnown{{{"openai", "proj_sandbox"},
                                                                                 {"anthropic", ""},
                                                                                 {"openrouter", ""},
                                                                                 {"pinecone", ""},
                                                                                 {"x-ai", "team_sandbox"},
                                                                                 {"gemini", "sandbox"},
                                                                                 {"mistral", "user_sandbox"},
                                                                                 {"fireworks", "sandbox/bot"},
                                                                                 {"cloudflare", "sandbox"}}};
  const auto* known =
      std::ranges::find_if(kKnown, [&](const auto& one) { return one.first == key.provider; });
  if (known == kKnown.end())
    return admin_json(400, {{"error",
                             "Say provider: openai, anthropic, openrouter, pinecone, x-ai, gemini, mistral, "
                             "fireworks or cloudflare."}});
  if (key.owner.empty()) key.owner = known->second;
  key.secret = field(body, "secret");
  if (key.secret.empty()) key.secret = new_secret(key.provider);
  key.id = key_id(key.provider, key.owner, key.secret);
  const std::string secret = key.secret;
  const AdminKey* made = keys_.add(std::move(key), now);
  if (!made) return admin_json(429, {{"error", "The double remembers no more keys."}});
  return admin_json(200, {{"id", made->id}, {"secret", secret}});
}

}  // namespace claviger::sandbox
