// From a body's fields to a key: what is asked, what a parent leaves of it, and the making.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "console/route.hpp"
#include "identity/key.hpp"
#include "ledger/budget.hpp"

namespace claviger::console {

// A key to be made, with its own budgets.
struct KeyWish {
  identity::KeyDraft draft;
  std::vector<ledger::Budget> budgets;
  bool canary = false;  // any use is an incident
};

// Reads the body. Under a parent (its id, or empty) everything left out is the parent's, and scope_exceeded
// says which field asks for more than the parent has; team, project and environment are the parent's always.
Result<KeyWish> read_wish(Session& s, std::string_view parent);

// Makes the key on record, with its budgets and its Idempotency-Key, and shows its token once. A repetition
// makes nothing and shows the first one's key without its token.
Result<Answer> issue(Session& s, std::string_view parent);

// The key as this caller may see it. Production does not exist for developers, nor do other keys for a key.
Result<identity::Key> find_key(Session& s, std::string_view id);
// A key with what stops it from above.
Result<nlohmann::ordered_json> shown_key(Session& s, const identity::Key& key);
// One page of the keys that fit the filter, as the query's `after` and `limit` say; `most` keys at most.
Result<Answer> page_of_keys(Session& s, identity::KeyFilter filter, std::int64_t most);

// The answer to a repeated request with an Idempotency-Key, when it is one.
Result<std::optional<Answer>> repeated(Session& s);
// What remember() was told by the first request with this Idempotency-Key; refuses conflict.
Result<std::optional<std::string>> remembered(Session& s);
Result<void> remember(Session& s, store::Tx& tx, std::string_view id);
Answer show_once(Session& s, int status, identity::Issued issued);

}  // namespace claviger::console
