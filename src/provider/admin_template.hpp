// Texts with values in them: "{name}", "{name?}", "{name|preset}", "{name:int}".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "provider/adapter.hpp"

namespace claviger::provider {

enum class Writing : std::uint8_t {
  plain,
  url,  // escaped for a path, query or form
  json  // a whole JSON value
};

// The text with its values. Nothing when a value that may be missing is. Refuses (invalid_parameter) when one
// that must be there is missing, or cannot be written in the way that is asked for.
Result<std::optional<std::string>> fill(std::string_view text, const Values& values, Writing writing);

std::string url_escaped(std::string_view text);

}  // namespace claviger::provider
