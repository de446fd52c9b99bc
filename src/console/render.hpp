// Stored things as JSON, as answers show them. No secret, token or digest ever passes through here.
#pragma once

#include <nlohmann/json.hpp>

#include "identity/admin_token.hpp"
#include "identity/key.hpp"
#include "ledger/ledger.hpp"
#include "steward/alert.hpp"
#include "steward/usage.hpp"
#include "vault/credential.hpp"

namespace claviger::console {

using Json = nlohmann::ordered_json;

// RFC 3339, or null for kNever.
Json time_or_null(Time time);
Json render(const vault::Credential& credential);
// What stops it from above is not looked up here. `now` tells an expired key from an active one. A scope that
// cannot be read is shown as null.
Json render(const identity::Key& key, Time now);
Json render(const ledger::BudgetView& view);
Json render(const identity::AdminToken& token);
Json render(const steward::AlertRow& alert);
// `by` names the groups of the row.
Json render(const steward::UsageRow& row, const std::vector<steward::By>& by);

}  // namespace claviger::console
