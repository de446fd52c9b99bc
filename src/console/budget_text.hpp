// Budgets as people write them.
#pragma once

#include <string>
#include <string_view>

#include "ledger/budget.hpp"

namespace claviger::console {

// A blocking budget of `node` from "5usd/day" or "none/day". Its id follows from node and window, so that
// setting it again changes the same one.
Result<ledger::Budget> read_budget(std::string_view node, std::string_view limit);

}  // namespace claviger::console
