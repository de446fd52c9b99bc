// What the routes of leaks, hooks and incidents share.
#pragma once

#include <optional>
#include <vector>

#include "console/render.hpp"
#include "console/route.hpp"
#include "steward/incidents.hpp"

namespace claviger::console {

// The body's sha256 field.
Result<std::vector<Digest>> read_hashes(Session& s);
// The body's first_exposed field.
Result<std::optional<Time>> read_exposure(Session& s);
steward::Doer doer_of(const Session& s);
Answer leak_answer(const Session& s, const steward::LeakAnswer& taken);

Json render(const steward::Incident& incident);
// With whether it opens something, its places, timeline and accounting.
Result<Json> incident_detail(Session& s, const steward::Incident& incident);

}  // namespace claviger::console
