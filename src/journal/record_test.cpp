// Lines: what is written comes back, what was not written by us is refused, nothing outgrows its bound.
#include "journal/record.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace claviger::journal {
namespace {

template <class T>
std::string line_of(const T& record, std::uint64_t seq = 17) {
  std::string line;
  append_line(line, "gate0", 3, seq, record);
  EXPECT_TRUE(line.ends_with('\n'));
  line.pop_back();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  return line;
}

Receipt full_receipt() {
  Receipt r;
  r.at = {1'790'000'000'123'456'789};
  r.req = "req_1";
  r.intent_at = {1'790'000'000'000'000'001};
  r.intent_epoch = 2;
  r.key = "k1", r.team = "core", r.project = "search", r.environment = "prod", r.provider = "openai";
  r.route = "openai.chat", r.endpoint = "chat", r.model = "gpt-5", r.credential = "cred_1";
  r.status = 200;
  r.outcome = Outcome::client_gone;
  r.usage.uncached_in = 12, r.usage.text_out = 34, r.usage.reasoning_out = 5, r.usage.seen = true;
  r.usage.tier = provider::ServiceTier::priority, r.usage.tier_named = true;
  r.usage.tools[provider::HostedTool::web_search] = 3, r.usage.tools[provider::HostedTool::other] = 1;
  r.cost_nanousd = {123'456};
  r.hold_nanousd = {999'999};
  r.estimated = true, r.presumed = true;
  r.price_version = "2026-11-01";
  r.ms = 812, r.ttfb_ms = 99, r.bytes_in = 1000, r.bytes_out = 20'000;
  r.ip = "10.0.0.1", r.user_agent = "OpenAI/Python 2.1 \"quoted\" \\ \x01 \xc3\xa9";
  return r;
}

TEST(record, lines_that_are_not_records_are_corrupt) {
  Parser parser;
  const std::string good = line_of(Start{{5}, "0.1.0", "process"});
  ASSERT_TRUE(parser.parse(good));
  for (const std::string_view bad :
       {"", "x", "[]", "{}", R"({"v":1})", R"({"v":2,"p":"a","e":1,"n":1,"t":"stop","at":1})",
        R"({"v":1,"p":"","e":1,"n":1,"t":"stop","at":1})", R"({"v":1,"p":"a","e":0,"n":1,"t":"stop","at":1})",
        R"({"v":1,"p":"a","e":1,"n":0,"t":"stop","at":1})",
        R"({"v":1,"p":"a","e":1,"n":1,"t":"else","at":1})",
        R"({"v":1,"p":"a","e":1,"n":1,"t":"stop","at":"1"})",
        R"({"v":1,"p":"a","e":1,"n":-1,"t":"stop","at":1})",
        R"({"v":1,"p":"a","e":1,"n":1,"t":"refusal","at":1,"code":"no_such_code","origin":"client"})",
        R"({"v":1,"p":"a","e":1,"n":1,"t":"receipt","at":1,"outcome":"who knows"})",
        R"({"v":1,"p":"a","e":1,"n":1,"t":"intent","at":1,"hold_nanousd":1.5})",
        R"({"v":1,"p":"a","e":1,"n":1,"t":"intent","at":1,"hold_nanousd":1,"hold_nanousd":2})",
        R"({"v":1,"p":"a","e":1,"n":1,"t":"receipt","at":1,"outcome":"completed","status":9999999999})"})
    EXPECT_EQ(parser.parse(bad).error().code, Code::corrupt) << bad;
  for (std::size_t end = 0; end < good.size(); ++end) {
    EXPECT_FALSE(parser.parse(good.substr(0, end))) << end;
  }
}

TEST(record, an_intent_comes_back_as_it_was) {
  Intent i;
  i.at = {42};
  i.req = "req_9", i.key = "k", i.team = "t", i.project = "p", i.environment = "dev",
  i.provider = "anthropic";
  i.route = "r", i.model = "m", i.credential = "c";
  i.credential_version = 3;
  i.hold_nanousd = {77};
  i.tokens = 5;
  i.generation = 9'223'372'036'854'775'807U;
  i.stream = true;
  Parser parser;
  const std::string line = line_of(i);
  const Record record = parser.parse(line).value();
  EXPECT_EQ(record.envelope.producer, "gate0");
  EXPECT_EQ(record.envelope.epoch, 3U);
  EXPECT_EQ(record.envelope.seq, 17U);
  EXPECT_EQ(record.envelope.kind, Kind::intent);
  const Intent& back = std::get<Intent>(record.body);
  EXPECT_EQ(back.at, i.at);
  EXPECT_EQ(back.environment, "dev");
  EXPECT_EQ(back.credential_version, 3);
  EXPECT_EQ(back.hold_nanousd, Nanousd{77});
  EXPECT_EQ(back.generation, i.generation);
  EXPECT_TRUE(back.stream);
  EXPECT_EQ(line_of(back), line);
}

TEST(record, a_receipt_comes_back_as_it_was) {
  Parser parser;
  const Receipt r = full_receipt();
  const std::string line = line_of(r);
  const Record record = parser.parse(line).value();
  const Receipt& back = std::get<Receipt>(record.body);
  EXPECT_EQ(back.usage, r.usage);
  EXPECT_EQ(back.outcome, Outcome::client_gone);
  EXPECT_EQ(back.intent_epoch, 2U);
  EXPECT_EQ(back.user_agent, r.user_agent);
  EXPECT_EQ(back.bytes_out, 20'000);
  EXPECT_EQ(line_of(back), line);
}

TEST(record, a_receipt_names_the_tools_and_the_tier_of_an_answer) {
  const std::string line = line_of(full_receipt());
  EXPECT_NE(line.find(R"("tier":"priority","tools":{"web_search":3,"other":1}})"), std::string::npos) << line;
  Receipt plain = full_receipt();
  plain.usage.tier = provider::ServiceTier::standard, plain.usage.tools = {};
  EXPECT_NE(line_of(plain).find(R"("tier":"standard"})"), std::string::npos);
  plain.usage.tier_named = false;
  EXPECT_EQ(line_of(plain).find("tier"), std::string::npos) << "what an answer does not say is not written";
}

TEST(record, receipts_of_earlier_and_later_versions_are_read) {
  constexpr std::string_view kHead =
      R"({"v":1,"p":"a","e":1,"n":1,"t":"receipt","at":1,"req":"r","outcome":"completed","usage":)";
  Parser parser;
  const auto usage_of = [&](std::string_view usage) {
    const auto record = parser.parse(std::string(kHead) + std::string(usage) + "}");
    EXPECT_TRUE(record) << usage;
    return record ? std::get<Receipt>(record->body).usage : provider::Usage{};
  };
  EXPECT_FALSE(usage_of(R"({"text_out":5,"seen":true})").tier_named);
  EXPECT_EQ(usage_of(R"({"text_out":5,"seen":true,"tier":"flex"})").tier, provider::ServiceTier::flex);
  const provider::Usage later =
      usage_of(R"({"text_out":5,"seen":true,"tier":"hyper","tools":{"web_fetch":2,"time_travel":1}})");
  EXPECT_EQ(later.tier, provider::ServiceTier::other);
  EXPECT_EQ(later.tools[provider::HostedTool::web_fetch], 2);
  for (const std::string_view bad : {R"({"seen":true,"tools":[1]})", R"({"seen":true,"tools":{"mcp":"1"}})"})
    EXPECT_FALSE(parser.parse(std::string(kHead) + std::string(bad) + "}")) << bad;
}

Intent named_intent() {
  Intent i;
  i.at = {7};
  i.req = "r", i.key = "k", i.project = "p", i.environment = "dev", i.provider = "x", i.route = "y";
  i.model = "m", i.credential = "c";
  return i;
}

// A line of ours is read in one pass; the same line with a blank in front is read as any JSON.
TEST(record, a_line_of_ours_says_the_same_as_the_json_it_is) {
  Receipt receipt = full_receipt();
  receipt.user_agent = "OpenAI/Python 2.1";
  Receipt small;
  small.at = {1}, small.req = "r", small.cost_nanousd = {-5}, small.outcome = Outcome::presumed;
  small.usage.mismatch = true;
  for (const std::string& line : {line_of(receipt), line_of(small), line_of(named_intent()),
                                  line_of(Stop{{9}}), line_of(Start{{5}, "0.1.0", "disk"}),
                                  line_of(Admin{{3}, "a", "owner", "key.create", "key:k", "{}", "::1"})}) {
    Parser ours, any;
    const auto read = ours.parse(line);
    const auto as_json = any.parse("{ " + line.substr(1));
    ASSERT_TRUE(read && as_json) << line;
    for (const Record* record : {&*read, &*as_json})
      EXPECT_EQ(std::visit([](const auto& body) { return line_of(body); }, record->body), line);
  }
}

TEST(record, a_doubled_or_cut_field_is_corrupt_in_a_line_of_ours_too) {
  Parser parser;
  const std::string good = line_of(named_intent());
  ASSERT_TRUE(parser.parse(good));
  for (const std::string_view more : {R"(,"model":"m"})", R"(,"credential":"c"})", "}", ",", " x"})
    EXPECT_FALSE(parser.parse(good.substr(0, good.size() - 1).append(more).append("}"))) << more;
  for (std::size_t end = 0; end < good.size(); ++end) EXPECT_FALSE(parser.parse(good.substr(0, end))) << end;
}

TEST(record, the_other_kinds_come_back_as_they_were) {
  Parser parser;
  const std::string refusal =
      line_of(Refusal{{1}, "r", "k", Code::budget_exceeded, Origin::policy, 429, "chat", "m", "::1"});
  EXPECT_EQ(line_of(std::get<Refusal>(parser.parse(refusal).value().body)), refusal);
  const std::string admin = line_of(Admin{{2}, "ops", "owner", "key.create", "key:1", R"({"a":"b"})", "::1"});
  EXPECT_EQ(line_of(std::get<Admin>(parser.parse(admin).value().body)), admin);
  const std::string alert =
      line_of(Alert{{3}, "budget_threshold", "org", "b1", {9}, 80, {800}, {1000}, "text"});
  EXPECT_EQ(line_of(std::get<Alert>(parser.parse(alert).value().body)), alert);
  const std::string start = line_of(Start{{4}, "0.1.0", "disk"});
  EXPECT_EQ(line_of(std::get<Start>(parser.parse(start).value().body)), start);
  EXPECT_EQ(line_of(Stop{{5}}), R"({"v":1,"p":"gate0","e":3,"n":17,"t":"stop","at":5})");
}

TEST(record, every_outcome_and_kind_has_a_name_of_its_own) {
  for (int i = 0; i <= static_cast<int>(Outcome::presumed); ++i) {
    const Outcome outcome = static_cast<Outcome>(i);
    EXPECT_EQ(outcome_of(outcome_name(outcome)), outcome);
  }
  EXPECT_EQ(outcome_of("else"), std::nullopt);
}

TEST(record, fields_of_a_later_version_are_passed_over) {
  Parser parser;
  const auto record = parser.parse(
      R"({"v":1,"p":"a","e":1,"n":1,"x":[],"t":"intent","at":1,"y":{},"req":"r","hold_nanousd":5,"z":null})");
  ASSERT_TRUE(record);
  EXPECT_EQ(std::get<Intent>(record->body).hold_nanousd, Nanousd{5});
}

TEST(record, texts_from_outside_are_clipped_between_characters) {
  Parser parser;
  Receipt r = full_receipt();
  std::string agent(kText - 1, 'a');
  agent += "\xc3\xa9 and more";
  r.user_agent = agent;
  const std::string line = line_of(r);
  EXPECT_EQ(std::get<Receipt>(parser.parse(line).value().body).user_agent, agent.substr(0, kText - 1));
}

TEST(record, the_longest_possible_lines_stay_below_the_bound) {
  const std::string worst(limits::kJournalLine, '\x01');  // six bytes each when escaped
  Receipt r = full_receipt();
  for (std::string_view* text :
       {&r.req, &r.key, &r.team, &r.project, &r.environment, &r.provider, &r.route, &r.endpoint, &r.model,
        &r.credential, &r.price_version, &r.ip, &r.user_agent})
    *text = worst;
  for (const provider::UsageField& field : provider::kUsageFields) r.usage.*field.member = INT64_MIN;
  for (std::int64_t& count : r.usage.tools.all()) count = INT64_MIN;
  EXPECT_LT(line_of(r).size(), limits::kJournalLine);
  EXPECT_LT(line_of(Admin{{INT64_MIN}, worst, worst, worst, worst, worst, worst}).size(),
            limits::kJournalLine);
  EXPECT_LT(line_of(Alert{{1}, worst, worst, worst, {1}, 1, {1}, {1}, worst}).size(), limits::kJournalLine);
}

TEST(record, plain_and_special_bytes_are_told_apart_at_every_place) {
  Parser parser;
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (const char special : {'"', '\\', '\n', '\x1f', '\x7f', '~', ' ', '\x00'}) {
        std::string text(length, 'b');
        text[at] = special;
        Intent i;
        i.req = text;
        const std::string line = line_of(i);
        EXPECT_EQ(std::get<Intent>(parser.parse(line).value().body).req, text);
      }
    }
  }
}

}  // namespace
}  // namespace claviger::journal
