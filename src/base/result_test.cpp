// Errors: the table of codes holds together, and TRY hands errors on.
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace claviger {
namespace {

Result<int> number(int value) {
  if (value < 0) return fail(Code::internal, "negative");
  return value;
}
Result<int> sum(int a, int b) {
  TRY(const int one, number(a));
  TRY(const int other, number(b));
  return one + other;
}
Result<void> both(int a, int b) {
  TRY_VOID(sum(a, 0));
  TRY_VOID(sum(b, 0));
  return {};
}
Result<std::unique_ptr<int>> moved() { return std::make_unique<int>(4); }
Result<int> unwrapped() {
  TRY(const std::unique_ptr<int> value, moved());
  return *value;
}

TEST(Try, the_first_error_is_handed_on_whole) {
  const auto result = sum(1, -1);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::internal);
  EXPECT_EQ(result.error().detail, "negative");
}

TEST(Try, an_error_ends_a_function_without_value) {
  EXPECT_FALSE(both(-1, 1).has_value());
  EXPECT_FALSE(both(1, -1).has_value());
  EXPECT_TRUE(both(1, 1).has_value());
}

TEST(Try, values_pass_even_those_that_can_only_be_moved) {
  EXPECT_EQ(sum(1, 2).value(), 3);
  EXPECT_EQ(unwrapped().value(), 4);
}

TEST(Codes, each_has_a_name_of_its_own_an_error_status_and_a_sentence) {
  std::set<std::string_view> names;
  for (int i = 0; i < kCodeCount; ++i) {
    const Code code = static_cast<Code>(i);
    EXPECT_TRUE(names.insert(code_name(code)).second) << code_name(code);
    EXPECT_GE(http_status(code), 400) << code_name(code);
    EXPECT_LE(http_status(code), 599) << code_name(code);
    EXPECT_TRUE(client_text(code).ends_with('.')) << code_name(code);
  }
}

TEST(Codes, no_client_error_but_a_timeout_is_worth_repeating_unchanged) {
  for (int i = 0; i < kCodeCount; ++i) {
    const Code code = static_cast<Code>(i);
    if (retry_of(code) == Retry::client && code != Code::request_timeout)
      EXPECT_GE(http_status(code), 500) << code_name(code);
  }
}

TEST(Codes, name_status_and_retry_stand_as_in_the_table) {
  EXPECT_EQ(code_name(Code::budget_exceeded), "budget_exceeded");
  EXPECT_EQ(http_status(Code::budget_exceeded), 429);
  EXPECT_EQ(retry_of(Code::budget_exceeded), Retry::never);
  EXPECT_EQ(retry_of(Code::rate_limit_exceeded), Retry::soon);
  EXPECT_EQ(http_status(Code::request_timeout), 408);
  EXPECT_EQ(retry_of(Code::upstream_failed), Retry::client);
}

TEST(Refusals, each_shorthand_carries_its_origin) {
  EXPECT_EQ(refuse(Code::invalid_json).error().origin, Origin::client);
  EXPECT_EQ(deny(Code::model_denied).error().origin, Origin::policy);
  EXPECT_EQ(fail(Code::io_failed, "x").error().origin, Origin::internal);
  EXPECT_EQ(fail_upstream(Code::upstream_failed, "x").error().origin, Origin::upstream);
  EXPECT_EQ(origin_name(Origin::client), "client");
  EXPECT_EQ(origin_name(Origin::policy), "policy");
  EXPECT_EQ(origin_name(Origin::upstream), "upstream");
  EXPECT_EQ(origin_name(Origin::internal), "internal");
}

TEST(Refusals, the_detail_is_never_what_a_client_is_told) {
  const Error error = fail(Code::io_failed, "disk /dev/sda is full").error();
  EXPECT_EQ(told(error), client_text(Code::io_failed));
  EXPECT_EQ(told(fail(Code::io_failed, "disk", "Try again later.").error()), "Try again later.");
}

}  // namespace
}  // namespace claviger
