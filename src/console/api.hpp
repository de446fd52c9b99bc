// The admin REST API as a plain object: a request in, an answer out. Sockets, TLS and tokens' transport are
// elsewhere.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "console/metrics.hpp"
#include "crypto/hmac.hpp"
#include "gate/explain.hpp"
#include "identity/admin_token.hpp"
#include "identity/key.hpp"
#include "journal/writer.hpp"
#include "ledger/ledger.hpp"
#include "provider/provider.hpp"
#include "steward/derive.hpp"
#include "steward/incidents.hpp"
#include "steward/notify.hpp"
#include "steward/rotation.hpp"
#include "store/store.hpp"
#include "vault/vault.hpp"

namespace claviger::console {

struct ApiRequest {
  std::string method;
  std::string path;                                            // without the query
  std::string query;                                           // raw, without '?'
  std::string content_type;                                    // header, or empty
  std::string accept;                                          // header, or empty
  std::string idempotency_key;                                 // header, or empty
  std::string request_id;                                      // given back in problems
  std::vector<std::pair<std::string, std::string>> signature;  // the headers that signed bodies come with
  std::string ip;    // of the caller, for the journal; empty on the unix socket
  std::string body;  // may hold a secret: wipe it after handle()
};

struct ApiResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;                                          // may hold a token: wipe it after sending
  std::vector<std::pair<std::string, std::string>> headers;  // besides content-type and content-length
};

// How the caller came. socket: the unix socket, whose peer of the same uid is owner. key: through the gate,
// with a virtual key, and its role is of no matter. nobody: without a token.
enum class Via : std::uint8_t { nobody, socket, token, key };

struct Actor {
  std::string name;  // for records: "socket:1000", "token:ab12..."
  identity::Role role = identity::Role::auditor;
  Via via = Via::nobody;
  std::string rotates = {};  // id of the one credential that it may rotate, and nothing else
};

// Who may read /metrics.
enum class MetricsAccess : std::uint8_t { auditor, everyone };

// By what the bodies of webhooks are proven.
struct HookKeys {
  std::vector<crypto::HmacSha256> github;                   // secrets of GitHub's webhooks; any of them
  std::map<std::string, std::string, std::less<>> partner;  // GitHub's public keys in PEM, by identifier
};

// Everything the API works on. What is referred to must outlive the Api.
struct Parts {
  store::Store& store;
  vault::Vault& vault;
  identity::Keys& keys;
  identity::AdminTokens& tokens;
  ledger::Ledger& ledger;
  steward::Deriver& deriver;
  journal::Writer& writer;  // the steward's own producer: every change is recorded there before it is made
  Folder& journal;          // the journal's files, for reading
  const Clock& clock;
  Rng& rng;
  std::shared_ptr<const provider::Catalog> catalog;
  steward::Rotations* rotations;  // never null
  // Publishes a World made of what is stored now and returns when all loops use it.
  std::function<Result<void>()> republish;
  std::function<Result<gate::Explanation>(const gate::Inquiry&)> explain;
  std::function<void(Exposition&)> gate_metrics = {};  // the data plane's own, when there is one
  std::function<Result<void>()> ready = {};            // besides store and journal
  std::vector<std::string> plain_http_hosts = {};      // hosts a base URL may name with http://
  MetricsAccess metrics = MetricsAccess::auditor;
  std::string version = "dev";
  std::function<std::string()> gate_url = {};  // where the data plane is reached from this machine
  std::shared_ptr<const HookKeys> hooks = std::make_shared<const HookKeys>();
  // Always there once requests are handled.
  steward::Incidents* incidents = nullptr;
  steward::Notices* notices = nullptr;
};

// Not thread-safe: belongs to the thread that uses the deriver and the steward's writer.
class Api {
 public:
  explicit Api(Parts parts);

  // What a configuration that was read again changes; everything else stays.
  void adopt(std::shared_ptr<const provider::Catalog> catalog, std::vector<std::string> plain_http_hosts,
             MetricsAccess metrics, std::shared_ptr<const HookKeys> hooks);

  // Never throws, never blocks on the network. Problems are application/problem+json; everything carries
  // Cache-Control: no-store.
  ApiResponse handle(const ApiRequest& request, const Actor& actor);

  // What a virtual key asks for itself under /claviger/v1, with the key's id: keys below it, and nothing
  // else. The gate has made sure who asks; what it may is read from the store here. Never throws.
  Result<ApiResponse> petition(const ApiRequest& request, std::string_view key_id);

  // Who the bearer of an Authorization header is; refuses unauthenticated.
  Result<Actor> actor_of(std::string_view authorization);

 private:
  Parts parts_;
};

}  // namespace claviger::console
