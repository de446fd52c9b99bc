// What a key never needed, and the command that makes a narrower one.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/limits.hpp"
#include "console/key_draft.hpp"
#include "console/render.hpp"
#include "policy/scope.hpp"
#include "steward/suggest.hpp"

namespace claviger::console {
namespace {

constexpr std::size_t kAddressesAlone = 16;  // more are drawn together into networks
constexpr std::string_view kLifetime = "90d";
constexpr std::int64_t kCent = kNanoPerUsd / 100;

// The parts of a shell command, quoted where they must be.
class Command {
 public:
  Command& word(std::string_view text) {
    const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
             c == '_' || c == '.' || c == '/' || c == ':' || c == '=' || c == '+' || c == '@' || c == ',';
    });
    if (!text_.empty()) text_ += ' ';
    if (plain) return text_ += text, *this;
    text_ += '\'';
    for (const char c : text) c == '\'' ? text_ += "'\\''" : text_ += c;
    text_ += '\'';
    return *this;
  }
  Command& option(std::string_view name, std::string_view value) {
    if (!value.empty()) word(name).word(value);
    return *this;
  }
  Command& options(std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& value : values) option(name, value);
    return *this;
  }
  Command& number(std::string_view name, const std::optional<std::int64_t>& value) {
    return value ? option(name, std::to_string(*value)) : *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

struct Suggestion {
  const identity::Key& key;
  policy::Scope scope;  // tightened
  identity::Rates rates;
  std::vector<std::string> budgets;
  std::string expires;
  Json findings = Json::array();

  void found(std::string_view field, Json allowed, Json used, Json suggested, std::string_view why) {
    findings.push_back({{"field", field},
                        {"allowed", std::move(allowed)},
                        {"used", std::move(used)},
                        {"suggested", std::move(suggested)},
                        {"why", why}});
  }
};

std::vector<std::string> texts_of(const std::vector<policy::Cidr>& cidrs) {
  std::vector<std::string> texts;
  for (const policy::Cidr& cidr : cidrs) texts.push_back(cidr.text());
  return texts;
}

// The network of an address: /24 of IPv4, /64 of IPv6; the allowed one, where that is smaller.
policy::Cidr network_of(const policy::IpAddress& address, const std::vector<policy::Cidr>& allowed) {
  policy::IpAddress base = address;
  const int kept = address.is_v4() ? 15 : 8;  // bytes
  std::fill(base.bytes.begin() + kept, base.bytes.end(), std::uint8_t{0});
  const auto network = policy::Cidr::parse(fmt::format("{}/{}", base.text(), address.is_v4() ? 24 : 64));
  for (const policy::Cidr& one : allowed)
    if (network && one.contains(address) && network->contains(one)) return one;
  return network ? *network : policy::Cidr::parse(address.text()).value();
}

void look_at_models(const steward::KeyUse& use, Suggestion& out) {
  if (use.models.empty() || use.models.size() > limits::kScopeEntries || out.scope.models == use.models)
    return;
  out.found(
      "models", out.scope.models, use.models, use.models,
      out.scope.models.empty() ? "Every model is allowed; these were used." : "Only these models were used.");
  out.scope.models = use.models;
}

void look_at_endpoints(const steward::KeyUse& use, Suggestion& out) {
  std::vector<std::string> allowed = out.scope.endpoints;
  std::ranges::sort(allowed);
  const bool known = std::ranges::all_of(
      use.endpoints, [](const auto& one) { return provider::parse_endpoint(one).has_value(); });
  if (use.endpoints.empty() || !known || allowed == use.endpoints) return;
  out.found(
      "endpoints", out.scope.endpoints, use.endpoints, use.endpoints,
      allowed.empty() ? "Every endpoint is allowed; these were used." : "Only these endpoints were used.");
  out.scope.endpoints = use.endpoints;
}

void look_at_networks(const steward::KeyUse& use, Suggestion& out) {
  const std::vector<policy::Cidr> allowed = out.scope.cidrs;
  if (!use.all_addresses) {
    out.found("cidrs", texts_of(allowed), use.addresses, texts_of(allowed),
              "It came from more addresses than are kept apart, so its networks are left as they are.");
    return;
  }
  std::vector<policy::Cidr> needed;
  for (const std::string& text : use.addresses) {
    const auto address = policy::IpAddress::parse(text);
    if (!address) return;
    const policy::Cidr network = use.addresses.size() <= kAddressesAlone ? policy::Cidr::parse(text).value()
                                                                         : network_of(*address, allowed);
    if (std::ranges::find(needed, network) == needed.end()) needed.push_back(network);
  }
  if (needed.empty() || needed.size() > limits::kScopeEntries || needed == allowed) return;
  out.found("cidrs", texts_of(allowed), use.addresses, texts_of(needed),
            allowed.empty() ? "Every network is allowed; it was used from these addresses."
                            : "It was used from these addresses only.");
  out.scope.cidrs = needed;
}

std::string limit_text(Nanousd amount, ledger::Window window) {
  return fmt::format("{}usd/{}", format_usd(amount), ledger::window_name(window));
}

// Half as much again as the dearest window, in whole cents.
Nanousd with_room(Nanousd peak) {
  const std::int64_t room = saturating_add(peak, {peak.value / 2}).value;
  return {std::max<std::int64_t>(room / kCent + (room % kCent == 0 ? 0 : 1), 1) * kCent};
}

Result<void> look_at_budgets(Session& s, Time from, Suggestion& out) {
  const std::string node = "key:" + out.key.id;
  bool bound = false;
  for (const ledger::Budget& budget : s.parts.ledger.budgets()) {
    if (budget.node != node || !ledger::is_blocking(budget)) continue;
    bound = true;
    TRY(const Nanousd peak,
        steward::peak_spend(s.parts.store, out.key.id, budget.window, budget.time_zone, from, s.now));
    const std::string present = limit_text(*budget.limit, budget.window);
    const Nanousd enough = with_room(peak);
    const bool wide = enough < *budget.limit;
    out.budgets.push_back(wide ? limit_text(enough, budget.window) : present);
    if (wide)
      out.found("budgets", present, limit_text(peak, budget.window), out.budgets.back(),
                "Its dearest window stayed below; half as much again is left as room.");
  }
  if (bound) return {};
  TRY(const Nanousd peak,
      steward::peak_spend(s.parts.store, out.key.id, ledger::Window::day, "UTC", from, s.now));
  out.budgets.push_back(limit_text(with_room(peak), ledger::Window::day));
  out.found("budgets", nullptr, limit_text(peak, ledger::Window::day), out.budgets.back(),
            "It has no budget of its own; half as much again as its dearest day is left as room.");
  return {};
}

// A minute holds no more than its hour: that much was enough. Tokens a minute are left alone: they are held
// for what a request may take at most, which usage does not tell.
void look_at_rates(const steward::KeyUse& use, Suggestion& out) {
  std::optional<std::int64_t>& limit = out.rates.rpm;
  const std::int64_t busiest = use.busiest_requests;
  if (busiest == 0 || (limit && *limit <= busiest)) return;
  out.found("rpm", limit ? Json(*limit) : Json(nullptr), busiest, busiest,
            "Its busiest hour had so many requests, so no minute needed more.");
  limit = busiest;
}

// Hours of the day, in UTC, in which it was used; suggested where they leave out half of the day or more.
void look_at_hours(const steward::KeyUse& use, Suggestion& out) {
  constexpr int kHours = 24, kLongestDay = 12, kFewestDays = 5;
  if (!out.scope.schedules.empty()) return;
  std::set<std::int64_t> days;
  int first = kHours, last = 0;
  for (const Time hour : use.hours) {
    const std::int64_t since = hour.ns / 3'600'000'000'000;
    days.insert(since / kHours);
    first = std::min(first, static_cast<int>(since % kHours));
    last = std::max(last, static_cast<int>(since % kHours) + 1);
  }
  if (static_cast<int>(days.size()) < kFewestDays || last - first > kLongestDay) return;
  const std::string text = fmt::format("daily {:02}:00-{:02}:00 UTC", first, last);
  const auto schedule = policy::Schedule::parse(text);
  if (!schedule) return;
  out.found("schedules", Json::array(), text, text, "It was used at these hours of the day only.");
  out.scope.schedules = {*schedule};
}

// Which of the caller's own tools were offered, and at which tier, is not on record: what is billed is.
void look_at_tools(const steward::KeyUse& use, Suggestion& out) {
  if (out.scope.tools.empty() && use.hosted_calls == 0)
    out.found("tools", Json::array(), Json::array(), nullptr,
              "Every tool is allowed, and none of the providers' was billed: consider --tool 'function:*'. "
              "Tools that the caller works are not on record.");
  if (!out.scope.max_tier)
    out.found("max_tier", nullptr, nullptr, nullptr,
              "Every service tier is allowed: consider --max-tier standard. Which were asked for is not on "
              "record.");
}

void look_at_expiry(Suggestion& out) {
  if (out.key.expires != kNever) {
    out.expires = format_time(out.key.expires);
    return;
  }
  out.expires = kLifetime;
  out.found("expires", nullptr, nullptr, kLifetime, "It never expires.");
}

std::string command_of(const Suggestion& made) {
  const identity::Key& key = made.key;
  Command out;
  out.word("claviger").word("key").word("create");
  const std::string parent(identity::Lineage(key.lineage).parent());
  out.option("--parent", parent).option("--name", key.name);
  if (parent.empty())
    out.option("--team", key.team).option("--project", key.project).option("--environment", key.environment);
  out.options("--model", made.scope.models).options("--endpoint", made.scope.endpoints);
  out.options("--cidr", texts_of(made.scope.cidrs)).option("--expires", made.expires);
  out.options("--budget", made.budgets);
  out.number("--rpm", made.rates.rpm).number("--tpm", made.rates.tpm);
  out.number("--concurrency", made.rates.concurrency);
  out.number("--max-output-tokens", made.scope.max_output_tokens);
  out.number("--max-choices", made.scope.max_choices);
  for (const policy::Schedule& schedule : made.scope.schedules) out.option("--schedule", schedule.text());
  out.options("--tool", made.scope.tools);
  if (made.scope.max_tier) out.option("--max-tier", policy::tier_name(*made.scope.max_tier));
  return out.take();
}

}  // namespace

Result<Answer> suggest_scope(Session& s) {
  TRY(const identity::Key key, find_key(s, s.subject));
  TRY(policy::Scope scope, policy::parse_scope(key.scope));
  TRY_VOID(s.parts.deriver.catch_up());
  const Time from = s.now + -std::chrono::hours(24) * limits::kSuggestDays;
  TRY(const steward::KeyUse use, steward::key_use(s.parts.store, key.id, from, s.now));
  Suggestion out{key, std::move(scope), key.rates, {}, {}};
  Json body{{"id", key.id},
            {"days", limits::kSuggestDays},
            {"from", format_time(from)},
            {"to", format_time(s.now)},
            {"requests", use.requests},
            {"cost_nanousd", use.cost.value},
            {"last_used", use.requests == 0 ? Json(nullptr) : Json(format_time(use.last_used))}};
  if (use.requests == 0) {
    out.found("use", nullptr, nullptr, nullptr,
              "It was not used in this time: revoke it if nobody needs it.");
    body["findings"] = std::move(out.findings);
    body["command"] = fmt::format("claviger key revoke {}", key.id);
    return Answer{200, std::move(body), {}, {}};
  }
  look_at_models(use, out);
  look_at_endpoints(use, out);
  look_at_networks(use, out);
  look_at_rates(use, out);
  look_at_hours(use, out);
  look_at_tools(use, out);
  TRY_VOID(look_at_budgets(s, from, out));
  look_at_expiry(out);
  body["findings"] = std::move(out.findings);
  body["command"] = command_of(out);
  return Answer{200, std::move(body), {}, {}};
}

}  // namespace claviger::console
