// The sentences of the ledger's refusals: which limit, what is left, when it clears, what to do. Internal.
#pragma once

#include "base/result.hpp"
#include "ledger/budget.hpp"
#include "ledger/calendar.hpp"

namespace claviger::ledger {

std::unexpected<Error> budget_is_zero(const Budget& budget, const WindowSpan& span, Time now);
std::unexpected<Error> over_budget(const Budget& budget, const WindowSpan& span, std::int64_t worst,
                                   std::int64_t left, Time now);
std::unexpected<Error> too_many_at_once(std::uint32_t limit);
std::unexpected<Error> too_many_requests(std::uint32_t limit, std::int64_t wait_ms);
std::unexpected<Error> too_many_tokens(std::uint32_t limit, std::int64_t asked, std::int64_t wait_ms);
std::unexpected<Error> store_failed(std::string detail, std::int64_t wait_ms);

}  // namespace claviger::ledger
