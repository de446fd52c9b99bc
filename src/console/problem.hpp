// Problems: how the admin API says no (RFC 9457).
#pragma once

#include "console/api.hpp"

namespace claviger::console {

// type, title, status, detail, instance, code and request_id. Error::detail stays inside.
ApiResponse problem(const Error& error, const ApiRequest& request);

}  // namespace claviger::console
