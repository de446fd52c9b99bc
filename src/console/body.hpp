// Fields of bodies and queries: read strictly, so that an unknown or misspelt field never passes unnoticed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace claviger::console {

// places: a list of texts and objects; an object is kept as its JSON text.
enum class Type : std::uint8_t { text, integer, boolean, texts, integers, object, objects, places };
// required: must be given (in an answer: never null). optional_: may be absent or null.
enum class Need : std::uint8_t { required, optional_ };

struct Field {
  std::string_view name;
  Type type = Type::text;
  Need need = Need::optional_;
  std::string_view about;
  std::string_view shape = {};  // of object and objects, which only answers have
};

// A JSON object that holds nothing but known fields of the right types.
class Body {
 public:
  // Refuses invalid_json, duplicate_json_key, json_too_deep, and invalid_input naming the field. An empty
  // text is an empty object.
  static Result<Body> read(std::string_view json, std::span<const Field> fields);
  Body() = default;
  Body(Body&&) = default;
  Body& operator=(Body&&) = default;
  ~Body();  // wipes the texts: one of them may be a secret

  bool has(std::string_view name) const { return values_.contains(name); }
  // Empty when absent.
  const std::string& text(std::string_view name) const;
  // Moves the text out, for secrets: the caller wipes it.
  std::string take_text(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;
  const std::vector<std::string>& texts(std::string_view name) const;
  const std::vector<std::int64_t>& integers(std::string_view name) const;

 private:
  using Value =
      std::variant<std::string, std::int64_t, bool, std::vector<std::string>, std::vector<std::int64_t>>;
  std::map<std::string, Value, std::less<>> values_;
};

// The query's parameters: known names, each once, percent-decoded.
class Query {
 public:
  // Refuses invalid_input naming the parameter.
  static Result<Query> read(std::string_view query, std::span<const Field> fields);

  // Empty when absent.
  const std::string& text(std::string_view name) const;
  // `fallback` when absent; refuses what is not a number from 1 to `most`.
  Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t most) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// "30d" from now, or a time; empty: kNever. Refuses invalid_input.
Result<Time> read_expiry(std::string_view text, Time now);

}  // namespace claviger::console
