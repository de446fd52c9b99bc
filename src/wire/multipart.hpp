// multipart/form-data, looked at in place: the strict subset that every parser reads in the same way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace claviger::wire {

// One part. Views into the body.
struct FormPart {
  std::string_view name;
  std::string_view filename;
  std::string_view content_type;
  std::string_view data;
  bool is_file = false;  // it has a filename, though that may be empty
};

// A form that was read. The body stays the caller's and must outlive it.
class Form {
 public:
  const std::vector<FormPart>& parts() const { return parts_; }
  // The only part of that name; nullptr when there is none.
  const FormPart* find(std::string_view name) const;
  void clear() { parts_.clear(); }

 private:
  friend Result<void> read_form(std::string_view, std::string_view, Form&);
  std::vector<FormPart> parts_;
};

// Whether a content type says multipart/form-data, whatever its case.
bool is_form(std::string_view content_type);

// Reads all of `body` with the boundary of `content_type`: no text before the first or behind the last
// boundary, lines ended by CRLF, one Content-Disposition a part with a plain quoted name, no transfer
// encoding, no continued or doubled header, no name twice unless it ends in "[]". Refuses invalid_form,
// saying what is wrong; `out` is then empty.
Result<void> read_form(std::string_view content_type, std::string_view body, Form& out);

}  // namespace claviger::wire
