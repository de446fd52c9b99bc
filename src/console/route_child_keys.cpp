// The table of what a virtual key may ask through the gate.
#include "console/route_fields.hpp"

namespace claviger::console {
namespace {

using enum Access;

constexpr Field kChildQuery[] = {
    {"after", text, optional_, "The next of the page before."},
    {"limit", integer, optional_, "Most keys of a page, 1 to 1000; 1000 when absent."},
};

// Through the gate, with a virtual key.
constexpr Route kKeyRoutes[] = {
    {"GET",
     "/claviger/v1/keys",
     "listChildKeys",
     "Lists the keys below the one that asks, oldest first.",
     any,
     list_child_keys,
     {},
     kChildQuery,
     "KeyList"},
    {"POST",
     "/claviger/v1/keys",
     "createChildKey",
     "Issues a child of the key that asks.",
     any,
     create_child_key,
     kKeyBody,
     {},
     "IssuedKey",
     201},
    {"GET",
     "/claviger/v1/keys/{key}",
     "showChildKey",
     "Shows a key below the one that asks.",
     any,
     show_child_key,
     {},
     {},
     "Key"},
    {"DELETE",
     "/claviger/v1/keys/{key}",
     "revokeChildKey",
     "Ends a key below the one that asks, and all below it, for good.",
     any,
     revoke_child_key,
     {},
     {},
     "Key"},
};

}  // namespace

std::span<const Route> key_routes() { return kKeyRoutes; }

}  // namespace claviger::console
