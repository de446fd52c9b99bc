// Tests of provider rows and of how an address and a path are joined.
#include "provider/provider.hpp"

#include <gtest/gtest.h>

namespace claviger::provider {
namespace {

TEST(BaseUrl, ThatCouldLeadElsewhereIsRefused) {
  for (const std::string_view url :
       {"", "api.openai.com", "ftp://h", "https://", "https://user@h", "https://h?x=1", "https://h#f",
        "https://h:0", "https://h:99999", "https://h:", "https://h/a//b", "https://h/../b", "https://h/%2e",
        "https://h o", "https://::1", "https://h/a b"})
    EXPECT_FALSE(parse_base_url(url)) << url;
}

TEST(BaseUrl, GivesOriginAndPath) {
  const auto base = parse_base_url("https://API.openai.com/openai/v1/");
  ASSERT_TRUE(base);
  EXPECT_EQ(base->origin, "https://api.openai.com:443");
  EXPECT_EQ(base->path, "/openai/v1");
  EXPECT_EQ(parse_base_url("http://[::1]:8080")->origin, "http://[::1]:8080");
  EXPECT_EQ(parse_base_url("http://127.0.0.1:11434/v1")->port, 11434);
}

TEST(UpstreamTarget, NeverDoublesTheVersion) {
  const struct {
    std::string_view base, path, target;
  } rows[] = {
      {"https://h", "/v1/chat/completions", "/v1/chat/completions"},
      {"https://h/", "/v1/chat/completions", "/v1/chat/completions"},
      {"https://h/v1", "/v1/chat/completions", "/v1/chat/completions"},
      {"https://h/v1/", "/v1/chat/completions", "/v1/chat/completions"},
      {"https://h/openai/v1", "/v1/chat/completions", "/openai/v1/chat/completions"},
      {"https://h/gateway", "/v1/messages", "/gateway/v1/messages"},
      {"https://h/api/paas/v4", "/v1/chat/completions", "/api/paas/v4/chat/completions"},
      {"https://h/v1beta", "/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent"},
      {"https://h/vault", "/v1/models", "/vault/v1/models"},
  };
  for (const auto& row : rows) EXPECT_EQ(upstream_target(row.base, row.path), row.target) << row.base;
  EXPECT_FALSE(upstream_target("h", "/v1/models"));
}

TEST(UpstreamTarget, TakesEachProvidersForm) {
  const struct {
    std::string_view base, path;
    PathForm form;
    std::string_view target;
  } rows[] = {
      {"https://api.perplexity.ai", "/v1/chat/completions", PathForm::bare, "/chat/completions"},
      {"https://h/v1/projects/p/locations/l/publishers/google", "/v1beta/models/m:generateContent",
       PathForm::bare, "/v1/projects/p/locations/l/publishers/google/models/m:generateContent"},
      {"https://h", "/model/m/converse", PathForm::bare, "/model/m/converse"},
      {"https://h", "/vectors/upsert", PathForm::bare, "/vectors/upsert"},
      {"https://r.openai.azure.com", "/openai/deployments/d/chat/completions", PathForm::azure,
       "/openai/deployments/d/chat/completions"},
      {"https://r.openai.azure.com/openai/v1", "/v1/chat/completions", PathForm::azure,
       "/openai/v1/chat/completions"},
      {"https://r.openai.azure.com/openai", "/openai/v1/responses", PathForm::azure, "/openai/v1/responses"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(upstream_target(parse_base_url(row.base).value(), row.path, row.form), row.target);
}

TEST(ProviderRows, CarryEveryProviderAndItsOtherNames) {
  const Catalog catalog = Catalog::make({}, PriceBook{});
  for (const std::string_view name :
       {"openrouter", "deepseek", "groq", "x-ai", "together", "fireworks", "mistral", "cohere", "perplexity",
        "cerebras", "huggingface", "azure_openai", "vertex", "bedrock", "pinecone", "weaviate", "qdrant"}) {
    const Provider* row = catalog.find(name);
    ASSERT_NE(row, nullptr) << name;
    if (!row->default_base_url.empty()) EXPECT_TRUE(parse_base_url(row->default_base_url)) << name;
  }
  EXPECT_EQ(builtin_name("xai"), "x-ai");
  EXPECT_EQ(builtin_name("azure"), "azure_openai");
  EXPECT_EQ(builtin_name("openai"), "");
}

TEST(ProviderRows, OfTheConfigurationAreRefusedWhenTheyAreNotUnderstood) {
  for (const std::string_view toml :
       {"[[provider]]\ndialect = \"openai\"", "[[provider]]\nname = \"a b\"\ndialect = \"openai\"",
        "[[provider]]\nname = \"a\"", "[[provider]]\nname = \"a\"\ndialect = \"cohere\"",
        "[[provider]]\nname = \"a\"\ndialect = \"openai\"\nbudget = 1",
        "[[provider]]\nname = \"a\"\ndialect = \"openai\"\nkey_placement = \"query\"",
        "[[provider]]\nname = \"a\"\ndialect = \"openai\"\nbase_url = \"h\"",
        "[[provider]]\nname = \"a\"\ndialect = \"openai\"\nmax_tokens_field = \"limit\"",
        "[[provider]]\nname = \"a\"\ndialect = \"openai\"\nself_hosted = \"yes\"",
        "[[provider]]\nname = \"a\"\ndialect = \"openai\"\n[[provider]]\nname = \"a\"\ndialect = \"openai\"",
        "provider = 1", "[server]\nport = 1", "not toml"}) {
    const auto rows = parse_providers(toml, OtherTables::refuse);
    ASSERT_FALSE(rows) << toml;
    EXPECT_EQ(rows.error().code, Code::configuration);
  }
}

TEST(ProviderRows, OfTheConfigurationAreReadBesideOtherTables) {
  const auto rows = parse_providers(
      "[server]\nport = 1\n[[provider]]\nname = \"azure\"\ndialect = \"openai\"\nkey_placement = "
      "\"api-key\"\n"
      "base_url = \"https://x.openai.azure.com/openai/v1\"\nmax_tokens_field = \"max_completion_tokens\"\n",
      OtherTables::ignore);
  ASSERT_TRUE(rows) << told(rows.error());
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().key_placement, KeyPlacement::api_key);
  EXPECT_EQ(rows->front().max_tokens, MaxTokens::either);
  EXPECT_FALSE(rows->front().self_hosted);
}

TEST(Catalog, PutsRowsOfTheConfigurationOverTheBuiltIn) {
  Provider own;
  own.name = "openai";
  own.default_base_url = "https://proxy.example/v1";
  const Catalog catalog = Catalog::make({own}, PriceBook{});
  EXPECT_EQ(catalog.find("openai")->default_base_url, "https://proxy.example/v1");
  EXPECT_EQ(catalog.find("nobody"), nullptr);
  EXPECT_TRUE(catalog.find("ollama")->self_hosted);
}

TEST(BuiltInProviders, PutTheKeyWhereTheProviderLooks) {
  const Catalog catalog = Catalog::make({}, PriceBook{});
  const auto header = [&](std::string_view name) { return key_header(catalog.find(name)->key_placement); };
  EXPECT_EQ(header("openai"), "authorization");
  EXPECT_EQ(header("anthropic"), "x-api-key");
  EXPECT_EQ(header("gemini"), "x-goog-api-key");
  EXPECT_EQ(key_prefix(KeyPlacement::bearer), "Bearer ");
  EXPECT_EQ(key_prefix(KeyPlacement::api_key), "");
}

TEST(BuiltInProviders, HaveUsableAddresses) {
  for (const Provider& row : builtin_providers())
    EXPECT_TRUE(row.default_base_url.empty() || parse_base_url(row.default_base_url)) << row.name;
}

}  // namespace
}  // namespace claviger::provider
