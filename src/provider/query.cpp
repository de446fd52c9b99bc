// Queries of request targets: credentials that clients put there, and what may go on to the provider.
#include <cstddef>

#include "provider/route.hpp"

namespace claviger::provider {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Calls f(name, value, whole) for each `&`-separated part; stops and returns false when f does.
template <class F>
bool for_each_parameter(std::string_view query, F f) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    const std::size_t equals = part.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    if (!f(part.substr(0, equals), value, part)) return false;
  }
  return true;
}

// Names are compared decoded: "%6bey" is "key" to the provider as well.
bool is_credential(std::string_view name) {
  return name == "key" || name == "access_token" || name == "api_key" || name == "oauth_token" ||
         name == "api-key" || name == "subscription-key";
}

// Google's system parameters, which change the answer's form: "alt" picks it, "fields" could leave the usage
// out, and
// "$..." are further spellings of such.
struct GeminiQuery {
  int alt_count = 0;
  bool sse = false, json = true, forbidden = false;

  void look(std::string_view name, std::string_view value) {
    if (name == "alt" || name == "$alt") {
      ++alt_count;
      sse = value == "sse";
      json = value == "json";
    } else if (name == "fields" || name.starts_with('$')) {
      forbidden = true;
    }
  }

  Result<void> verdict(const Route& route) const {
    if (forbidden)
      return refuse(Code::invalid_parameter, "fields and $-parameters are refused: they can hide the usage.");
    if (route.streams && (alt_count != 1 || !sse))
      return refuse(Code::invalid_parameter,
                    "Streams are metered as server-sent events here: ask with ?alt=sse, once.");
    if (!route.streams && (alt_count > 1 || !json))
      return refuse(Code::invalid_parameter, "Only alt=json is served here, and alt=sse for streams.");
    return {};
  }
};

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Result<std::string> query_key(std::string_view query) {
  std::optional<std::string> found;
  std::optional<Code> wrong;
  for_each_parameter(query, [&](std::string_view name, std::string_view value, std::string_view) {
    const auto decoded_name = percent_decode(name);
    if (!decoded_name || *decoded_name != "key") return true;
    if (found) return wrong = Code::conflicting_keys, false;
    found = percent_decode(value);
    if (!found) return wrong = Code::malformed_request, false;
    return true;
  });
  if (wrong) return refuse(*wrong);
  return found.value_or(std::string{});
}

Result<std::string> upstream_query(const Route& route, std::string_view query) {
  std::string out;
  GeminiQuery gemini;
  const bool good =
      for_each_parameter(query, [&](std::string_view name, std::string_view value, std::string_view part) {
        const auto key = percent_decode(name), text = percent_decode(value);
        if (!key || !text) return false;
        if (is_credential(*key)) return true;
        gemini.look(*key, *text);
        if (part.empty()) return true;
        if (!out.empty()) out += '&';
        out += part;
        return true;
      });
  if (!good) return refuse(Code::malformed_request, "The query of the request has a broken escape.");
  if (route.dialect == Dialect::gemini) TRY_VOID(gemini.verdict(route));
  return out;
}

}  // namespace claviger::provider
