// Answers of admin APIs, as the providers' documents and SDKs have them; malformed ones are refused, never
// repeated.
#include "provider/admin_read.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "provider/admin_number.hpp"
#include "provider/admin_xml.hpp"

namespace claviger::provider {
namespace {

const Adapter& of(std::string_view provider, std::string_view variant = {}) {
  return *find_adapter(provider, variant);
}

TEST(AdminAnswers, without_a_key_or_a_list_are_refused_and_not_repeated) {
  for (const auto* body :
       {"", "sk-s3cret", "[]", R"({"value":"sk-s3cret"})", R"({"id":"key_1","secret":"s3cret"})"}) {
    const auto read = read_created(of("openai"), Operation::create, {}, body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().code, Code::upstream_malformed);
    EXPECT_EQ((read.error().say + read.error().detail).find("s3cret"), std::string::npos);
  }
  EXPECT_FALSE(read_keys(of("openai"), {}, R"({"data":{"id":1}})"));
  EXPECT_FALSE(read_keys(of("openai"), {}, R"({"data":[{"name":"x"}]})"));
  EXPECT_FALSE(read_propagation(of("x-ai"), R"({"icPropagation":{}})"));
  EXPECT_FALSE(read_usage(of("openai"), Operation::usage, {}, "{}"));
  EXPECT_FALSE(read_created(of("bedrock"), Operation::create, {}, "<a><b></a>"));
}

TEST(AdminAnswers, to_a_creation_give_id_secret_and_expiry) {
  auto key = read_created(
      of("openai"), Operation::create, {},
      R"({"object":"organization.project.service_account.api_key","id":"key_1","name":"n",)"
      R"("created_at":1793491200,"value":"sk-svcacct-\u0041","expires_at":1793577600,"new":{}})");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->id, "key_1");
  EXPECT_EQ(key->secret, "sk-svcacct-A");
  EXPECT_EQ(format_time(*key->expires), "2026-11-02T00:00:00.000Z");
  EXPECT_FALSE(key->next());
  key = read_created(of("openrouter"), Operation::create, {},
                     R"({"key":"sk-or-v1-1","data":{"hash":"h","expires_at":null}})");
  EXPECT_EQ(key->id + key->secret, "hsk-or-v1-1");
  key = read_created(of("pinecone"), Operation::create, {}, R"({"key":{"id":7},"value":"pcsk_1"})");
  EXPECT_EQ(key->id + key->secret, "7pcsk_1");
  key = read_created(of("vertex"), Operation::create, {},
                     R"({"name":"projects/p/keys/1","privateKeyData":"e30="})");
  EXPECT_EQ(key->secret, "{}");
}

TEST(AdminAnswers, of_google_lead_from_the_operation_to_the_key_and_its_secret) {
  const Adapter& gemini = of("gemini");
  auto key = read_created(gemini, Operation::create, {}, R"({"name":"operations/akmf.p7-1"})");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->next(), Operation::progress);
  EXPECT_EQ(key->operation, "operations/akmf.p7-1");
  key = read_created(
      gemini, Operation::progress, {},
      R"({"name":"operations/1","done":true,"response":{"name":"projects/1/locations/global/keys/k"}})");
  EXPECT_EQ(key->next(), Operation::reveal);
  key = read_created(gemini, Operation::reveal, {{"id", key->id}}, R"({"keyString":"AIzaX"})");
  EXPECT_FALSE(key->next());
  EXPECT_EQ(key->id, "projects/1/locations/global/keys/k");
  EXPECT_FALSE(
      read_created(gemini, Operation::progress, {}, R"({"name":"o","done":true,"error":{"code":7}})"));
  EXPECT_FALSE(read_created(gemini, Operation::reveal, {{"id", "k"}}, "{}"));
}

TEST(AdminAnswers, of_azure_give_the_slot_that_was_asked_for) {
  const auto* both = R"({"key1":"one","key2":"two"})";
  EXPECT_EQ(read_created(of("azure"), Operation::create, {{"id", "Key2"}}, both)->secret, "two");
  EXPECT_EQ(read_created(of("azure"), Operation::reveal, {{"id", "Key1"}}, both)->secret, "one");
}

TEST(AdminAnswers, of_aws_are_xml) {
  const auto key = read_created(of("bedrock", "access_key"), Operation::create, {},
                                R"(<CreateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
    <CreateAccessKeyResult><AccessKey><UserName>Bob</UserName><AccessKeyId>AKIA1</AccessKeyId>
    <Status>Active</Status><SecretAccessKey>a/b+c&amp;d</SecretAccessKey></AccessKey></CreateAccessKeyResult>
    <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></CreateAccessKeyResponse>)");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->secret, "AKIA1:a/b+c&d");
  const auto page = read_keys(of("bedrock", "access_key"), {},
                              R"(<?xml version="1.0"?><R><ListAccessKeysResult><AccessKeyMetadata>
    <member><AccessKeyId>A</AccessKeyId><Status>Active</Status></member>
    <member><AccessKeyId>B</AccessKeyId><Status>Inactive</Status></member></AccessKeyMetadata>
    <IsTruncated>true</IsTruncated><Marker>m</Marker></ListAccessKeysResult></R>)");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->keys.at(1).id, "B");
  EXPECT_EQ(page->keys.at(1).state, KeyState::disabled);
  EXPECT_EQ(page->next, "m");
  const auto none = read_keys(of("bedrock", "access_key"), {},
                              "<R><ListAccessKeysResult><AccessKeyMetadata/></ListAccessKeysResult></R>");
  EXPECT_TRUE(none && none->keys.empty() && none->next.empty());
  EXPECT_EQ(
      *read_last_used(of("bedrock", "access_key"),
                      "<R><GetAccessKeyLastUsedResult><AccessKeyLastUsed><LastUsedDate>N/A</LastUsedDate>"
                      "</AccessKeyLastUsed></GetAccessKeyLastUsedResult></R>"),
      std::nullopt);
}

TEST(AdminAnswers, lists_are_read_page_by_page_in_each_providers_manner) {
  auto page = read_keys(of("openai"), {},
                        R"({"data":[{"id":"k1","name":"n","redacted_value":"sk-...ab","last_used_at":null}],)"
                        R"("has_more":true,"last_id":"k1"})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->next, "k1");
  EXPECT_EQ(page->keys[0].last_used, std::nullopt);
  EXPECT_TRUE(read_keys(of("openai"), {}, R"({"data":[],"has_more":false,"last_id":"k1"})")->next.empty());
  std::string rows;
  for (int i = 0; i < 100; ++i) rows += (i ? "," : "") + std::string(R"({"hash":"h","disabled":"true"})");
  page = read_keys(of("openrouter"), {{"page", "100"}}, "{\"data\":[" + rows + "]}");
  EXPECT_EQ(page->next, "200");
  EXPECT_EQ(page->keys[0].state, KeyState::disabled);  // a text where a flag belongs
  EXPECT_TRUE(read_keys(of("gemini"), {}, "{}")->keys.empty());
  page = read_keys(of("anthropic"), {}, R"({"data":[{"id":"a","status":"expired"}],"has_more":false})");
  EXPECT_EQ(page->keys[0].state, KeyState::expired);
}

TEST(AdminAnswers, a_list_that_does_not_end_and_an_answer_that_is_too_long_are_refused) {
  const auto asked = [](std::size_t pages) {
    return read_keys(of("openrouter"), {{"page", std::to_string(pages * 100)}}, R"({"data":[]})").has_value();
  };
  EXPECT_TRUE(asked(limits::kAdminPages - 1));
  EXPECT_FALSE(asked(limits::kAdminPages));
  const auto padded = [](std::size_t size) {
    std::string body = R"({"data":[]})";
    body.resize(size, ' ');
    return read_keys(of("openrouter"), {}, body).has_value();
  };
  EXPECT_TRUE(padded(limits::kAdminAnswer));
  EXPECT_FALSE(padded(limits::kAdminAnswer + 1));
}

TEST(AdminAnswers, a_hint_tells_which_listed_key_a_secret_is) {
  const ListedKey shown{"k", "", "sk-ant-api03-R2D...igAA", KeyState::active, {}, {}, {}};
  EXPECT_EQ(fits_hint(of("anthropic"), shown, "sk-ant-api03-R2Dxxxxigaaaa-igAA"), true);
  EXPECT_EQ(fits_hint(of("anthropic"), shown, "sk-ant-api03-XXXxxxxigaaaa-igAA"), false);
  const ListedKey hashed{"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                         "",
                         "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                         KeyState::active,
                         {},
                         {},
                         {}};
  EXPECT_EQ(fits_hint(of("openrouter"), hashed, "test"), true);
  EXPECT_EQ(fits_hint(of("openrouter"), hashed, "tess"), false);
  EXPECT_EQ(fits_hint(of("pinecone"), shown, "x"), std::nullopt);
  const Adapter& access_key = *find_adapter("bedrock", {{"variant", "access_key"}});
  const ListedKey plain{"AKIA1", "", "AKIA1", KeyState::active, {}, {}, {}};
  EXPECT_EQ(fits_hint(access_key, plain, "AKIA1:secret"), true);
  EXPECT_EQ(fits_hint(access_key, plain, "AKIA12:secret"), false);
}

TEST(AdminAnswers, propagation_is_whole_when_every_place_knows) {
  EXPECT_EQ(*read_propagation(of("x-ai"), R"({"icPropagation":{"us-east-1.api.x.ai":true,"eu":"true"}})"),
            true);
  EXPECT_EQ(*read_propagation(of("x-ai"), R"({"icPropagation":{"us-east-1.api.x.ai":true,"eu":false}})"),
            false);
}

TEST(AdminAnswers, usage_and_cost_are_rows_of_one_key_in_whole_numbers) {
  const auto usage = read_usage(
      of("openai"), Operation::usage, {{"id", "k1"}},
      R"({"data":[{"start_time":1793491200,"end_time":1793494800,"results":[)"
      R"({"input_tokens":100,"output_tokens":20,"num_model_requests":3,"model":"gpt-4o","api_key_id":"k1"},)"
      R"({"input_tokens":9,"output_tokens":9,"api_key_id":"other"}]}],)"
      R"("has_more":true,"next_page":"p2"})");
  ASSERT_TRUE(usage);
  ASSERT_EQ(usage->rows.size(), 1U);
  EXPECT_EQ(usage->rows[0].input_tokens, 100);
  EXPECT_EQ(format_time(usage->rows[0].to), "2026-11-01T01:00:00.000Z");
  EXPECT_EQ(usage->next, "p2");
  const auto cost =
      read_usage(of("openai"), Operation::cost, {{"id", "k1"}},
                 R"({"data":[{"start_time":1,"end_time":2,"results":[{"amount":{"value":1.5e-05,)"
                 R"("currency":"usd"},"api_key_id":"k1","line_item":"gpt-4o"}]}]})");
  EXPECT_EQ(cost->rows.at(0).cost, Nanousd{15'000});
  const auto cents =
      read_usage(of("anthropic"), Operation::cost, {},
                 R"({"data":[{"starting_at":"2026-11-01T00:00:00Z","ending_at":"2026-11-01T00:01:00Z",)"
                 R"("group":{"model":"claude"},"cost":{"amount":"12.5","requests":2}}]})");
  EXPECT_EQ(cents->rows.at(0).cost, Nanousd{125'000'000});
  const auto sum = read_usage(of("anthropic"), Operation::usage, {},
                              R"({"data":[{"usage":{"uncached_input_tokens":1,"cache_read_input_tokens":2,)"
                              R"("cache_creation":{"ephemeral_5m_input_tokens":3},"output_tokens":4}}]})");
  EXPECT_EQ(sum->rows.at(0).input_tokens, 6);
  const auto day =
      read_usage(of("openrouter"), Operation::usage, {{"from", "2026-11-01"}, {"to", "2026-11-03"}},
                 R"({"data":[{"date":"2026-11-01","usage":0.25,"prompt_tokens":5}]})");
  EXPECT_EQ(day->next, "2026-11-02");
  EXPECT_EQ(day->rows.at(0).cost, Nanousd{250'000'000});
}

TEST(AdminAnswers, numbers_are_read_without_floating_point) {
  EXPECT_EQ(nano_of("0.1", 9), 100'000'000);
  EXPECT_EQ(nano_of("1e-10", 9), 1);  // rounded up
  EXPECT_EQ(nano_of("-2.5", 9), -2'500'000'000);
  EXPECT_EQ(nano_of("123456789012", 9), INT64_MAX);
  EXPECT_EQ(nano_of("abc", 9), 0);
  EXPECT_EQ(whole_number("1700000000.0"), 1'700'000'000);
  EXPECT_EQ(whole_number(""), 0);
}

TEST(AdminAnswers, xml_that_is_not_what_aws_writes_is_refused) {
  EXPECT_EQ(*xml_as_json("<a><b>1</b><b>2</b><c x='>'/></a>"), R"({"b":"1","c":""})");
  for (const auto* bad : {"", "text", "<a>", "<a></b>", "<a></a><b/>", "<!DOCTYPE a><a/>", "<a>&x;</a>",
                          "<a><![CDATA[x]]></a>", "<a", "< a/>"})
    EXPECT_FALSE(xml_as_json(bad)) << bad;
  const auto nested = [](std::size_t depth) {
    std::string text = "x";
    for (std::size_t i = 0; i <= depth; ++i) text = "<a>" + text + "</a>";
    return text;
  };
  EXPECT_TRUE(xml_as_json(nested(limits::kXmlDepth)));
  EXPECT_FALSE(xml_as_json(nested(limits::kXmlDepth + 1)));
}

}  // namespace
}  // namespace claviger::provider
