// A form as the sandbox provider reads it: by its own means, more leniently than the gate.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/draft.hpp"

namespace claviger::sandbox {

struct Sent {
  Json fields = Json::object();    // texts by name; of a doubled name the last
  std::vector<std::string> files;  // contents of the files, in order
};

// Nothing when the content type is not multipart/form-data.
bool is_form(std::string_view content_type);
Sent read_sent(std::string_view content_type, std::string_view body);

}  // namespace claviger::sandbox
