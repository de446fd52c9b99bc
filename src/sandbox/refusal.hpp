// The sandbox provider's error bodies, as the three real providers write them.
#pragma once

#include <string>
#include <string_view>

#include "provider/dialect.hpp"

namespace claviger::sandbox {

// `code` is OpenAI's; the others derive their type from the status.
std::string refusal_body(provider::Dialect dialect, int status, std::string_view code,
                         std::string_view message);

}  // namespace claviger::sandbox
