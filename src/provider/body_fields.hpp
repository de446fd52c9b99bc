// The plain fields of a request body, whether it is JSON or a form.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "provider/json_look.hpp"
#include "wire/multipart.hpp"

namespace claviger::provider {

// Views into a body that outlives it. A field that is not there or null reads as empty, nullopt or false;
// one of another type is refused as invalid_parameter.
class BodyFields {
 public:
  explicit BodyFields(wire::JsonValue root) : root_(root) {}
  explicit BodyFields(const wire::Form& form) : form_(&form) {}

  Result<std::string> text(std::string_view name) const {
    if (form_ == nullptr) return read_text(root_, name);
    const wire::FormPart* part = form_->find(name);
    if (part == nullptr) return std::string{};
    if (part->is_file) return bad_parameter(name, "may not be a file.");
    return std::string(part->data);
  }

  Result<std::optional<std::int64_t>> count(std::string_view name) const {
    if (form_ == nullptr) return read_count(root_, name);
    TRY(const std::string value, text(name));
    if (value.empty()) return std::optional<std::int64_t>{};
    std::int64_t number = -1;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    if (read.ec != std::errc{} || read.ptr != value.data() + value.size() || number < 0 || number > INT32_MAX)
      return bad_parameter(name, "must be a whole number.");
    return std::optional(number);
  }

  Result<bool> flag(std::string_view name) const {
    if (form_ == nullptr) return read_flag(root_, name);
    TRY(const std::string value, text(name));
    if (value.empty() || value == "false") return false;
    if (value != "true") return bad_parameter(name, "must be true or false.");
    return true;
  }

 private:
  wire::JsonValue root_;
  const wire::Form* form_ = nullptr;
};

}  // namespace claviger::provider
