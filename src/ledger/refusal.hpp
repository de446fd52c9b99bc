// The sentences of the ledger's refusals: which limit, what is left, when it clears, what to do. Internal.
#pragma once

#include "base/result.hpp"
#include "ledger/budget.hpp"
#include "ledger/calendar.hpp"

namespace claviger::ledger {

// `key`: the caller's own id, by which its budgets are told from those of the keys above it.
std::unexpected<Error> budget_is_zero(std::string_view key, const Budget& budget, const WindowSpan& span,
                                      Time now);
std::unexpected<Error> over_budget(std::string_view key, const Budget& budget, const WindowSpan& span,
                                   std::int64_t worst, std::int64_t left, Time now);
// `whose`: the id of a key above the caller's; empty: the caller's own.
std::unexpected<Error> too_many_at_once(std::string_view whose, std::uint32_t limit);
std::unexpected<Error> too_many_requests(std::string_view whose, std::uint32_t limit, std::int64_t wait_ms);
std::unexpected<Error> too_many_tokens(std::string_view whose, std::uint32_t limit, std::int64_t asked,
                                       std::int64_t wait_ms);
std::unexpected<Error> store_failed(std::string detail, std::int64_t wait_ms);

}  // namespace claviger::ledger
