// Globs, checks and the stored form of scopes.
#include "policy/scope.hpp"

#include <fmt/format.h>

#include <array>

#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "wire/json.hpp"

namespace claviger::policy {
namespace {

constexpr std::array<std::string_view, 3> kTiers{"flex", "standard", "priority"};

Result<void> check_count(std::string_view field, std::size_t count) {
  if (count <= limits::kScopeEntries) return {};
  return refuse(Code::invalid_input, fmt::format("{}: at most {} entries", field, limits::kScopeEntries));
}

Result<void> check_words(std::string_view field, const std::vector<std::string>& words) {
  TRY_VOID(check_count(field, words.size()));
  for (const std::string& word : words) {
    bool visible = !word.empty() && word.size() <= limits::kModelName;
    for (const char c : word) visible = visible && c > 0x20 && c < 0x7f;
    if (!visible)
      return refuse(Code::invalid_input, fmt::format("{}: an entry is 1 to {} visible ASCII characters",
                                                     field, limits::kModelName));
  }
  return {};
}

Result<void> check_limit(std::string_view field, const std::optional<std::int64_t>& limit) {
  if (limit && *limit < 1) return refuse(Code::invalid_input, fmt::format("{}: at least 1", field));
  return {};
}

void write_words(JsonWriter& out, std::string_view field, const std::vector<std::string>& words) {
  if (words.empty()) return;
  out.key(field).open('[');
  for (const std::string& word : words) out.text(word);
  out.close(']');
}

std::unexpected<Error> damaged(std::string_view field) {
  return fail(Code::corrupt, fmt::format("the stored scope is damaged at '{}'", field));
}

Result<void> read_words(std::string_view field, wire::JsonValue value, std::vector<std::string>& out) {
  if (!value.is_array()) return damaged(field);
  for (const wire::JsonValue element : value.elements()) {
    auto word = element.text();
    if (!word) return damaged(field);
    out.push_back(std::move(*word));
  }
  return {};
}

Result<void> read_cidrs(wire::JsonValue value, std::vector<Cidr>& out) {
  std::vector<std::string> words;
  TRY_VOID(read_words("cidrs", value, words));
  for (const std::string& word : words) {
    auto cidr = Cidr::parse(word);
    if (!cidr) return damaged("cidrs");
    out.push_back(*cidr);
  }
  return {};
}

Result<void> read_schedules(wire::JsonValue value, std::vector<Schedule>& out) {
  std::vector<std::string> words;
  TRY_VOID(read_words("schedules", value, words));
  for (const std::string& word : words) {
    auto schedule = Schedule::parse(word);
    if (!schedule) return damaged("schedules");
    out.push_back(*std::move(schedule));
  }
  return {};
}

Result<void> read_tier(wire::JsonValue value, std::optional<Tier>& out) {
  out = tier_named(value.text().value_or(""));
  return out ? Result<void>{} : damaged("max_tier");
}

Result<void> read_field(std::string_view name, wire::JsonValue value, Scope& scope) {
  if (name == "models") return read_words(name, value, scope.models);
  if (name == "endpoints") return read_words(name, value, scope.endpoints);
  if (name == "cidrs") return read_cidrs(value, scope.cidrs);
  if (name == "schedules") return read_schedules(value, scope.schedules);
  if (name == "tools") return read_words(name, value, scope.tools);
  if (name == "max_tier") return read_tier(value, scope.max_tier);
  const auto number = value.integer();
  if (!number) return damaged(name);
  if (name == "max_output_tokens") return scope.max_output_tokens = *number, Result<void>{};
  if (name == "max_choices") return scope.max_choices = *number, Result<void>{};
  return damaged(name);
}

}  // namespace

// The usual two pointers with one point to fall back to: the last star seen takes one more byte.
bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;  // where the last star's run ends
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string_view tier_name(Tier tier) { return kTiers[static_cast<std::size_t>(tier)]; }

std::optional<Tier> tier_named(std::string_view name) {
  for (std::size_t i = 0; i < kTiers.size(); ++i)
    if (kTiers[i] == name) return static_cast<Tier>(i);
  return std::nullopt;
}

Result<void> check_scope(const Scope& scope) {
  TRY_VOID(check_words("models", scope.models));
  TRY_VOID(check_words("endpoints", scope.endpoints));
  TRY_VOID(check_words("tools", scope.tools));
  TRY_VOID(check_count("cidrs", scope.cidrs.size()));
  TRY_VOID(check_count("schedules", scope.schedules.size()));
  TRY_VOID(check_limit("max_output_tokens", scope.max_output_tokens));
  return check_limit("max_choices", scope.max_choices);
}

std::string scope_text(const Scope& scope) {
  std::string text;
  JsonWriter out(text);
  out.open('{');
  write_words(out, "models", scope.models);
  write_words(out, "endpoints", scope.endpoints);
  std::vector<std::string> cidrs;
  for (const Cidr& cidr : scope.cidrs) cidrs.push_back(cidr.text());
  write_words(out, "cidrs", cidrs);
  if (scope.max_output_tokens) out.field("max_output_tokens", *scope.max_output_tokens);
  if (scope.max_choices) out.field("max_choices", *scope.max_choices);
  std::vector<std::string> schedules;
  for (const Schedule& schedule : scope.schedules) schedules.push_back(schedule.text());
  write_words(out, "schedules", schedules);
  write_words(out, "tools", scope.tools);
  if (scope.max_tier) out.field("max_tier", tier_name(*scope.max_tier));
  out.close('}');
  return text;
}

Result<Scope> parse_scope(std::string_view text) {
  wire::Json json;
  if (!wire::scan(text, json) || !json.root().is_object()) return damaged("scope");
  Scope scope;
  for (const auto& [name, value] : json.root().members()) TRY_VOID(read_field(name, value, scope));
  if (!check_scope(scope)) return damaged("scope");
  return scope;
}

}  // namespace claviger::policy
