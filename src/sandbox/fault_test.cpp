// Faults are read exactly or refused; scripts and counts run out when they should.
#include "sandbox/fault.hpp"

#include <gtest/gtest.h>

namespace claviger::sandbox {
namespace {

Fault read(std::string_view words) {
  Fault fault;
  const auto done = add_faults(words, fault);
  EXPECT_TRUE(done) << words;
  return fault;
}

TEST(SandboxFault, UnknownWordsAndBadNumbersAreRefused) {
  for (const char* words : {"explode", "cut", "cut=", "cut=-1", "cut=1x", "status=200", "status=429*",
                            "status=700", "malformed=twice", "lag=1,nonsense=2", "drop=1"}) {
    Fault fault;
    const auto done = add_faults(words, fault);
    ASSERT_FALSE(done) << words;
    EXPECT_EQ(done.error().code, Code::invalid_input) << words;
  }
}

TEST(SandboxFault, EveryWordIsRead) {
  const Fault fault = read(
      "latency=1, "
      "lag=2;stall=3,cut=4,drop,omit_usage,lie_usage=5,status=429*6,retry_after=7,big_event=8,malformed,"
      "tokens=9,input=10,cached=11,cache_write=12,searches=13,reasoning=14,id=anything,lost,"
      "status_after=500,propagation=15");
  EXPECT_EQ(fault,
            (Fault{1, 2, 3, 4, true, true, 5, 429, 6, 7, 8, "body", 9, 10, 11, 12, 13, 14, true, 500, 15}));
  EXPECT_EQ(read("lie_usage").lie_usage, 1);
  EXPECT_EQ(read("malformed=chunk").malformed, "chunk");
  EXPECT_EQ(read(""), Fault{});
}

TEST(SandboxFault, MarkersAreFoundWhereverTheyStand) {
  EXPECT_EQ(markers_in("nothing here"), "");
  EXPECT_EQ(markers_in(R"({"content":"a [[sandbox:cut=1]] b [[sandbox:lag=2]]"})"), "cut=1,lag=2");
  EXPECT_EQ(markers_in("[[sandbox:never closed"), "");
}

TEST(SandboxScript, OnlyAListOfWholeRulesIsAccepted) {
  for (const char* text :
       {"", "{}", "[1]", R"([{"match":"a"}])", R"([{"fault":"explode"}])", R"([{"fault":"drop","often":1}])",
        R"([{"fault":"drop","times":-1}])", R"([{"fault":"drop","match":1}])"})
    EXPECT_FALSE(Script::parse(text)) << text;
}

TEST(SandboxScript, ARuleFitsByTargetOrBodyAndRunsOut) {
  auto script =
      Script::parse(R"([{"match":"gpt","fault":"drop","times":2},{"match":"/v1/m","fault":"lag=1"}])");
  ASSERT_TRUE(script);
  const Request chat{"POST", "/v1/chat/completions", {}, R"({"model":"gpt"})"};
  const Request messages{"POST", "/v1/messages", {}, R"({"model":"gpt"})"};
  EXPECT_EQ(script->take(Request{"GET", "/v1/x", {}, ""}), "");
  EXPECT_EQ(script->take(chat), "drop");
  EXPECT_EQ(script->take(messages), "drop,lag=1");
  EXPECT_EQ(script->take(messages), "lag=1");
}

TEST(SandboxCounts, AFaultWithACountIsCommittedThatOften) {
  Counts counts;
  EXPECT_TRUE(counts.spend("a", 0));
  EXPECT_TRUE(counts.spend("status=429*2", 2));
  EXPECT_TRUE(counts.spend("status=429*2", 2));
  EXPECT_FALSE(counts.spend("status=429*2", 2));
  EXPECT_TRUE(counts.spend("status=429*2,id=b", 2));
}

}  // namespace
}  // namespace claviger::sandbox
