// How a refusal goes back: the caller's own dialect, with the headers that keep an SDK from hammering.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "provider/dialect.hpp"

namespace claviger::gate {

enum class AfterRefusal { keep_alive, close };

// A whole HTTP/1.1 response.
std::string refusal_response(const Error& error, provider::Dialect dialect, std::string_view request_id,
                             AfterRefusal after);

}  // namespace claviger::gate
