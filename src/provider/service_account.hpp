// Google service accounts: from the JSON document to the request for an access token, and what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "provider/provider.hpp"

namespace claviger::provider {

// A POST of a form to the token endpoint that the document names. `body` holds a signed assertion, good for
// an hour: the holder wipes it.
struct TokenAsk {
  BaseUrl where;
  std::string body;
};
// Refuses with credential_unavailable what is no service account's document. Signing takes a millisecond.
Result<TokenAsk> ask_for_token(std::string_view document, Time now);
// Where the document's token endpoint is, without signing anything.
Result<BaseUrl> token_endpoint(std::string_view document);

struct AccessToken {
  Secret token;
  std::int64_t life_ms = 0;
};
// The endpoint's answer. Refuses with credential_unavailable; the provider's own words are not repeated, for
// they may quote the assertion. `answer` is wiped.
Result<AccessToken> read_token(int status, std::string& answer);

}  // namespace claviger::provider
