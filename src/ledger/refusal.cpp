// Wording of refusals.
#include "ledger/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::ledger {
namespace {

std::string node_words(std::string_view node) {
  if (node == "org") return "the organisation";
  if (node.starts_with("key:")) return "this key";
  const std::size_t colon = node.find(':');
  return fmt::format("{} {}", node.substr(0, colon), node.substr(colon + 1));
}

std::string_view window_adjective(Window window) {
  constexpr std::string_view words[] = {"hourly", "daily", "weekly", "monthly", "total"};
  return words[static_cast<std::size_t>(window)];
}

std::string begins_anew(const WindowSpan& span) {
  if (span.to == kNever) return "It does not begin anew";
  return fmt::format("It begins anew at {}", format_time(span.to));
}

std::unexpected<Error> deny_until(Code code, std::string say, std::int64_t wait_ms) {
  auto refusal = deny(code, std::move(say));
  refusal.error().retry_after_ms = wait_ms;
  return refusal;
}

std::int64_t wait_of(const WindowSpan& span, Time now) {
  if (span.to == kNever) return 0;
  return std::max((span.to.ns - now.ns + 999'999) / 1'000'000, std::int64_t{1});
}

std::string try_again(std::int64_t wait_ms) {
  return fmt::format("Try again in {} s.", (wait_ms + 999) / 1'000);
}

}  // namespace

std::unexpected<Error> budget_is_zero(const Budget& budget, const WindowSpan& span, Time now) {
  return deny_until(
      Code::budget_exceeded,
      fmt::format("The {} budget of {} is 0, so nothing may be spent. Have it raised or removed.",
                  window_adjective(budget.window), node_words(budget.node)),
      wait_of(span, now));
}

std::unexpected<Error> over_budget(const Budget& budget, const WindowSpan& span, std::int64_t worst,
                                   std::int64_t left, Time now) {
  return deny_until(
      Code::budget_exceeded,
      fmt::format(
          "The {} budget of {} ({} USD) has {} USD left and this request may cost up to {} USD. {}; ask for "
          "fewer tokens or have the budget raised.",
          window_adjective(budget.window), node_words(budget.node), format_usd(*budget.limit),
          format_usd({std::max(left, std::int64_t{0})}), format_usd({worst}), begins_anew(span)),
      wait_of(span, now));
}

std::unexpected<Error> too_many_at_once(std::uint32_t limit) {
  return deny(
      Code::concurrency_exceeded,
      limit == 0
          ? "This key may have no request in flight. Have its limit raised."
          : fmt::format("This key may have {} requests in flight and has. Wait for one to end.", limit));
}

std::unexpected<Error> too_many_requests(std::uint32_t limit, std::int64_t wait_ms) {
  if (wait_ms == 0)
    return deny(Code::rate_limit_exceeded,
                fmt::format("This key may send {} requests a minute. Have its limit raised.", limit));
  return deny_until(
      Code::rate_limit_exceeded,
      fmt::format("This key may send {} requests a minute and has. {}", limit, try_again(wait_ms)), wait_ms);
}

std::unexpected<Error> too_many_tokens(std::uint32_t limit, std::int64_t asked, std::int64_t wait_ms) {
  if (wait_ms == 0)
    return deny(
        Code::token_limit_exceeded,
        fmt::format("This key may use {} tokens a minute and this request alone may take {}. Ask for fewer.",
                    limit, asked));
  return deny_until(
      Code::token_limit_exceeded,
      fmt::format("This key may use {} tokens a minute; with the {} of this request it would use more. {}",
                  limit, asked, try_again(wait_ms)),
      wait_ms);
}

std::unexpected<Error> store_failed(std::string detail, std::int64_t wait_ms) {
  auto refusal = fail(Code::store_unavailable, std::move(detail));
  refusal.error().retry_after_ms = wait_ms;
  return refusal;
}

}  // namespace claviger::ledger
