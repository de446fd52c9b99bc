// Filling templates in.
#include "provider/admin_template.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "provider/admin.hpp"
#include "wire/json.hpp"

namespace claviger::provider {
namespace {

constexpr std::array<std::string_view, 6> kForms{"int", "list", "json", "unix", "date", "path"};

struct Place {
  std::string_view name, form;
  std::optional<std::string_view> preset;
  bool optional = false;
};

// What stands between the braces.
Place place_of(std::string_view spec) {
  Place place;
  const std::size_t colon = spec.rfind(':');
  if (colon != std::string_view::npos && std::ranges::find(kForms, spec.substr(colon + 1)) != kForms.end()) {
    place.form = spec.substr(colon + 1);
    spec = spec.substr(0, colon);
  }
  const std::size_t bar = spec.find('|');
  if (bar != std::string_view::npos) place.preset = spec.substr(bar + 1);
  place.name = spec.substr(0, bar);
  place.optional = place.name.ends_with('?');
  if (place.optional) place.name.remove_suffix(1);
  return place;
}

std::unexpected<Error> unfit(const Place& place, std::string_view what) {
  return refuse(Code::invalid_parameter, fmt::format("{} {}.", place.name, what));
}

std::string list_of(std::string_view text) {
  std::string out;
  JsonWriter writer(out);
  writer.open('[');
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (end > 0) writer.text(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  writer.close(']');
  return out;
}

Result<std::string> formed(const Place& place, std::string_view value) {
  if (place.form == "int") {
    if (value.find_first_not_of("0123456789") != std::string_view::npos)
      return unfit(place, "is not a whole number");
  } else if (place.form == "json") {
    wire::Json json;
    if (!wire::scan(value, json)) return unfit(place, "is not JSON");
  } else if (place.form == "list") {
    return list_of(value);
  } else if (place.form == "unix" || place.form == "date") {
    const auto time = parse_time(value);
    if (!time) return unfit(place, "is not a time");
    if (place.form == "date") return format_time(*time).substr(0, 10);
    return std::to_string(time->ns / 1'000'000'000);
  } else if (place.form == "path" &&
             (value.starts_with('/') || value.contains("..") || value.contains("//"))) {
    return unfit(place, "is not a resource's name");
  }
  return std::string(value);
}

// A key's id may have several names in a list; a value never has control characters.
Result<std::optional<std::string>> value_of(const Place& place, const Values& values) {
  const auto found = values.find(place.name);
  std::string_view value = found == values.end() ? std::string_view() : std::string_view(found->second);
  if (value.empty() && place.preset) {
    const auto other = values.find(*place.preset);  // {page|from}: another value
    value = other == values.end() ? *place.preset : std::string_view(other->second);
  } else if (value.empty()) {
    if (place.optional) return std::optional<std::string>{};
    return unfit(place, "is needed");
  }
  if (std::ranges::any_of(value, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
    return unfit(place, "has characters that cannot be sent");
  TRY(std::string text, formed(place, value));
  return std::optional(std::move(text));
}

bool is_raw(std::string_view form) { return form == "int" || form == "json" || form == "list"; }

// The whole text is one place whose value is JSON already.
bool stands_alone(std::string_view text) {
  return text.starts_with('{') && text.find('}') == text.size() - 1 &&
         is_raw(place_of(text.substr(1, text.size() - 2)).form);
}

}  // namespace

std::string url_escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      (out += '%').append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
  }
  return out;
}

Result<std::optional<std::string>> fill(std::string_view text, const Values& values, Writing writing) {
  const bool raw = writing == Writing::json && stands_alone(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('{'), text.size());
    out.append(text.substr(0, open));
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::size_t close = std::min(text.find('}'), text.size() - 1);
    const Place place = place_of(text.substr(1, close - 1));
    text.remove_prefix(close + 1);
    if (place.name == "secret") {
      out.append(place.form == "list" ? "[\"" : "")
          .append(kSecretMark)
          .append(place.form == "list" ? "\"]" : "");
      continue;
    }
    TRY(const auto value, value_of(place, values));
    if (!value) return std::optional<std::string>{};
    if (writing != Writing::url) {
      out += *value;
    } else if (place.form == "path") {
      for (std::string_view rest = *value; !rest.empty();) {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        out.append(url_escaped(rest.substr(0, slash))).append(slash < rest.size() ? "/" : "");
        rest.remove_prefix(std::min(slash + 1, rest.size()));
      }
    } else {
      out += url_escaped(*value);
    }
  }
  if (writing != Writing::json || raw) return std::optional(std::move(out));
  std::string quoted;
  append_json_string(quoted, out);
  return std::optional(std::move(quoted));
}

}  // namespace claviger::provider
