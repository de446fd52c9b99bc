// Providers as rows: dialect, default address, where the key goes, which field bounds the answer's length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "provider/dialect.hpp"
#include "provider/price.hpp"

namespace claviger::provider {

enum class KeyPlacement : std::uint8_t { bearer, x_api_key, x_goog_api_key, api_key };

// "authorization", "x-api-key", "x-goog-api-key", "api-key".
std::string_view key_header(KeyPlacement placement);
// What stands before the key in the header's value: "Bearer " or nothing.
std::string_view key_prefix(KeyPlacement placement);
std::string_view placement_name(KeyPlacement placement);  // "bearer", "x-api-key", ...

// Whether a chat stream must be asked for its usage.
enum class StreamUsage : std::uint8_t { on_request /* stream_options.include_usage */, always };

// Which fields bound a chat answer's length.
enum class MaxTokens : std::uint8_t {
  either,          // max_completion_tokens and max_tokens are both honoured, but not together
  max_tokens_only  // only max_tokens is sure to be honoured
};

// How a route's path is asked for at the provider's base URL.
enum class PathForm : std::uint8_t {
  versioned,  // with the version segment of the route, or of the base URL where that ends in one
  bare,       // without any: Perplexity, Vertex publishers, Bedrock, vector databases
  azure       // /openai/deployments/... as it stands, everything else below /openai
};

// What becomes of a credential's secret on its way out.
enum class Proof : std::uint8_t {
  key,             // it stands in the key's place
  aws,             // "ID:SECRET[:TOKEN]" signs (SigV4); anything else is a bearer key
  service_account  // Google's JSON document: a short-lived token is minted from it
};

struct Provider {
  std::string name;  // the key of price rows and credentials
  Dialect dialect = Dialect::openai;
  std::string default_base_url;  // empty: a credential must bring its own
  KeyPlacement key_placement = KeyPlacement::bearer;
  std::string max_tokens_field;  // field inserted into chat requests that have no bound
  MaxTokens max_tokens = MaxTokens::max_tokens_only;
  StreamUsage stream_usage = StreamUsage::on_request;
  bool self_hosted = false;  // plain http and private addresses are expected
  PathForm path_form = PathForm::versioned;
  Proof proof = Proof::key;
  std::string prices_like;  // whose rows price a model that has none under this name; empty: nobody's
  std::vector<std::string> further_origins;  // where the secret goes besides the base URL: token endpoints
};

// The rows every build carries; provider_table.cpp is the list.
const std::vector<Provider>& builtin_providers();
// The built-in provider that people also call `name` ("xai", "azure", "google"); empty when there is none.
std::string_view builtin_name(std::string_view name);

// Rows of the configuration: [[provider]] with name, dialect, and optionally base_url, key_placement,
// max_tokens_field, stream_usage, self_hosted. Unknown keys and doubled names are refused (configuration).
Result<std::vector<Provider>> parse_providers(std::string_view toml, OtherTables others);

// A credential's address, taken apart and checked: http or https, no user, query or fragment.
struct BaseUrl {
  std::string scheme, host;
  std::uint16_t port = 0;
  std::string path;    // without a slash at its end; may be empty
  std::string origin;  // "https://host:port", the form a credential's allowed origins have
};
Result<BaseUrl> parse_base_url(std::string_view url);

// The path to ask the upstream for. A version segment at the end of the base path takes the place of the
// route's: "https://h", "https://h/v1", "https://h/openai/v1" + "/v1/chat/completions" -> "/v1/...",
// "/v1/...", "/openai/v1/...".
std::string upstream_target(const BaseUrl& base, std::string_view route_path,
                            PathForm form = PathForm::versioned);
Result<std::string> upstream_target(std::string_view base_url, std::string_view route_path);

// Providers and prices of one World. Movable, not copyable (prices are handed out by pointer).
class Catalog {
 public:
  // Built-in rows and `extra` over them (same name: replaced).
  static Catalog make(std::vector<Provider> extra, PriceBook prices);
  // Nullptr when there is no such provider.
  const Provider* find(std::string_view name) const;
  const std::vector<Provider>& providers() const { return providers_; }
  const PriceBook& prices() const { return prices_; }

 private:
  Catalog(std::vector<Provider> providers, PriceBook prices)
      : providers_(std::move(providers)), prices_(std::move(prices)) {}
  std::vector<Provider> providers_;
  PriceBook prices_;
};

}  // namespace claviger::provider
