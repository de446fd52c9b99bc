// Tests of the meter: what it learns from passing bytes, and that it passes them on as they came.
#include "gate/meter.hpp"

#include "base/limits.hpp"
#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

constexpr std::string_view kAnswer =
    R"({"choices":[{"message":{}}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})";
constexpr std::string_view kFirst = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
constexpr std::string_view kUsage =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";
constexpr std::string_view kStream = R"({"model":"plain","max_tokens":10,"stream":true,"messages":[]})";
constexpr std::string_view kStreamWithUsage =
    R"({"model":"plain","max_tokens":9,"stream":true,"stream_options":{"include_usage":true},"messages":[]})";

class MeterTest : public GateTest {
 protected:
  MeterTest() { add_credential("openai", "https://api.openai.com/v1"); }
  // A meter over the answer to this chat request.
  Meter meter(std::string_view body, Meter::Shape shape) {
    pinned = world();
    const auto grant = authorized(*pinned, *chat(*pinned, key.token, body));
    EXPECT_TRUE(grant);
    return Meter(*grant, shape);
  }
  // Passes `bytes` in pieces of `size`; what comes out for the client.
  static std::string pass(Meter& meter, std::string_view bytes, std::size_t size) {
    std::string out;
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, size);
      bytes.remove_prefix(piece.size());
      out += meter.pass(piece, bytes.empty() ? Meter::Rest::none : Meter::Rest::follows);
    }
    return out;
  }
  static std::string all(std::initializer_list<std::string_view> frames) {
    std::string out;
    for (const std::string_view frame : frames) out += frame;
    return out;
  }
  Known key = make_key();
  std::shared_ptr<World> pinned;
};

TEST_F(MeterTest, a_list_that_is_changed_leaves_whole_at_its_end) {
  Meter list = meter(kChat, Meter::Shape::json);
  list.change_list([](std::string_view body) { return "[" + std::string(body) + "]"; });
  EXPECT_TRUE(list.changes_bytes());
  EXPECT_EQ(list.pass("one ", Meter::Rest::follows), "");
  EXPECT_FALSE(list.saw_end());
  EXPECT_EQ(list.pass("two", Meter::Rest::none), "[one two]");
  EXPECT_TRUE(list.saw_end());
}

TEST_F(MeterTest, a_list_that_is_too_long_to_be_held_is_changed_from_nothing) {
  for (const auto& [size, shown] : {std::pair{limits::kModelList, limits::kModelList},
                                    std::pair{limits::kModelList + 1, std::size_t{0}}}) {
    Meter list = meter(kChat, Meter::Shape::json);
    list.change_list([](std::string_view body) { return std::string(body); });
    EXPECT_EQ(list.pass(std::string(size - 1, 'x'), Meter::Rest::follows), "");
    EXPECT_EQ(list.pass("x", Meter::Rest::none).size(), shown);
  }
}

TEST_F(MeterTest, sound_and_other_bytes_are_whole_at_their_end) {
  Meter opaque = meter(kChat, Meter::Shape::opaque);
  EXPECT_EQ(opaque.pass("ID3", Meter::Rest::follows), "ID3");
  EXPECT_FALSE(opaque.saw_end());
  opaque.pass("x", Meter::Rest::none);
  EXPECT_TRUE(opaque.saw_end());
  EXPECT_FALSE(opaque.usage().seen);
}

TEST_F(MeterTest, a_json_answer_that_was_cut_has_no_end_and_no_usage) {
  Meter cut = meter(kChat, Meter::Shape::json);
  EXPECT_EQ(cut.pass(kAnswer.substr(0, 40), Meter::Rest::follows), kAnswer.substr(0, 40));
  EXPECT_FALSE(cut.saw_end());
  EXPECT_FALSE(cut.usage().seen);
}

TEST_F(MeterTest, an_answer_that_is_no_json_has_no_end) {
  Meter odd = meter(kChat, Meter::Shape::json);
  EXPECT_EQ(odd.pass("<html>", Meter::Rest::none), "<html>");
  EXPECT_FALSE(odd.saw_end());
}

TEST_F(MeterTest, an_answer_of_another_type_passes_unread) {
  Meter opaque = meter(kChat, Meter::Shape::opaque);
  EXPECT_EQ(opaque.pass(kAnswer, Meter::Rest::follows), kAnswer);
  EXPECT_FALSE(opaque.saw_end());
  EXPECT_EQ(opaque.pass(kAnswer, Meter::Rest::none), kAnswer);
  EXPECT_TRUE(opaque.saw_end());  // the framing's end is all the end it has
  EXPECT_FALSE(opaque.usage().seen);
}

TEST_F(MeterTest, a_json_answer_larger_than_the_bound_passes_and_its_usage_stays_unknown) {
  Meter large = meter(kChat, Meter::Shape::json);
  const std::string piece(limits::kMeteredBody / 16, ' ');
  std::size_t passed = 0;
  for (int i = 0; i < 17; ++i) passed += large.pass(piece, Meter::Rest::follows).size();
  EXPECT_EQ(passed, 17 * piece.size());
  EXPECT_EQ(large.pass(kAnswer, Meter::Rest::none), kAnswer);
  EXPECT_FALSE(large.saw_end());
  EXPECT_FALSE(large.usage().seen);
}

TEST_F(MeterTest, an_event_larger_than_the_bound_passes_and_the_end_stays_unseen) {
  Meter large = meter(kStreamWithUsage, Meter::Shape::events);
  const std::string event = "data: " + std::string(limits::kSseEvent, 'x');
  EXPECT_EQ(large.pass(event, Meter::Rest::follows), event);
  EXPECT_EQ(large.pass(kDone, Meter::Rest::none), kDone);
  EXPECT_FALSE(large.saw_end());
}

TEST_F(MeterTest, an_event_larger_than_the_bound_loses_no_byte_where_usage_is_filtered) {
  Meter large = meter(kStream, Meter::Shape::events);
  ASSERT_TRUE(large.changes_bytes());
  std::string out(large.pass("data: begin", Meter::Rest::follows));
  const std::string more(limits::kSseEvent, 'x');
  out += large.pass(more, Meter::Rest::follows);
  out += large.pass(kDone, Meter::Rest::none);
  EXPECT_TRUE(out == all({"data: begin", more, kDone}));
}

TEST_F(MeterTest, a_stream_that_was_cut_has_no_end) {
  Meter cut = meter(kStreamWithUsage, Meter::Shape::events);
  EXPECT_EQ(pass(cut, all({kFirst, kUsage}), 1000), all({kFirst, kUsage}));
  EXPECT_FALSE(cut.saw_end());
  EXPECT_TRUE(cut.usage().seen);
}

TEST_F(MeterTest, an_error_inside_a_stream_is_noticed) {
  Meter failing = meter(kStreamWithUsage, Meter::Shape::events);
  (void)failing.pass("data: {\"error\":{\"message\":\"overloaded\"}}\n\n", Meter::Rest::none);
  EXPECT_TRUE(failing.failed());
  EXPECT_FALSE(failing.saw_end());
}

TEST_F(MeterTest, the_shape_is_what_the_content_type_says) {
  EXPECT_EQ(Meter::shape_of("text/event-stream; charset=utf-8"), Meter::Shape::events);
  EXPECT_EQ(Meter::shape_of("application/json"), Meter::Shape::json);
  EXPECT_EQ(Meter::shape_of("text/html"), Meter::Shape::opaque);
  EXPECT_EQ(Meter::shape_of(""), Meter::Shape::opaque);
}

TEST_F(MeterTest, a_json_answer_is_read_in_pieces_of_any_size) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, kAnswer.size() - 1, kAnswer.size()}) {
    Meter whole = meter(kChat, Meter::Shape::json);
    EXPECT_EQ(pass(whole, kAnswer, size), kAnswer);
    EXPECT_TRUE(whole.saw_end()) << size;
    EXPECT_EQ(whole.usage().uncached_in, 5) << size;
    EXPECT_EQ(whole.usage().text_out, 2) << size;
  }
}

TEST_F(MeterTest, the_last_piece_of_a_json_answer_may_be_empty) {
  Meter whole = meter(kChat, Meter::Shape::json);
  EXPECT_EQ(whole.pass(kAnswer, Meter::Rest::follows), kAnswer);
  EXPECT_EQ(whole.pass("", Meter::Rest::none), "");
  EXPECT_TRUE(whole.saw_end());
}

TEST_F(MeterTest, events_are_read_wherever_they_are_split_and_pass_byte_for_byte) {
  const std::string bytes = all({": ping\n\n", kFirst, kUsage, kDone});
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    Meter stream = meter(kStreamWithUsage, Meter::Shape::events);
    ASSERT_EQ(pass(stream, bytes, size), bytes) << size;
    ASSERT_TRUE(stream.saw_end()) << size;
    ASSERT_EQ(stream.usage().text_out, 2) << size;
    ASSERT_FALSE(stream.changes_bytes());
  }
}

TEST_F(MeterTest, usage_that_the_client_did_not_ask_for_is_filtered_wherever_it_is_split) {
  constexpr std::string_view kNullUsage = "data: {\"choices\":[{\"delta\":{}}],\"usage\":null}\n\n";
  constexpr std::string_view kWithout = "data: {\"choices\":[{\"delta\":{}}]}\n\n";
  const std::string bytes = all({kFirst, kNullUsage, kUsage, kDone});
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    Meter stream = meter(kStream, Meter::Shape::events);
    ASSERT_TRUE(stream.changes_bytes());
    ASSERT_EQ(pass(stream, bytes, size), all({kFirst, kWithout, kDone})) << size;
    ASSERT_TRUE(stream.saw_end()) << size;
    ASSERT_EQ(stream.usage().uncached_in, 5) << size;
  }
}

TEST_F(MeterTest, what_follows_the_last_whole_event_is_not_lost_to_the_filter) {
  Meter stream = meter(kStream, Meter::Shape::events);
  EXPECT_EQ(pass(stream, all({kFirst, "data: tail"}), 3), all({kFirst, "data: tail"}));
}

}  // namespace
}  // namespace claviger::gate
