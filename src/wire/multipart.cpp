// Reading forms. Whatever two parsers could read differently is refused, so that what the gate judges is what
// the provider does.
#include "wire/multipart.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace claviger::wire {
namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kForm = "multipart/form-data";

std::unexpected<Error> bad(std::string_view what) {
  std::string say = "The form body cannot be read: ";
  say += what;
  return refuse(Code::invalid_form, std::move(say));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view lower_b) {
  return a.size() == lower_b.size() &&
         std::equal(a.begin(), a.end(), lower_b.begin(), [](char x, char y) { return lower(x) == y; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

// One `; name=value` off the front of `rest`; false at its end or when it is not one.
struct Parameter {
  std::string_view name, value;
  bool quoted = false;
};
bool take_parameter(std::string_view& rest, Parameter& out, bool& broken) {
  rest = trimmed(rest);
  if (rest.empty()) return false;
  broken = true;
  if (rest.front() != ';') return false;
  rest = trimmed(rest.substr(1));
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos) return false;
  out.name = rest.substr(0, equals);
  rest.remove_prefix(equals + 1);
  out.quoted = rest.starts_with('"');
  // A filename may hold escaped quotes; a name never does, which is looked at by whoever asked for it.
  std::size_t end = out.quoted ? 1 : 0;
  while (end < rest.size() && (out.quoted ? rest[end] != '"' : rest[end] != ';' && rest[end] != ' '))
    end += out.quoted && rest[end] == '\\' ? 2 : 1;
  if (out.quoted && end >= rest.size()) return false;
  end = std::min(end, rest.size());
  out.value = out.quoted ? rest.substr(1, end - 1) : rest.substr(0, end);
  rest.remove_prefix(out.quoted ? end + 1 : end);
  broken = !is_token(out.name) || (!out.quoted && !is_token(out.value));
  return !broken;
}

Result<std::string> boundary_of(std::string_view content_type) {
  std::string_view rest = content_type.substr(kForm.size());
  std::string boundary;
  Parameter one;
  bool broken = false;
  while (take_parameter(rest, one, broken)) {
    if (!same(one.name, "boundary")) continue;
    if (!boundary.empty()) return bad("it names two boundaries.");
    boundary = one.value;
  }
  if (broken) return bad("its content type has a broken parameter.");
  constexpr std::size_t kLongest = 70;  // RFC 2046
  const bool plain = std::ranges::all_of(boundary, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '(' && c != ')' && c != '<' && c != '>';
  });
  if (boundary.empty() || boundary.size() > kLongest || !plain)
    return bad("its content type has no boundary, or one that parsers read differently.");
  return boundary;
}

// A name that stands for itself in every parser.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '[' || c == ']';
  });
}

Result<void> read_disposition(std::string_view value, FormPart& out) {
  constexpr std::string_view kKind = "form-data";
  if (value.size() < kKind.size() || !same(value.substr(0, kKind.size()), kKind))
    return bad("a part is not form-data.");
  std::string_view rest = value.substr(kKind.size());
  Parameter one;
  bool broken = false, named = false, filed = false, filed_wide = false;
  while (take_parameter(rest, one, broken)) {
    if (same(one.name, "name")) {
      if (named || !is_plain_name(one.value)) return bad("a part's name is doubled or not plain.");
      named = true;
      out.name = one.value;
    } else if (same(one.name, "filename") && !filed) {
      filed = out.is_file = true;
      out.filename = one.value;
    } else if (same(one.name, "filename*") && !filed_wide) {
      filed_wide = out.is_file = true;
    } else {
      return bad("a part's disposition has a parameter that is not known or is doubled.");
    }
  }
  if (broken) return bad("a part's disposition has a broken parameter.");
  if (!named) return bad("a part has no name.");
  return {};
}

Result<void> read_header(std::string_view line, FormPart& out) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return bad("a part has a broken or continued header.");
  const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  const bool clean = std::ranges::all_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
  });
  if (!clean) return bad("a part's header has control characters.");
  if (same(name, "content-disposition")) {
    if (!out.name.empty()) return bad("a part has two dispositions.");
    return read_disposition(value, out);
  }
  if (same(name, "content-type")) {
    if (!out.content_type.empty()) return bad("a part has two content types.");
    out.content_type = value;
    return {};
  }
  if (same(name, "content-length")) return {};
  return bad("a part has a header that parsers read differently.");
}

// The head of one part; `rest` stands behind the blank line then.
Result<FormPart> read_head(std::string_view& rest) {
  FormPart out;
  const std::size_t end = rest.substr(0, limits::kFormPartHead).find("\r\n\r\n");
  if (end == std::string_view::npos) return bad("a part's head does not end, or is too long.");
  std::string_view head = rest.substr(0, end + kEnd.size());
  rest.remove_prefix(end + 2 * kEnd.size());
  while (!head.empty()) {
    const std::size_t line = head.find(kEnd);
    TRY_VOID(read_header(head.substr(0, line), out));
    head.remove_prefix(line + kEnd.size());
  }
  if (out.name.empty()) return bad("a part has no disposition.");
  return out;
}

Result<void> read_parts(std::string_view boundary, std::string_view body, std::vector<FormPart>& out) {
  std::string opening = "--";
  opening += boundary;
  const std::string delimiter = std::string(kEnd) + opening;
  if (!body.starts_with(opening)) return bad("it does not begin with its boundary.");
  std::string_view rest = body.substr(opening.size());
  while (rest.starts_with(kEnd)) {
    rest.remove_prefix(kEnd.size());
    if (out.size() == limits::kFormParts) return bad("it has too many parts.");
    TRY(FormPart part, read_head(rest));
    const std::size_t end = rest.find(delimiter);
    if (end == std::string_view::npos) return bad("its last part does not end.");
    part.data = rest.substr(0, end);
    // Lenient parsers end lines, and so parts, at a bare LF.
    if (part.data.find("\n" + opening) != std::string_view::npos || part.data.starts_with(opening))
      return bad("a part holds the boundary.");
    rest.remove_prefix(end + delimiter.size());
    out.push_back(part);
  }
  if (rest != "--" && rest != "--\r\n") return bad("something stands behind a boundary.");
  return {};
}

Result<void> refuse_doubled(const std::vector<FormPart>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (parts[i].name == parts[j].name && !parts[i].name.ends_with("[]")) {
        std::string what = "it names \"";
        what.append(parts[i].name).append("\" twice.");
        return bad(what);
      }
  return {};
}

}  // namespace

const FormPart* Form::find(std::string_view name) const {
  const auto found = std::ranges::find(parts_, name, &FormPart::name);
  return found == parts_.end() ? nullptr : &*found;
}

bool is_form(std::string_view content_type) {
  return content_type.size() >= kForm.size() && same(content_type.substr(0, kForm.size()), kForm) &&
         (content_type.size() == kForm.size() || content_type[kForm.size()] == ';' ||
          content_type[kForm.size()] == ' ');
}

Result<void> read_form(std::string_view content_type, std::string_view body, Form& out) {
  out.parts_.clear();
  if (!is_form(content_type)) return bad("its content type is not multipart/form-data.");
  TRY(const std::string boundary, boundary_of(content_type));
  std::vector<FormPart> parts;
  TRY_VOID(read_parts(boundary, body, parts));
  TRY_VOID(refuse_doubled(parts));
  out.parts_ = std::move(parts);
  return {};
}

}  // namespace claviger::wire
