// What providers' answers prove: little, unless they say it themselves.
#include "scan/probe.hpp"

#include <gtest/gtest.h>

namespace claviger::scan {
namespace {

TEST(Probe, an_answer_that_proves_nothing_is_unknown_whatever_its_status) {
  for (const Probe& probe : probes())
    for (const int status : {200, 301, 400, 401, 402, 403, 404, 429, 500, 503})
      for (const auto* body : {"", "{}", "<html>Access denied (error 1020)</html>", "null", "[]"})
        EXPECT_EQ(judge_answer(probe.provider, status, body), Verdict::unknown)
            << probe.provider << status << body;
}

TEST(Probe, a_provider_without_a_probe_is_never_asked_nor_about_a_key_of_another_kind) {
  EXPECT_EQ(probe_of("stability", "sk-x"), nullptr);
  EXPECT_EQ(probe_of("", ""), nullptr);
  EXPECT_EQ(probe_of("anthropic", "sk-ant-oat01-x"), nullptr);
  EXPECT_EQ(probe_of("google", "GOCSPX-x"), nullptr);
  EXPECT_EQ(probe_of("openai", "sk-admin-x"), nullptr);
  EXPECT_EQ(probe_of("openai", "sk-proj-x\ny"), nullptr);
  EXPECT_NE(probe_of("google", "AQ.x"), nullptr);
  EXPECT_EQ(judge_answer("stability", 200, R"({"object":"list"})"), Verdict::unknown);
}

TEST(Probe, a_401_that_means_a_missing_scope_is_no_dead_key) {
  const auto* scope =
      R"({"error":{"message":"You have insufficient permissions. Missing scopes: api.model.read",
                          "type":"invalid_request_error","code":null}})";
  EXPECT_EQ(judge_answer("openai", 401, scope), Verdict::valid_scope_limited);
  EXPECT_EQ(judge_answer("openai", 401, R"({"error": {"code": "invalid_api_key"}})"), Verdict::invalid);
}

TEST(Probe, a_400_is_how_some_say_that_a_key_is_dead) {
  EXPECT_EQ(judge_answer("google", 400, R"({"error":{"details":[{"reason":"API_KEY_INVALID"}]}})"),
            Verdict::invalid);
  EXPECT_EQ(judge_answer("google", 400, R"({"error":{"message":"API key expired. Renew it."}})"),
            Verdict::expired);
  EXPECT_EQ(judge_answer("xai", 400, R"({"error":"Incorrect API key provided: xx***yy."})"),
            Verdict::invalid);
  EXPECT_EQ(judge_answer("groq", 400, R"({"error":{"code":"blocked_api_access"}})"), Verdict::valid_no_quota);
}

TEST(Probe, the_same_words_from_another_provider_prove_nothing) {
  EXPECT_EQ(judge_answer("anthropic", 400, R"({"error":{"code":"blocked_api_access"}})"), Verdict::unknown);
  EXPECT_EQ(judge_answer("cohere", 200, R"({"object":"list"})"), Verdict::unknown);
}

TEST(Probe, a_good_answer_of_each_kind_is_valid) {
  EXPECT_EQ(judge_answer("openai", 200, R"({"object": "list", "data": []})"), Verdict::valid);
  EXPECT_EQ(judge_answer("cohere", 200, R"({"valid": true, "owner_id": "x"})"), Verdict::valid);
  EXPECT_EQ(judge_answer("cohere", 200, R"({"valid": false})"), Verdict::invalid);
  EXPECT_EQ(judge_answer("deepseek", 200, R"({"is_available": false, "balance_infos": []})"),
            Verdict::valid_no_quota);
  EXPECT_EQ(judge_answer("xai", 200, R"({"api_key_id": "1", "api_key_blocked": true})"),
            Verdict::blocked_by_provider);
}

}  // namespace
}  // namespace claviger::scan
