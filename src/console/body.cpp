// Strict reading of bodies and queries.
#include "console/body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/wipe.hpp"
#include "provider/route.hpp"
#include "wire/json.hpp"

namespace claviger::console {
namespace {

constexpr std::size_t kNameShown = 64;

const Field* find_field(std::span<const Field> fields, std::string_view name) {
  const auto at = std::ranges::find(fields, name, &Field::name);
  return at == fields.end() ? nullptr : &*at;
}

std::string known(std::span<const Field> fields) {
  std::string names;
  for (const Field& field : fields) names.append(names.empty() ? "" : ", ").append(field.name);
  return names.empty() ? "none" : names;
}

std::unexpected<Error> unknown_field(std::string_view what, std::string_view name,
                                     std::span<const Field> fields) {
  return refuse(Code::invalid_input, fmt::format("{}: there is no such {}; known are: {}",
                                                 name.substr(0, kNameShown), what, known(fields)));
}

std::unexpected<Error> wrong_type(const Field& field) {
  constexpr std::string_view names[] = {"a text",
                                        "an integer",
                                        "true or false",
                                        "a list of texts",
                                        "a list of integers",
                                        "an object",
                                        "a list of objects",
                                        "a list of texts or objects"};
  return refuse(Code::invalid_input,
                fmt::format("{}: must be {}", field.name, names[static_cast<std::size_t>(field.type)]));
}

template <class T, class Read>
std::optional<std::vector<T>> read_list(wire::JsonValue value, Read read) {
  if (!value.is_array()) return std::nullopt;
  std::vector<T> list;
  for (const wire::JsonValue element : value.elements()) {
    auto one = read(element);
    if (!one) return std::nullopt;
    list.push_back(std::move(*one));
  }
  return list;
}

}  // namespace

Result<Body> Body::read(std::string_view json, std::span<const Field> fields) {
  wire::Json scanned;
  TRY_VOID(wire::scan(json.empty() ? std::string_view("{}") : json, scanned));
  if (!scanned.root().is_object()) return refuse(Code::invalid_json, "The body must be a JSON object.");
  Body body;
  for (const auto& [name, value] : scanned.root().members()) {
    const Field* field = find_field(fields, name);
    if (field == nullptr) return unknown_field("field", name, fields);
    if (value.is_null() && field->need == Need::optional_) continue;
    const auto put = [&](auto read) -> Result<void> {
      if (!read) return wrong_type(*field);
      body.values_.emplace(std::string(field->name), std::move(*read));
      return {};
    };
    switch (field->type) {
      case Type::text:
        TRY_VOID(put(value.text()));
        break;
      case Type::integer:
        TRY_VOID(put(value.integer()));
        break;
      case Type::boolean:
        TRY_VOID(put(value.boolean()));
        break;
      case Type::texts:
        TRY_VOID(put(read_list<std::string>(value, [](wire::JsonValue v) { return v.text(); })));
        break;
      case Type::integers:
        TRY_VOID(put(read_list<std::int64_t>(value, [](wire::JsonValue v) { return v.integer(); })));
        break;
      case Type::places:
        TRY_VOID(put(read_list<std::string>(value, [](wire::JsonValue v) {
          return v.is_object() ? std::optional(std::string(v.raw())) : v.text();
        })));
        break;
      case Type::object:
      case Type::objects:
        return wrong_type(*field);
    }
  }
  for (const Field& field : fields)
    if (field.need == Need::required && !body.has(field.name))
      return refuse(Code::invalid_input, fmt::format("{}: is missing", field.name));
  return body;
}

Body::~Body() {
  for (auto& [name, value] : values_)
    if (auto* text = std::get_if<std::string>(&value)) crypto::wipe(*text);
}

const std::string& Body::text(std::string_view name) const {
  static const std::string none;
  const auto at = values_.find(name);
  return at == values_.end() ? none : std::get<std::string>(at->second);
}

std::string Body::take_text(std::string_view name) {
  const auto at = values_.find(name);
  return at == values_.end() ? std::string() : std::move(std::get<std::string>(at->second));
}

std::optional<std::int64_t> Body::integer(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? std::nullopt : std::optional(std::get<std::int64_t>(at->second));
}

std::optional<bool> Body::boolean(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? std::nullopt : std::optional(std::get<bool>(at->second));
}

const std::vector<std::string>& Body::texts(std::string_view name) const {
  static const std::vector<std::string> none;
  const auto at = values_.find(name);
  return at == values_.end() ? none : std::get<std::vector<std::string>>(at->second);
}

const std::vector<std::int64_t>& Body::integers(std::string_view name) const {
  static const std::vector<std::int64_t> none;
  const auto at = values_.find(name);
  return at == values_.end() ? none : std::get<std::vector<std::int64_t>>(at->second);
}

Result<Query> Query::read(std::string_view query, std::span<const Field> fields) {
  Query made;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto name = provider::percent_decode(pair.substr(0, equals));
    const auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                        : provider::percent_decode(pair.substr(equals + 1));
    if (!name || !value) return refuse(Code::invalid_input, "The query is not percent-encoded correctly.");
    const Field* field = find_field(fields, *name);
    if (field == nullptr) return unknown_field("parameter", *name, fields);
    if (!made.values_.emplace(*name, *value).second)
      return refuse(Code::invalid_input, fmt::format("{}: is given twice", field->name));
  }
  for (const Field& field : fields)
    if (field.need == Need::required && made.text(field.name).empty())
      return refuse(Code::invalid_input, fmt::format("{}: is missing", field.name));
  return made;
}

const std::string& Query::text(std::string_view name) const {
  static const std::string none;
  const auto at = values_.find(name);
  return at == values_.end() ? none : at->second;
}

Result<std::int64_t> Query::number(std::string_view name, std::int64_t fallback, std::int64_t most) const {
  const std::string& written = text(name);
  if (written.empty()) return fallback;
  std::int64_t value = 0;
  const auto read = std::from_chars(written.data(), written.data() + written.size(), value);
  if (read.ec != std::errc{} || read.ptr != written.data() + written.size() || value < 1 || value > most)
    return refuse(Code::invalid_input, fmt::format("{}: a number from 1 to {}", name, most));
  return value;
}

Result<Time> read_expiry(std::string_view text, Time now) {
  if (text.empty()) return kNever;
  if (const auto lifetime = parse_duration(text)) return now + *lifetime;
  if (const auto at = parse_time(text)) return *at;
  return refuse(
      Code::invalid_input,
      fmt::format("expires: '{}' is neither a lifetime like 30d nor a time like 2026-12-31T23:59:59Z", text));
}

}  // namespace claviger::console
