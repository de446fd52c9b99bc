// The scope of a key: which models, endpoints and networks, and how large a request may be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "policy/ip.hpp"
#include "policy/schedule.hpp"

namespace claviger::policy {

// What a provider is asked to hurry: each is dearer than the one before.
enum class Tier : std::uint8_t { flex, standard, priority };
std::string_view tier_name(Tier tier);
std::optional<Tier> tier_named(std::string_view name);

// An empty list allows all of its kind.
struct Scope {
  std::vector<std::string> models;     // globs: * any run, ? any one byte
  std::vector<std::string> endpoints;  // names as in provider/route.hpp: chat, responses, messages, ...
  std::vector<Cidr> cidrs;             // networks the caller may come from
  std::optional<std::int64_t> max_output_tokens;  // larger wishes are lowered by the gate, not refused
  std::optional<std::int64_t> max_choices;        // n; larger wishes are refused
  std::vector<Schedule> schedules;                // weekly hours; any one of them allows
  std::vector<std::string> tools;                 // globs of "web_search", "function:NAME", ...
  std::optional<Tier> max_tier;                   // dearest service tier that may be asked for
  friend bool operator==(const Scope&, const Scope&) = default;
};

// True when all of `text` matches. Case matters. Time is bounded by the product of the lengths.
bool glob_match(std::string_view pattern, std::string_view text);

// Refuses invalid_input naming the field: too many entries, empty or unprintable globs, limits below 1.
Result<void> check_scope(const Scope& scope);

// The text form that is stored with a key: JSON with stable order and no empty fields.
std::string scope_text(const Scope& scope);
// Reads scope_text's form; refuses corrupt for anything else, so that a damaged scope never becomes a wide
// one.
Result<Scope> parse_scope(std::string_view text);

}  // namespace claviger::policy
