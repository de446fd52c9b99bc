// The descriptors: what the build carries can be used, and what it must not carry is refused by name.
#include "provider/adapter.hpp"

#include <gtest/gtest.h>

#include "provider/admin.hpp"

namespace claviger::provider {
namespace {

constexpr std::string_view kSmall = R"(
[[adapter]]
provider = "small"
class = "create"
admin_url = "https://admin.test"
remove = { method = "DELETE", auth = "bearer", path = "/keys/{id}" }
)";

std::string refusal(std::string_view more) {
  const auto parsed = parse_adapters(std::string(kSmall) + std::string(more));
  return parsed ? "" : std::string(told(parsed.error()));
}

TEST(Adapters, an_unknown_key_operation_class_or_place_is_refused_by_name) {
  EXPECT_EQ(refusal(""), "");
  EXPECT_NE(refusal("colour = \"red\"\n").find("colour"), std::string::npos);
  EXPECT_NE(refusal("[other]\nx = 1\n").find("other"), std::string::npos);
  EXPECT_NE(refusal("destroy = { method = \"POST\", path = \"/x\" }\n").find("destroy"), std::string::npos);
  EXPECT_NE(refusal("list = { method = \"GET\", path = \"/x\", colour = 1 }\n").find("colour"),
            std::string::npos);
  EXPECT_NE(
      refusal("list = { method = \"GET\", path = \"/x\", read = { colour = \"/x\" } }\n").find("colour"),
      std::string::npos);
  EXPECT_NE(refusal("list = { method = \"FETCH\", path = \"/x\" }\n").find("method"), std::string::npos);
  EXPECT_NE(refusal("list = { method = \"GET\", path = \"x\" }\n").find("path"), std::string::npos);
  EXPECT_NE(refusal("list = { method = \"GET\", path = \"/x\", auth = \"magic\" }\n").find("auth"),
            std::string::npos);
  EXPECT_NE(refusal("list = { path = \"/x\" }\n").find("no method"), std::string::npos);
  EXPECT_NE(refusal("kill = \"disable\"\n").find("kill"), std::string::npos);
  EXPECT_NE(refusal("slots = []\n").find("slots"), std::string::npos);
  EXPECT_NE(refusal("parameters.a = { needed = true }\n").find("a has"), std::string::npos);
  EXPECT_NE(refusal(kSmall).find("twice"), std::string::npos);
  EXPECT_NE(refusal("[[adapter]]\nprovider = \"y\"\nclass = \"X\"\n").find("class"), std::string::npos);
  EXPECT_NE(refusal("[[adapter]]\nprovider = \"y\"\nlike = \"z\"\n").find("before"), std::string::npos);
  EXPECT_NE(
      refusal("[[adapter]]\nprovider = \"y\"\nlist = { method = \"GET\", path = \"/\" }\n").find("admin_url"),
      std::string::npos);
  EXPECT_NE(refusal("[[adapter]").find("Line"), std::string::npos);
}

TEST(Adapters, the_providers_of_each_class_are_there) {
  const auto rotation = [](std::string_view provider, std::string_view variant = {}) {
    const Adapter* adapter = find_adapter(provider, variant);
    return adapter ? class_name(adapter->rotation) : "none";
  };
  for (const auto* provider : {"openai", "openrouter", "pinecone", "mistral", "fireworks", "cloudflare",
                               "gemini", "bedrock", "vertex"})
    EXPECT_EQ(rotation(provider), "create") << provider;
  EXPECT_EQ(rotation("openai", "admin"), "create");
  EXPECT_EQ(rotation("bedrock", "access_key"), "create");
  EXPECT_EQ(rotation("bedrock", "admin"), "create");
  EXPECT_EQ(rotation("x-ai", "create"), "create");
  EXPECT_EQ(rotation("x-ai"), "in_place");
  EXPECT_EQ(rotation("azure_openai"), "slots");
  for (const auto* provider : {"anthropic", "groq", "together", "cohere", "deepseek", "huggingface"})
    EXPECT_EQ(rotation(provider), "human") << provider;
  for (const auto* provider : {"vllm", "llamacpp"}) EXPECT_EQ(rotation(provider), "self_hosted") << provider;
  EXPECT_EQ(rotation("weaviate"), "none");
  EXPECT_EQ(find_adapter("google"), find_adapter("gemini"));
  EXPECT_EQ(find_adapter("xai", Values{{"variant", "create"}}), find_adapter("x-ai", "create"));
}

TEST(Adapters, each_can_do_what_its_class_needs) {
  for (const Adapter& adapter : builtin_adapters()) {
    EXPECT_TRUE(adapter.offers(Operation::probe)) << adapter.provider;
    EXPECT_FALSE(adapter.instructions.empty()) << adapter.provider;
    if (adapter.rotation != RotationClass::self_hosted) EXPECT_FALSE(adapter.console_url.empty());
    if (adapter.rotation == RotationClass::create) {
      for (const Operation needed : {Operation::create, Operation::list, Operation::remove})
        EXPECT_TRUE(adapter.offers(needed)) << adapter.provider << operation_name(needed);
      EXPECT_TRUE(adapter.kill.has_value()) << adapter.provider;
    }
    if (adapter.rotation == RotationClass::slots) {
      EXPECT_EQ(adapter.slots.size(), 2U);
      EXPECT_TRUE(adapter.offers(Operation::reveal));
    }
    EXPECT_EQ(adapter.offers(Operation::disable), adapter.offers(Operation::enable)) << adapter.provider;
  }
}

TEST(Adapters, every_call_can_be_made_from_its_parameters_and_what_it_is_about) {
  const Values about{{"name", "claviger-x-1"},     {"id", "key_1"},        {"operation", "operations/1"},
                     {"page", "2026-11-02"},       {"from", "2026-11-01"}, {"to", "2026-11-02"},
                     {"old_expires", "2026-11-03"}};
  for (const Adapter& adapter : builtin_adapters()) {
    Link link;
    link.base_url = "https://inference.test/v1";
    for (const AdapterParameter& one : adapter.parameters)
      if (one.required) link.parameters[one.name] = one.name == "policies" ? "[]" : "p1";
    EXPECT_TRUE(check_link(adapter, link)) << adapter.provider;
    for (const AdapterCall& call : adapter.calls) {
      const auto made = call_of(adapter, call.operation, link, about);
      ASSERT_TRUE(made) << adapter.provider << operation_name(call.operation) << told(made.error());
      EXPECT_FALSE(made->path.contains('{')) << made->path;
      EXPECT_TRUE(made->base_url.starts_with("https://"));
    }
  }
}

TEST(Adapters, a_key_of_another_kind_is_not_probed) {
  EXPECT_FALSE(find_adapter("openai")->may_probe("sk-admin-x"));
  EXPECT_TRUE(find_adapter("openai")->may_probe("sk-proj-x"));
  EXPECT_FALSE(find_adapter("anthropic")->may_probe("sk-ant-oat01-x"));
  EXPECT_FALSE(find_adapter("google")->may_probe("GOCSPX-x"));
  EXPECT_TRUE(find_adapter("google")->may_probe("AQ.x"));
  EXPECT_TRUE(find_adapter("groq")->may_probe("gsk_x"));
}

}  // namespace
}  // namespace claviger::provider
