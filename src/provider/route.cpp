// Matching of method and path against the route table, on the raw path in strict normal form.
#include "provider/route.hpp"

#include <cstddef>

namespace claviger::provider {
namespace {

// Escapes that decode to a separator, a dot, a percent sign or a control byte would let the gate and the
// provider read two different paths.
bool dangerous_escape(std::string_view escape) {
  const auto decoded = percent_decode(escape);
  if (!decoded) return true;
  const auto byte = static_cast<unsigned char>((*decoded)[0]);
  return byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\' || byte == '.' || byte == '%';
}

bool normal_form(std::string_view path) {
  if (path.empty() || path[0] != '/') return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto byte = static_cast<unsigned char>(path[i]);
    if (byte <= 0x20 || byte >= 0x7f || byte == '\\' || byte == '?' || byte == '#') return false;
    if (byte == '%' && dangerous_escape(path.substr(i, 3))) return false;
  }
  std::string_view rest = path.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment == "." || segment == "..") return false;
    if (slash == std::string_view::npos) return true;
    if (segment.empty()) return false;
    rest.remove_prefix(slash + 1);
  }
}

// Takes one segment off the front of `path` ("/a/b" -> "a", "/b"); nullopt when nothing is left.
std::optional<std::string_view> take_segment(std::string_view& path) {
  if (path.empty()) return std::nullopt;
  const std::size_t end = path.find('/', 1);
  const std::string_view segment = path.substr(1, end == std::string_view::npos ? end : end - 1);
  path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  return segment;
}

// One segment against its pattern; "{name}" stands for at least one byte and may have a literal after it.
// Google hangs verbs behind a colon, so a bare name there has none; OpenAI's fine-tuned models are named with
// colons.
bool segment_fits(std::string_view pattern, std::string_view segment, bool verbs, std::string_view& model) {
  if (!pattern.starts_with('{')) return pattern == segment;
  const std::size_t close = pattern.find('}');
  const std::string_view tail = pattern.substr(close + 1);
  if (segment.size() <= tail.size() || !segment.ends_with(tail)) return false;
  if (verbs && tail.empty() && segment.find(':') != std::string_view::npos) return false;
  if (pattern.substr(0, close + 1) == "{model}") model = segment.substr(0, segment.size() - tail.size());
  return true;
}

bool path_fits(std::string_view pattern, std::string_view path, std::string_view& model) {
  const bool verbs = pattern.starts_with("/v1beta/");
  while (true) {
    const auto wanted = take_segment(pattern);
    if (wanted == "**") return true;
    const auto got = take_segment(path);
    if (!wanted || !got) return !wanted && !got;
    if (!segment_fits(*wanted, *got, verbs, model)) return false;
  }
}

// The protocol of a caller whose path fits nothing, for the form of the error.
Dialect dialect_of(Speaker speaker) {
  switch (speaker) {
    case Speaker::anthropic:
      return Dialect::anthropic;
    case Speaker::gemini:
      return Dialect::gemini;
    case Speaker::any:
      break;
  }
  return Dialect::openai;
}

Dialect guess_dialect(std::string_view path, Speaker speaker) {
  if (path.starts_with("/v1beta/") || path.starts_with("/upload/") || path.starts_with("/v1alpha/"))
    return Dialect::gemini;
  if (path.starts_with("/model/")) return Dialect::bedrock;
  if (speaker == Speaker::anthropic || path.starts_with("/v1/messages")) return Dialect::anthropic;
  if (speaker == Speaker::gemini) return Dialect::gemini;
  const bool gemini_call = path.starts_with("/v1/models/") && path.find(':') != std::string_view::npos;
  return gemini_call ? Dialect::gemini : Dialect::openai;
}

std::unexpected<Error> not_served(const Route* same_path, std::string_view method) {
  if (!same_path) return refuse(Code::unknown_route);
  std::string say(method.substr(0, 16));
  say += " is not served on this path; it takes ";
  say += same_path->method;
  say += '.';
  return refuse(Code::unsupported_method, std::move(say));
}

}  // namespace

RouteMatch match(std::string_view method, std::string_view path, Speaker speaker) {
  RouteMatch out;
  out.dialect = guess_dialect(path, speaker);
  if (!normal_form(path)) {
    out.verdict =
        refuse(Code::malformed_request,
               "The path is not in normal form: no empty or dotted segments, no escaped separators.");
    return out;
  }
  const Dialect spoken = dialect_of(speaker);
  const Route* same_path = nullptr;
  for (const Route& row : routes()) {
    std::string_view model;
    if (!path_fits(row.pattern, path, model)) continue;
    if (row.method != "*" && row.method != method) {
      if (!same_path) same_path = &row;
      continue;
    }
    const bool preferred = row.dialect == spoken;
    if (out.route && !preferred) continue;
    out.route = &row;
    out.model = model;
    if (preferred) break;
  }
  if (!out.route) {
    out.verdict = not_served(same_path, method);
    return out;
  }
  out.dialect = out.route->dialect;
  if (!out.route->served) out.verdict = refuse(Code::route_refused, std::string(out.route->why_refused));
  return out;
}

}  // namespace claviger::provider
