// The fields of every record in the order of its line: one description that lines are written and read by.
// Internal to this folder.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/limits.hpp"
#include "journal/record.hpp"
#include "wire/byte_words.hpp"

namespace claviger::journal {

inline constexpr std::array<std::string_view, 7> kKinds{"intent", "receipt", "refusal", "admin",
                                                        "alert",  "start",   "stop"};
inline constexpr std::array<std::string_view, kOutcomeCount> kOutcomes{
    "completed",       "client_gone",      "upstream_cut", "cut_by_revocation", "upstream_error",
    "upstream_failed", "upstream_timeout", "shutdown",     "internal",          "presumed"};

// A field's name as it stands in a line: `,"name":`. Written and compared a word at a time.
struct FieldName {
  static constexpr std::size_t kWords = 3;
  static constexpr std::size_t kRoom = 1 + 8 * kWords;

  template <std::size_t n>
  consteval FieldName(const char (&literal)[n]) : FieldName(std::string_view(literal, n - 1)) {}
  consteval explicit FieldName(std::string_view name) : size(name.size() + 4) {
    std::size_t at = 0;
    for (const char c : {',', '"'}) text[at++] = c;
    for (const char c : name) text[at++] = c;
    for (const char c : {'"', ':'}) text[at++] = c;
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::size_t left = size - 1 > 8 * i ? size - 1 - 8 * i : 0;
      masks[i] = left == 0 ? 0 : ~std::uint64_t{0} >> (left < 8 ? 64 - 8 * left : 0);
      words[i] = wire::load_word(text + 1 + 8 * i) & masks[i];
    }
  }

  std::string_view name() const { return {text + 2, size - 4}; }
  // Whether it stands at `at`, behind whatever is in the comma's place; kRoom bytes there can be read.
  bool stands_at(const char* at) const {
    for (std::size_t i = 0; i < kWords; ++i)
      if ((wire::load_word(at + 1 + 8 * i) & masks[i]) != words[i]) return false;
    return true;
  }

  char text[kRoom]{};
  std::size_t size;
  std::uint64_t words[kWords]{};  // the bytes behind the comma, those of `masks`
  std::uint64_t masks[kWords]{};
};

// In the order of provider::kUsageFields.
inline constexpr auto kUsageNames = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array{FieldName(provider::kUsageFields[i].name)...};
}(std::make_index_sequence<provider::kUsageFields.size()>());

// In the order of provider::kHostedTools.
inline constexpr auto kToolNames = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array{FieldName(provider::kHostedTools[i])...};
}(std::make_index_sequence<provider::kHostedTools.size()>());

template <std::size_t n>
int index_of(const std::array<std::string_view, n>& names, std::string_view name) {
  for (std::size_t i = 0; i < n; ++i)
    if (names[i] == name) return static_cast<int>(i);
  return -1;
}

// V is the writer or a reader; `r` may be const.
template <class V>
void fields(auto& r, V& v, std::type_identity<Intent>) {
  v.text("req", r.req);
  v.text("key", r.key);
  v.text("team", r.team);
  v.text("project", r.project);
  v.text("environment", r.environment);
  v.text("lineage", r.lineage);
  v.text("provider", r.provider);
  v.text("route", r.route);
  v.text("model", r.model);
  v.text("credential", r.credential);
  v.number("credential_version", r.credential_version);
  v.number("hold_nanousd", r.hold_nanousd.value);
  v.number("tokens", r.tokens);
  v.number("generation", r.generation);
  v.flag("stream", r.stream);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Receipt>) {
  v.text("req", r.req);
  v.number("intent_at", r.intent_at.ns);
  v.number("intent_epoch", r.intent_epoch);
  v.text("key", r.key);
  v.text("team", r.team);
  v.text("project", r.project);
  v.text("environment", r.environment);
  v.text("lineage", r.lineage);
  v.text("provider", r.provider);
  v.text("route", r.route);
  v.text("endpoint", r.endpoint);
  v.text("model", r.model);
  v.text("credential", r.credential);
  v.number("credential_version", r.credential_version);
  v.number("status", r.status);
  v.outcome("outcome", r.outcome);
  v.usage("usage", r.usage);
  v.number("cost_nanousd", r.cost_nanousd.value);
  v.number("hold_nanousd", r.hold_nanousd.value);
  v.flag("estimated", r.estimated);
  v.flag("presumed", r.presumed);
  v.text("price_version", r.price_version);
  v.number("ms", r.ms);
  v.number("ttfb_ms", r.ttfb_ms);
  v.number("bytes_in", r.bytes_in);
  v.number("bytes_out", r.bytes_out);
  v.text("ip", r.ip);
  v.text("user_agent", r.user_agent);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Refusal>) {
  v.text("req", r.req);
  v.text("key", r.key);
  v.code("code", r.code);
  v.origin("origin", r.origin);
  v.number("status", r.status);
  v.text("route", r.route);
  v.text("model", r.model);
  v.text("ip", r.ip);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Admin>) {
  v.text("actor", r.actor);
  v.text("role", r.role, limits::kName);
  v.text("action", r.action, limits::kName);
  v.text("subject", r.subject);
  v.text("detail", r.detail, kDetail);
  v.text("ip", r.ip);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Alert>) {
  v.text("kind", r.kind, limits::kName);
  v.text("subject", r.subject);
  v.text("budget", r.budget);
  v.number("window_start", r.window_start.ns);
  v.number("threshold", r.threshold);
  v.number("amount_nanousd", r.amount_nanousd.value);
  v.number("limit_nanousd", r.limit_nanousd.value);
  v.text("message", r.message, kDetail);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Start>) {
  v.text("version", r.version);
  v.text("durability", r.durability);
}

template <class V>
void fields(auto&, V&, std::type_identity<Stop>) {}

}  // namespace claviger::journal
