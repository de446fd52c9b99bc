// Wording of refusals.
#include "ledger/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::ledger {
namespace {

std::string node_words(std::string_view node, std::string_view key) {
  if (node == "org") return "the organisation";
  if (node.starts_with("key:") && node.substr(4) == key) return "this key";
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

std::string subject(std::string_view whose) {
  return whose.empty() ? std::string("This key") : fmt::format("The key {} above this one", whose);
}

std::string try_again(std::int64_t wait_ms) {
  return fmt::format("Try again in {} s.", (wait_ms + 999) / 1'000);
}

}  // namespace

std::unexpected<Error> budget_is_zero(std::string_view key, const Budget& budget, const WindowSpan& span,
                                      Time now) {
  return deny_until(
      Code::budget_exceeded,
      fmt::format("The {} budget of {} is 0, so nothing may be spent. Have it raised or removed.",
                  window_adjective(budget.window), node_words(budget.node, key)),
      wait_of(span, now));
}

std::unexpected<Error> over_budget(std::string_view key, const Budget& budget, const WindowSpan& span,
                                   std::int64_t worst, std::int64_t left, Time now) {
  return deny_until(
      Code::budget_exceeded,
      fmt::format(
          "The {} budget of {} ({} USD) has {} USD left and this request may cost up to {} USD. {}; ask for "
          "fewer tokens or have the budget raised.",
          window_adjective(budget.window), node_words(budget.node, key), format_usd(*budget.limit),
          format_usd({std::max(left, std::int64_t{0})}), format_usd({worst}), begins_anew(span)),
      wait_of(span, now));
}

std::unexpected<Error> too_many_at_once(std::string_view whose, std::uint32_t limit) {
  if (limit == 0)
    return deny(Code::concurrency_exceeded,
                fmt::format("{} may have no request in flight. Have its limit raised.", subject(whose)));
  return deny(
      Code::concurrency_exceeded,
      fmt::format("{} may have {} requests in flight and has. Wait for one to end.", subject(whose), limit));
}

std::unexpected<Error> too_many_requests(std::string_view whose, std::uint32_t limit, std::int64_t wait_ms) {
  if (wait_ms == 0)
    return deny(
        Code::rate_limit_exceeded,
        fmt::format("{} may send {} requests a minute. Have its limit raised.", subject(whose), limit));
  return deny_until(
      Code::rate_limit_exceeded,
      fmt::format("{} may send {} requests a minute and has. {}", subject(whose), limit, try_again(wait_ms)),
      wait_ms);
}

std::unexpected<Error> too_many_tokens(std::string_view whose, std::uint32_t limit, std::int64_t asked,
                                       std::int64_t wait_ms) {
  if (wait_ms == 0)
    return deny(
        Code::token_limit_exceeded,
        fmt::format("{} may use {} tokens a minute and this request alone may take {}. Ask for fewer.",
                    subject(whose), limit, asked));
  return deny_until(
      Code::token_limit_exceeded,
      fmt::format("{} may use {} tokens a minute; with the {} of this request it would use more. {}",
                  subject(whose), limit, asked, try_again(wait_ms)),
      wait_ms);
}

std::unexpected<Error> store_failed(std::string detail, std::int64_t wait_ms) {
  auto refusal = fail(Code::store_unavailable, std::move(detail));
  refusal.error().retry_after_ms = wait_ms;
  return refusal;
}

}  // namespace claviger::ledger
