// The sandbox provider: who is refused, what each dialect says, what is booked when an answer ends or breaks
// off.
#include "sandbox/provider.hpp"

#include <gtest/gtest.h>

#include "provider/usage.hpp"
#include "wire/json.hpp"
#include "wire/sse.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::string_view kPrices = R"(
version = "test"
[[price]]
provider = "openai"
models = ["gpt-test"]
valid_from = "2026-01-01"
source = "made up"
input = "1"
cache_read = "0.5"
output = "10"
[[price]]
provider = "anthropic"
models = ["claude-test"]
valid_from = "2026-01-01"
source = "made up"
input = "1"
cache_read = "0.5"
cache_write_5m = "1.25"
output = "10"
[[price]]
provider = "gemini"
models = ["gemini-test"]
valid_from = "2026-01-01"
source = "made up"
input = "1"
cache_read = "0.5"
output = "10"
)";
constexpr const char* kKey = "sk-0123456789abcdefgh";

class FixedClock final : public Clock {
 public:
  Time now() const override { return {1'800'000'000'000'000'000}; }
  std::int64_t monotonic_ns() const override { return 0; }
};

// One way to ask for a generated answer, and the dialect it is in.
struct Way {
  const char* name;
  const char* path;
  const char* body;
  provider::Dialect dialect;
  provider::Endpoint endpoint;
  bool stream;
};

const Way kWays[] = {
    {"chat", "/v1/chat/completions",
     R"({"model":"gpt-test","messages":[{"role":"user","content":"hi FAULT"}]})", provider::Dialect::openai,
     provider::Endpoint::chat, false},
    {"chat_stream", "/v1/chat/completions",
     R"({"model":"gpt-test","stream":true,"stream_options":{"include_usage":true},)"
     R"("messages":[{"role":"user","content":"hi FAULT"}]})",
     provider::Dialect::openai, provider::Endpoint::chat, true},
    {"responses", "/v1/responses", R"({"model":"gpt-test","input":"hi FAULT"})", provider::Dialect::openai,
     provider::Endpoint::responses, false},
    {"responses_stream", "/v1/responses", R"({"model":"gpt-test","stream":true,"input":"hi FAULT"})",
     provider::Dialect::openai, provider::Endpoint::responses, true},
    {"messages", "/v1/messages",
     R"({"model":"claude-test","max_tokens":4000,"messages":[{"role":"user","content":"hi FAULT"}]})",
     provider::Dialect::anthropic, provider::Endpoint::messages, false},
    {"messages_stream", "/v1/messages",
     R"({"model":"claude-test","max_tokens":4000,"stream":true,)"
     R"("messages":[{"role":"user","content":"hi FAULT"}]})",
     provider::Dialect::anthropic, provider::Endpoint::messages, true},
    {"gemini", "/v1beta/models/gemini-test:generateContent",
     R"({"contents":[{"parts":[{"text":"hi FAULT"}]}]})", provider::Dialect::gemini,
     provider::Endpoint::generate_content, false},
    {"gemini_v1", "/v1/models/gemini-test:generateContent",
     R"({"contents":[{"parts":[{"text":"hi FAULT"}]}]})", provider::Dialect::gemini,
     provider::Endpoint::generate_content, false},
    {"gemini_stream", "/v1beta/models/gemini-test:streamGenerateContent?alt=sse",
     R"({"contents":[{"parts":[{"text":"hi FAULT"}]}]})", provider::Dialect::gemini,
     provider::Endpoint::generate_content, true},
};

class SandboxProvider : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }

  void start(const Options& options) {
    auto made = Provider::make(prices_, clock_, options);
    ASSERT_TRUE(made);
    provider_.emplace(std::move(*made));
  }

  static Request asking(const Way& way, std::string_view fault = {}, std::string_view key = kKey) {
    std::string body = way.body;
    const std::string marker = fault.empty() ? "" : "[[sandbox:" + std::string(fault) + "]]";
    body.replace(body.find("FAULT"), 5, marker);
    const char* header = way.dialect == provider::Dialect::openai      ? "authorization"
                         : way.dialect == provider::Dialect::anthropic ? "x-api-key"
                                                                       : "x-goog-api-key";
    const std::string value = (way.dialect == provider::Dialect::openai ? "Bearer " : "") + std::string(key);
    return {"POST", way.path, {{header, value}}, body};
  }

  Plan plan_for(const Way& way, std::string_view fault = {}) { return provider_->plan(asking(way, fault)); }

  static std::string text_of(const Plan& plan) {
    std::string all;
    for (const Piece& piece : plan.pieces) all += piece.bytes;
    return all;
  }

  // What the gate's own meter reads from the answer.
  static provider::Usage metered(const Way& way, const Plan& plan) {
    const std::string text = text_of(plan);
    if (!way.stream) {
      wire::Json json;
      EXPECT_TRUE(wire::scan(text, json));
      return provider::read_usage(way.dialect, way.endpoint, json);
    }
    provider::StreamMeter meter(way.dialect, way.endpoint);
    wire::SseReader reader;
    EXPECT_TRUE(reader.feed(text));
    while (const auto event = reader.next()) meter.on_event(*event);
    EXPECT_TRUE(meter.finished()) << way.name;
    return meter.usage();
  }

  const Entry& last() const { return provider_->book().entries().back(); }

  provider::PriceBook prices_ = std::move(*provider::PriceBook::parse(kPrices));
  FixedClock clock_;
  std::optional<Provider> provider_;
};

TEST_F(SandboxProvider, KeysThatAreNotPlausibleAreRefusedInTheDialect) {
  for (const Way& way : kWays) {
    for (const char* key : {"", "short", "has a space in it, which no key has", "clv_0123456789abcdefghij"}) {
      const Plan plan = provider_->plan(asking(way, {}, key));
      // Gemini's word for it is 400; without any key, 401.
      const bool gemini = way.dialect == provider::Dialect::gemini && *key != 0;
      EXPECT_EQ(plan.status, gemini ? 400 : 401) << way.name << " " << key;
      EXPECT_NE(text_of(plan).find("\"error\""), std::string::npos);
      provider_->finish(plan);
      EXPECT_EQ(last().cost_nanousd, 0);
      EXPECT_FALSE(last().completed);
    }
  }
}

TEST_F(SandboxProvider, OnlyTheNamedKeysAreGoodWhenSomeAreNamed) {
  start({{"sk-the-only-good-key"}, {}});
  EXPECT_EQ(provider_->plan(asking(kWays[0])).status, 401);
  EXPECT_EQ(provider_->plan(asking(kWays[0], {}, "sk-the-only-good-key")).status, 200);
}

TEST_F(SandboxProvider, ARevokedKeyIsGoodForNothing) {
  EXPECT_EQ(provider_->plan(asking(kWays[0])).status, 200);
  const Plan revoked =
      provider_->plan({"POST", "/_sandbox/revoke", {}, R"({"key":"sk-0123456789abcdefgh"})"});
  EXPECT_EQ(revoked.status, 200);
  for (const Way& way : kWays)
    EXPECT_EQ(plan_for(way).status, way.dialect == provider::Dialect::gemini ? 400 : 401) << way.name;
}

TEST_F(SandboxProvider, RequestsThatTheProviderWouldRefuseAreRefused) {
  const Fields key{{"authorization", std::string("Bearer ") + kKey}};
  const auto status = [&](const char* method, const char* target, const char* body) {
    return provider_->plan({method, target, key, body}).status;
  };
  EXPECT_EQ(status("POST", "/v1/unheard_of", "{}"), 404);
  EXPECT_EQ(status("GET", "/v1/chat/completions", ""), 405);
  EXPECT_EQ(status("POST", "/v1/chat/completions", "no json"), 400);
  EXPECT_EQ(status("POST", "/v1/chat/completions", "{}"), 400);
  EXPECT_EQ(status("POST", "/v1/chat/completions", R"({"model":"gpt-unknown"})"), 404);
  EXPECT_EQ(status("POST", "/v1/chat/completions", R"({"model":"gpt-test","n":0})"), 400);
  EXPECT_EQ(status("POST", "/v1/messages", R"({"model":"claude-test"})"), 400);  // no max_tokens
  EXPECT_EQ(status("POST", "/v1/chat/completions", R"({"model":"gpt-test","x":"[[sandbox:explode]]"})"), 400);
}

TEST_F(SandboxProvider, EveryDialectReportsWhatItBooks) {
  for (const Way& way : kWays) {
    for (const char* fault : {"", "tokens=200", "cached=3", "reasoning=40", "input=1000,cached=900,tokens=1",
                              "big_event=5000", "n"}) {
      if (std::string_view(fault) == "n") continue;
      const Plan plan = plan_for(way, fault);
      ASSERT_EQ(plan.status, 200) << way.name << " " << text_of(plan);
      const provider::Usage usage = metered(way, plan);
      provider_->finish(plan);
      EXPECT_TRUE(usage.seen) << way.name;
      EXPECT_FALSE(usage.mismatch) << way.name << " " << fault << "\n" << text_of(plan);
      EXPECT_EQ(usage.total_in(), last().spent.input) << way.name << " " << fault;
      EXPECT_EQ(usage.cache_read, last().spent.cache_read) << way.name << " " << fault;
      EXPECT_EQ(usage.total_out(), last().spent.output) << way.name << " " << fault;
      EXPECT_TRUE(last().completed);
      const provider::Price* row =
          prices_.find(provider::dialect_name(way.dialect), last().model, clock_.now());
      ASSERT_NE(row, nullptr);
      EXPECT_EQ(provider::cost(*row, usage, clock_.now()).value, last().cost_nanousd)
          << way.name << " " << fault;
    }
  }
}

TEST_F(SandboxProvider, TheClientsBoundOnTheLengthIsKept) {
  const Plan plan = provider_->plan({"POST",
                                     "/v1/chat/completions",
                                     {{"authorization", std::string("Bearer ") + kKey}},
                                     R"({"model":"gpt-test","max_tokens":5,"n":3,"reasoning_effort":"low",)"
                                     R"("messages":[{"role":"user","content":"[[sandbox:reasoning=2]]"}]})"});
  provider_->finish(plan);
  EXPECT_EQ(last().spent.output, 15);
  EXPECT_NE(text_of(plan).find(R"("finish_reason":"length")"), std::string::npos);
}

TEST_F(SandboxProvider, AStreamThatIsAbandonedIsBilledForWhatWasGenerated) {
  for (const Way& way : kWays) {
    if (!way.stream) continue;
    std::int64_t before = 0;
    const std::size_t pieces = plan_for(way).pieces.size();
    for (std::size_t sent = 0; sent <= pieces; ++sent) {
      provider_->abandon(plan_for(way), sent);
      EXPECT_FALSE(last().completed);
      EXPECT_GE(last().spent.output, before) << way.name;
      before = last().spent.output;
      if (sent == 0) EXPECT_EQ(last().spent.output, 0) << way.name;
      EXPECT_GT(last().cost_nanousd, 0) << "the input is billed from the start";
    }
    EXPECT_EQ(before, 24) << way.name;
  }
}

TEST_F(SandboxProvider, AnAnswerThatDoesNotStreamIsBilledWholeEvenIfNobodyTakesIt) {
  provider_->abandon(plan_for(kWays[0]), 0);
  EXPECT_EQ(last().spent.output, 24);
  EXPECT_FALSE(last().completed);
}

TEST_F(SandboxProvider, ACutLeavesExactlySoManyBytesAndBillsTheBrokenPiece) {
  for (const Way& way : kWays) {
    const std::size_t size = plan_for(way).body_size();
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, size / 2, size - 1}) {
      const Plan plan = plan_for(way, "cut=" + std::to_string(cut));
      EXPECT_EQ(plan.body_size(), cut) << way.name;
      EXPECT_EQ(plan.ending, Ending::cut) << way.name;
      EXPECT_GE(plan.length, cut);
      provider_->finish(plan);
      EXPECT_FALSE(last().completed);
    }
    const Plan whole = plan_for(way, "cut=1000000");
    EXPECT_EQ(whole.ending, Ending::whole) << way.name;
  }
}

TEST_F(SandboxProvider, UsageIsLeftOutOrFalseOnRequest) {
  for (const Way& way : kWays) {
    EXPECT_FALSE(metered(way, plan_for(way, "omit_usage")).seen) << way.name;
    const Plan lie = plan_for(way, "lie_usage=3");
    const provider::Usage claimed = metered(way, lie);  // believed, or seen through by the total
    EXPECT_TRUE(claimed.text_out == 3 || claimed.mismatch) << way.name;
    provider_->finish(lie);
    EXPECT_EQ(last().spent.output, 24) << "the ledger holds the truth";
  }
}

TEST_F(SandboxProvider, AChatStreamHasNoUsageUnlessAskedFor) {
  const Plan plan = provider_->plan({"POST",
                                     "/v1/chat/completions",
                                     {{"authorization", std::string("Bearer ") + kKey}},
                                     R"({"model":"gpt-test","stream":true,"messages":[]})"});
  EXPECT_EQ(text_of(plan).find("usage"), std::string::npos);
}

TEST_F(SandboxProvider, ErrorsComeAsOftenAsAskedAndCostNothing) {
  for (const Way& way : kWays) {
    const std::string fault = std::string("status=429*2,retry_after=1500,id=") + way.name;
    for (int turn = 0; turn < 2; ++turn) {
      const Plan plan = plan_for(way, fault);
      EXPECT_EQ(plan.status, 429) << way.name;
      EXPECT_NE(std::find(plan.headers.begin(), plan.headers.end(),
                          std::pair<std::string, std::string>("retry-after", "2")),
                plan.headers.end());
      provider_->finish(plan);
      EXPECT_EQ(last().cost_nanousd, 0);
    }
    EXPECT_EQ(plan_for(way, fault).status, 200) << way.name;
  }
}

TEST_F(SandboxProvider, PausesStandWhereTheyWereAskedFor) {
  const Plan plan = plan_for(kWays[1], "latency=5,lag=7,stall=100");
  EXPECT_EQ(plan.pieces.front().delay_ms, 5);
  EXPECT_EQ(plan.pieces[1].delay_ms, 7);
  EXPECT_EQ(plan.pieces[plan.pieces.size() / 2].delay_ms, 107);
  const Plan whole = plan_for(kWays[0], "stall=100");
  ASSERT_EQ(whole.pieces.size(), 2U);
  EXPECT_EQ(whole.pieces[1].delay_ms, 100);
  EXPECT_EQ(whole.length, whole.body_size());
}

TEST_F(SandboxProvider, AToolIsCalledUntilItHasAnswered) {
  const Fields key{{"authorization", std::string("Bearer ") + kKey}};
  const std::string tools =
      R"("tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object",)"
      R"("properties":)"
      R"({"city":{"type":"string"},"days":{"type":"integer"}}}}}])";
  const Plan call = provider_->plan({"POST", "/v1/chat/completions", key,
                                     R"({"model":"gpt-test","messages":[{"role":"user"}],)" + tools + "}"});
  EXPECT_NE(text_of(call).find(R"("arguments":"{\"city\":\"sandbox\",\"days\":7}")"), std::string::npos)
      << text_of(call);
  const Plan answer =
      provider_->plan({"POST", "/v1/chat/completions", key,
                       R"({"model":"gpt-test","messages":[{"role":"tool","content":"9"}],)" + tools + "}"});
  EXPECT_EQ(text_of(answer).find("weather"), std::string::npos);
}

TEST_F(SandboxProvider, EmbeddingsAndCountsAreAnswered) {
  const Fields key{{"authorization", std::string("Bearer ") + kKey}};
  const Plan plan = provider_->plan({"POST", "/v1/embeddings", key,
                                     R"({"model":"gpt-test","input":["a","b"],"encoding_format":"base64"})"});
  EXPECT_EQ(plan.status, 200);
  const auto json = nlohmann::json::parse(text_of(plan));
  EXPECT_EQ(json["data"].size(), 2U);
  EXPECT_TRUE(json["data"][0]["embedding"].is_string());
  provider_->finish(plan);
  EXPECT_GT(last().cost_nanousd, 0);
  const Plan count =
      provider_->plan({"POST",
                       "/v1/messages/count_tokens",
                       {{"x-api-key", kKey}},
                       R"({"model":"claude-test","messages":[{"role":"user","content":"hello"}]})"});
  provider_->finish(count);
  EXPECT_GT(nlohmann::json::parse(text_of(count))["input_tokens"].get<int>(), 0);
  EXPECT_EQ(last().cost_nanousd, 0);
}

TEST_F(SandboxProvider, ModelListsAreTheDialectsOwn) {
  const auto listed = [&](const char* target, Fields headers) {
    return nlohmann::json::parse(text_of(provider_->plan({"GET", target, std::move(headers), ""})));
  };
  const std::pair<std::string, std::string> bearer{"authorization", std::string("Bearer ") + kKey};
  EXPECT_EQ(listed("/v1/models", {bearer})["data"][0]["id"], "gpt-test");
  EXPECT_EQ(listed("/v1/models", {bearer, {"anthropic-version", "2023-06-01"}})["data"][0]["id"],
            "claude-test");
  EXPECT_EQ(listed("/v1beta/models", {{"x-goog-api-key", kKey}})["models"][0]["name"], "models/gemini-test");
  EXPECT_EQ(listed("/v1/models", {{"x-goog-api-key", kKey}})["models"][0]["name"], "models/gemini-test");
  EXPECT_EQ(listed("/v1/models/gpt-test", {bearer})["id"], "gpt-test");
  EXPECT_EQ(provider_->plan({"GET", "/v1/models/none", {bearer}, ""}).status, 404);
}

TEST_F(SandboxProvider, TheControlPathsAnswerAndAreNotBooked) {
  EXPECT_EQ(provider_->plan({"GET", "/_sandbox/ledger", {}, ""}).entry, 0U);
  EXPECT_EQ(provider_->plan({"POST", "/_sandbox/revoke", {}, "{}"}).status, 400);
  EXPECT_EQ(provider_->plan({"POST", "/_sandbox/script", {}, "[{}]"}).status, 400);
  EXPECT_EQ(provider_->plan({"POST", "/_sandbox/script", {}, R"([{"fault":"drop","times":1}])"}).status, 200);
  EXPECT_EQ(plan_for(kWays[0]).ending, Ending::drop);
  EXPECT_EQ(plan_for(kWays[0]).ending, Ending::whole);
  EXPECT_EQ(provider_->plan({"GET", "/_sandbox/nothing", {}, ""}).status, 404);
}

}  // namespace
}  // namespace claviger::sandbox
