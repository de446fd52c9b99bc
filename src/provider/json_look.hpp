// Small readings of JSON values that requests and answers share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/json.hpp"

namespace claviger::provider {

// A field counts as given when it is there and not null.
inline bool given(wire::JsonValue value) { return value.exists() && !value.is_null(); }

// The count in `value`, 0 when it is absent, not a whole number or negative: what answers report.
inline std::int64_t count_or_zero(wire::JsonValue value) {
  const auto number = value.exists() ? value.integer() : std::nullopt;
  return number && *number > 0 ? *number : 0;
}

inline std::unexpected<Error> bad_parameter(std::string_view name, std::string_view what) {
  std::string say(name);
  say.append(" ").append(what);
  return refuse(Code::invalid_parameter, std::move(say));
}

// A whole number from 0 to 2^31-1; nullopt when not given. Anything else would be read differently by the
// provider.
inline Result<std::optional<std::int64_t>> read_count(wire::JsonValue object, wire::JsonKey name) {
  const wire::JsonValue value = object[name];
  if (!given(value)) return std::optional<std::int64_t>{};
  const auto number = value.integer();
  if (!number || *number < 0 || *number > INT32_MAX)
    return bad_parameter(name.text, "must be a whole number.");
  return number;
}

inline Result<bool> read_flag(wire::JsonValue object, wire::JsonKey name) {
  const wire::JsonValue value = object[name];
  if (!given(value)) return false;
  const auto flag = value.boolean();
  if (!flag) return bad_parameter(name.text, "must be true or false.");
  return *flag;
}

// A text; empty when not given.
inline Result<std::string> read_text(wire::JsonValue object, wire::JsonKey name) {
  const wire::JsonValue value = object[name];
  if (!given(value)) return std::string{};
  auto text = value.text();
  if (!text) return bad_parameter(name.text, "must be a text.");
  return *std::move(text);
}

}  // namespace claviger::provider
