// A child's scope: never wider than its parent's, provably.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "policy/scope.hpp"

namespace claviger::policy {

// True when every text that `inner` matches is matched by `outer` too. Never true when that is not so.
bool glob_covers(std::string_view outer, std::string_view inner);

// The scope a child gets that asks for `wish`: what is left out is the parent's. Refuses scope_exceeded,
// naming the field and why, unless each entry of a list lies within a single entry of the parent's list
// (schedules: within the parent's hours in the same time zone) and no limit is above the parent's.
Result<Scope> narrow(const Scope& parent, const Scope& wish);

// One number of a child: the parent's when there is no wish; refuses scope_exceeded when the wish is above
// it.
Result<std::optional<std::int64_t>> narrow_limit(std::string_view field, std::optional<std::int64_t> parent,
                                                 std::optional<std::int64_t> wish);

}  // namespace claviger::policy
