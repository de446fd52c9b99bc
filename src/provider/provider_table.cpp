// The provider rows that every build carries, and the other names people know them by.
#include <algorithm>
#include <array>
#include <utility>

#include "provider/provider.hpp"

namespace claviger::provider {
namespace {

Provider openai_like(std::string name, std::string base_url) {
  Provider row;
  row.name = std::move(name);
  row.default_base_url = std::move(base_url);
  row.max_tokens_field = "max_tokens";
  return row;
}

// Both fields bound the answer; the newer one is inserted.
Provider newer_field(Provider row) {
  row.max_tokens_field = "max_completion_tokens";
  row.max_tokens = MaxTokens::either;
  return row;
}

// The last chunk of a stream carries the usage unasked.
Provider tells_usage(Provider row) {
  row.stream_usage = StreamUsage::always;
  return row;
}

Provider bare(Provider row) {
  row.path_form = PathForm::bare;
  return row;
}

Provider self_hosted(std::string name, std::string base_url) {
  Provider row = openai_like(std::move(name), std::move(base_url));
  row.self_hosted = true;
  return row;
}

Provider anthropic() {
  Provider row = tells_usage(openai_like("anthropic", "https://api.anthropic.com"));
  row.dialect = Dialect::anthropic;
  row.key_placement = KeyPlacement::x_api_key;
  return row;
}

Provider gemini() {
  Provider row = tells_usage(openai_like("gemini", "https://generativelanguage.googleapis.com"));
  row.dialect = Dialect::gemini;
  row.key_placement = KeyPlacement::x_goog_api_key;
  row.max_tokens_field = "maxOutputTokens";
  return row;
}

// Gemini on Vertex: the base URL ends in /v1/projects/P/locations/L/publishers/google.
Provider vertex() {
  Provider row = bare(gemini());
  row.name = "vertex";
  row.default_base_url.clear();
  row.key_placement = KeyPlacement::bearer;
  row.proof = Proof::service_account;
  row.prices_like = "gemini";
  row.further_origins = {"https://oauth2.googleapis.com:443"};
  return row;
}

Provider azure() {
  Provider row = newer_field(openai_like("azure_openai", ""));
  row.key_placement = KeyPlacement::api_key;
  row.path_form = PathForm::azure;
  row.prices_like = "openai";
  return row;
}

Provider bedrock() {
  Provider row = tells_usage(bare(openai_like("bedrock", "")));
  row.dialect = Dialect::bedrock;
  row.proof = Proof::aws;
  return row;
}

Provider vectors(std::string name, KeyPlacement placement, PathForm form) {
  Provider row = openai_like(std::move(name), "");
  row.dialect = Dialect::vectors;
  row.key_placement = placement;
  row.path_form = form;
  return row;
}

std::vector<Provider> make_builtin() {
  return {
      newer_field(openai_like("openai", "https://api.openai.com/v1")),
      anthropic(),
      gemini(),
      // Mistral's request has no stream_options (SDK 2.7.0).
      tells_usage(openai_like("mistral", "https://api.mistral.ai/v1")),
      // Cache hits are prompt_cache_hit_tokens; peak hours are in its prices.
      openai_like("deepseek", "https://api.deepseek.com/v1"),
      // Reasoning may be left out of completion_tokens; total_tokens holds it.
      openai_like("x-ai", "https://api.x.ai/v1"),
      // The usage of a stream may stand in x_groq.
      openai_like("groq", "https://api.groq.com/openai/v1"),
      openai_like("cohere", "https://api.cohere.ai/compatibility/v1"),
      // stream_options has no effect there.
      tells_usage(openai_like("openrouter", "https://openrouter.ai/api/v1")),
      openai_like("together", "https://api.together.ai/v1"),
      openai_like("fireworks", "https://api.fireworks.ai/inference/v1"),
      // Every chunk carries the usage; a search is billed by the request, see `request` in price rows.
      tells_usage(bare(openai_like("perplexity", "https://api.perplexity.ai"))),
      newer_field(openai_like("cerebras", "https://api.cerebras.ai/v1")),
      openai_like("huggingface", "https://router.huggingface.co/v1"),
      azure(),
      vertex(),
      bedrock(),
      vectors("pinecone", KeyPlacement::api_key, PathForm::bare),
      vectors("weaviate", KeyPlacement::bearer, PathForm::versioned),
      vectors("qdrant", KeyPlacement::api_key, PathForm::bare),
      self_hosted("vllm", "http://127.0.0.1:8000/v1"),
      self_hosted("llamacpp", "http://127.0.0.1:8080/v1"),
      self_hosted("ollama", "http://127.0.0.1:11434/v1"),
      openai_like("openai_compatible", ""),
  };
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kOtherNames{{
    {"xai", "x-ai"},
    {"google", "gemini"},
    {"azure", "azure_openai"},
    {"azure-openai", "azure_openai"},
    {"aws", "bedrock"},
    {"aws_bedrock", "bedrock"},
    {"vertex_ai", "vertex"},
    {"vertexai", "vertex"},
    {"together_ai", "together"},
    {"fireworks_ai", "fireworks"},
    {"hugging_face", "huggingface"},
}};

}  // namespace

const std::vector<Provider>& builtin_providers() {
  static const std::vector<Provider> rows = make_builtin();
  return rows;
}

std::string_view builtin_name(std::string_view name) {
  for (const auto& [other, builtin] : kOtherNames)
    if (other == name) return builtin;
  return {};
}

}  // namespace claviger::provider
