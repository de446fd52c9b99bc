// A provider's list of models as a key may see it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace claviger::provider {

// The body of an answer that lists models, with only those `may_use` says yes to; the rest stands as it came.
// OpenAI and Anthropic list {"data":[{"id"}]}, Google {"models":[{"name":"models/..."}]}, some a bare array.
// What cannot be read becomes an empty list; a single model stays whole.
std::string cut_model_list(std::string_view body, const std::function<bool(std::string_view)>& may_use);

// Every address in `body` that begins with the provider's own ("https://api.example.com") leads to `own`
// instead, so that a client which follows it does not carry its key there.
std::string readdressed(std::string body, std::string_view provider_address, std::string_view own);

}  // namespace claviger::provider
