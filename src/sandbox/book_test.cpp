// The sandbox provider's ledger: tiers, caches, rounding, and the JSON that programs read.
#include "sandbox/book.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace claviger::sandbox {
namespace {

constexpr std::int64_t kUsd = 1'000'000'000;

provider::Price row() {
  provider::Price price;
  price.rates.input = 2 * kUsd;
  price.rates.cache_read = kUsd / 2;
  price.rates.cache_write_5m = 3 * kUsd;
  price.rates.output = 8 * kUsd;
  return price;
}

TEST(SandboxBill, PartsOfANanodollarAreRoundedUpOncePerRequest) {
  provider::Price price;
  price.rates.input = 1;
  price.rates.output = 1;
  EXPECT_EQ(bill(price, {1, 0, 0, 1}, Time{}), 1);
  EXPECT_EQ(bill(price, {1'000'000, 0, 0, 1}, Time{}), 2);
  EXPECT_EQ(bill(price, {0, 0, 0, 0}, Time{}), 0);
}

TEST(SandboxBill, CachedTokensArePartOfTheInputAndHaveTheirOwnPrice) {
  EXPECT_EQ(bill(row(), {1000, 400, 100, 10}, Time{}), 500 * 2000 + 400 * 500 + 100 * 3000 + 10 * 8000);
}

TEST(SandboxBill, AboveATierTheWholeRequestCostsMore) {
  provider::Price price = row();
  provider::ContextTier tier{200, price.rates};
  tier.rates.input = 4 * kUsd;
  price.tiers.push_back(tier);
  EXPECT_EQ(bill(price, {200, 0, 0, 0}, Time{}), 200 * 2000);
  EXPECT_EQ(bill(price, {201, 0, 0, 0}, Time{}), 201 * 4000);
}

TEST(SandboxBill, PeakHoursMultiplyOnlyWithinTheirMinutes) {
  provider::Price price = row();
  price.peaks.push_back({60, 120});
  price.peak_percent = 200;
  const std::int64_t minute = 60LL * 1'000'000'000;
  EXPECT_EQ(bill(price, {10, 0, 0, 0}, Time{59 * minute}), 20'000);
  EXPECT_EQ(bill(price, {10, 0, 0, 0}, Time{60 * minute}), 40'000);
  EXPECT_EQ(bill(price, {10, 0, 0, 0}, Time{120 * minute}), 20'000);
}

TEST(SandboxBook, AddsUpAndWritesExactlyTheAgreedFields) {
  Book book;
  book.add({"a", "/v1/messages", "m", "ff", {5, 0, 0, 7}, 11, true});
  book.add({"b", "/v1/messages", "m", "ff", {5, 0, 0, 2}, 4, false});
  const auto json = nlohmann::json::parse(book.json());
  EXPECT_EQ(json, nlohmann::json::parse(R"({"requests":2,"total_cost_nanousd":15,"entries":[
      {"id":"a","path":"/v1/messages","model":"m","key_sha256":"ff","input_tokens":5,"output_tokens":7,
       "cost_nanousd":11,"completed":true},
      {"id":"b","path":"/v1/messages","model":"m","key_sha256":"ff","input_tokens":5,"output_tokens":2,
       "cost_nanousd":4,"completed":false}]})"));
  book.clear();
  EXPECT_EQ(book.total_nanousd(), 0);
}

}  // namespace
}  // namespace claviger::sandbox
