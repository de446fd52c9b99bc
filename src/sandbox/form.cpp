// Splits a form at its boundary and looks for names and files.
#include "sandbox/form.hpp"

namespace claviger::sandbox {
namespace {

std::string between(std::string_view text, std::string_view from, char to) {
  const std::size_t at = text.find(from);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + from.size());
  return std::string(rest.substr(0, rest.find(to)));
}

std::string boundary_in(std::string_view content_type) {
  std::string boundary = between(content_type, "boundary=", ';');
  if (boundary.starts_with('"')) boundary = between(content_type, "boundary=\"", '"');
  return boundary;
}

}  // namespace

bool is_form(std::string_view content_type) {
  return content_type.find("form-data") != std::string_view::npos;
}

Sent read_sent(std::string_view content_type, std::string_view body) {
  Sent out;
  const std::string mark = "--" + boundary_in(content_type);
  std::size_t at = body.find(mark);
  while (at != std::string_view::npos) {
    const std::size_t begin = at + mark.size();
    const std::size_t end = body.find("\r\n" + mark, begin);
    if (end == std::string_view::npos) break;
    const std::string_view part = body.substr(begin, end - begin);
    const std::size_t blank = part.find("\r\n\r\n");
    if (blank != std::string_view::npos) {
      const std::string_view head = part.substr(0, blank);
      const std::string data(part.substr(blank + 4));
      if (head.find("filename") != std::string_view::npos)
        out.files.push_back(data);
      else
        out.fields[between(head, "name=\"", '"')] = data;
    }
    at = end + 2;
  }
  return out;
}

}  // namespace claviger::sandbox
