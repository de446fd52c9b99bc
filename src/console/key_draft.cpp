// Reading, narrowing and making keys.
#include "console/key_draft.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "console/budget_text.hpp"
#include "console/change.hpp"
#include "console/render.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "identity/once.hpp"
#include "identity/token.hpp"
#include "policy/narrow.hpp"
#include "policy/scope.hpp"

namespace claviger::console {
namespace {

constexpr std::int64_t kPage = 1'000;  // keys, when the query does not say how many

Result<std::optional<std::int64_t>> read_choices(const Body& body) {
  const auto choices = body.integer("max_choices");
  const auto n = body.integer("n");
  if (choices && n && *choices != *n)
    return refuse(Code::invalid_input, "n: says the same as max_choices, and differs from it");
  return choices ? choices : n;
}

Result<policy::Scope> read_scope(const Body& body) {
  policy::Scope scope;
  scope.models = body.texts("models");
  for (const std::string& name : body.texts("endpoints")) {
    if (!provider::parse_endpoint(name))
      return refuse(Code::invalid_input, fmt::format("endpoints: '{}' is not known; known are {}", name,
                                                     provider::endpoint_names()));
    scope.endpoints.push_back(name);
  }
  for (const std::string& text : body.texts("cidrs")) {
    TRY(const policy::Cidr cidr, policy::Cidr::parse(text));
    scope.cidrs.push_back(cidr);
  }
  for (const std::string& text : body.texts("schedules")) {
    TRY(policy::Schedule schedule, policy::Schedule::parse(text));
    scope.schedules.push_back(std::move(schedule));
  }
  scope.tools = body.texts("tools");
  if (const std::string& tier = body.text("max_tier"); !tier.empty()) {
    scope.max_tier = policy::tier_named(tier);
    if (!scope.max_tier) return refuse(Code::invalid_input, "max_tier: flex, standard or priority");
  }
  scope.max_output_tokens = body.integer("max_output_tokens");
  TRY(scope.max_choices, read_choices(body));
  TRY_VOID(policy::check_scope(scope));
  return scope;
}

Result<std::vector<ledger::Budget>> read_budgets(Session& s, std::string_view key_id) {
  std::vector<ledger::Budget> budgets;
  for (const std::string& text : s.body.texts("budgets")) {
    TRY(ledger::Budget budget, read_budget(fmt::format("key:{}", key_id), text));
    budget.created = s.now;
    for (const ledger::Budget& other : budgets)
      if (other.window == budget.window)
        return refuse(Code::invalid_input,
                      fmt::format("budgets: two for one {}", ledger::window_name(budget.window)));
    budgets.push_back(std::move(budget));
  }
  return budgets;
}

std::unexpected<Error> more_than_parent(std::string_view field, std::string_view why) {
  return deny(Code::scope_exceeded,
              fmt::format("{0}: {1}: ask for less, or leave {0} out to get the parent's.", field, why));
}

// Team, project and environment are the parent's; whoever names them must name the same.
Result<void> inherit_place(Session& s, const identity::Key& parent, identity::KeyDraft& draft) {
  for (const auto& [field, asked, theirs] :
       {std::tuple{"team", &draft.team, &parent.team}, std::tuple{"project", &draft.project, &parent.project},
        std::tuple{"environment", &draft.environment, &parent.environment}}) {
    if (s.body.has(field) && *asked != *theirs)
      return more_than_parent(field, fmt::format("the parent's is '{}'", *theirs));
    *asked = *theirs;
  }
  return {};
}

std::string budget_text(const ledger::Budget& budget) {
  return fmt::format("{}usd/{}", format_usd(*budget.limit), ledger::window_name(budget.window));
}

// A child's budget may not promise more than a budget above it allows in as long a time.
Result<void> check_budgets(Session& s, const identity::Key& parent,
                           const std::vector<ledger::Budget>& asked) {
  if (asked.empty()) return {};
  std::vector<std::string> nodes{"key:" + parent.id};
  for (const std::string_view id : identity::Lineage(parent.lineage))
    nodes.push_back(fmt::format("key:{}", id));
  for (const ledger::Budget& above : s.parts.ledger.budgets()) {
    if (!ledger::is_blocking(above) || std::ranges::find(nodes, above.node) == nodes.end()) continue;
    for (const ledger::Budget& budget : asked) {
      const bool bound = budget.limit ? budget.window <= above.window && *budget.limit > *above.limit
                                      : budget.window == above.window;
      if (!bound) continue;
      return more_than_parent("budgets", fmt::format("{} is more than the {} of {}",
                                                     budget.limit ? budget_text(budget) : "no limit",
                                                     budget_text(above), above.node));
    }
  }
  return {};
}

Result<void> narrow_to(Session& s, const identity::Key& parent, const policy::Scope& asked, KeyWish& wish) {
  identity::KeyDraft& draft = wish.draft;
  TRY_VOID(inherit_place(s, parent, draft));
  TRY(const policy::Scope theirs, policy::parse_scope(parent.scope));
  TRY(const policy::Scope scope, policy::narrow(theirs, asked));
  draft.scope = policy::scope_text(scope);
  TRY(draft.rates.rpm, policy::narrow_limit("rpm", parent.rates.rpm, draft.rates.rpm));
  TRY(draft.rates.tpm, policy::narrow_limit("tpm", parent.rates.tpm, draft.rates.tpm));
  TRY(draft.rates.concurrency,
      policy::narrow_limit("concurrency", parent.rates.concurrency, draft.rates.concurrency));
  if (!s.body.has("expires")) draft.expires = parent.expires;
  if (draft.expires > parent.expires)
    return more_than_parent("expires", fmt::format("the parent expires on {}", format_time(parent.expires)));
  return check_budgets(s, parent, wish.budgets);
}

identity::Once once_of(Session& s) {
  crypto::Sha256 hash;
  hash.add(s.request.method).add("\n").add(s.request.path).add("\n").add(s.request.body);
  return {s.actor.name, s.request.idempotency_key, hash.finish()};
}

// Budgets stand before the key does, so that there is no moment in which it can spend without them.
Result<identity::Issued> make_key(Session& s, const KeyWish& wish) {
  std::size_t standing = 0;
  const auto make = [&]() -> Result<identity::Issued> {
    for (const ledger::Budget& budget : wish.budgets) {
      TRY_VOID(s.parts.ledger.put_budget(budget));
      ++standing;
    }
    identity::Issued issued;
    TRY_VOID(s.parts.store.write([&](store::Tx& tx) -> Result<void> {
      TRY(issued, s.parts.keys.create(tx, wish.draft));
      if (wish.canary) TRY_VOID(s.parts.incidents->mark_canary(tx, wish.draft.id));
      return remember(s, tx, wish.draft.id);
    }));
    return issued;
  };
  auto issued = make();
  if (!issued)
    for (std::size_t i = 0; i < standing; ++i) (void)s.parts.ledger.remove_budget(wish.budgets[i].id);
  return issued;
}

Json with_token(Session& s, const identity::Key& key, Json token) {
  Json body{{"id", key.id}, {"key", std::move(token)}};
  body.update(render(key, s.now));
  return body;
}

}  // namespace

Result<KeyWish> read_wish(Session& s, std::string_view parent_id) {
  KeyWish wish;
  identity::KeyDraft& draft = wish.draft;
  draft.id = identity::fresh_id(s.parts.rng);
  draft.parent = parent_id;
  draft.name = s.body.text("name");
  draft.team = s.body.text("team");
  draft.project = s.body.text("project");
  draft.environment = s.body.text("environment");
  draft.created_by = s.actor.name;
  draft.rates = {s.body.integer("rpm"), s.body.integer("tpm"), s.body.integer("concurrency")};
  TRY(draft.expires, read_expiry(s.body.text("expires"), s.now));
  TRY(const policy::Scope scope, read_scope(s.body));
  draft.scope = policy::scope_text(scope);
  TRY(wish.budgets, read_budgets(s, draft.id));
  wish.canary = s.body.boolean("canary").value_or(false);
  if (wish.canary && wish.budgets.empty()) {
    // Whoever finds it shall cost nothing.
    TRY(ledger::Budget nothing, read_budget(fmt::format("key:{}", draft.id), "0usd/total"));
    nothing.created = s.now;
    wish.budgets.push_back(std::move(nothing));
  }
  if (parent_id.empty()) {
    for (const std::string_view field : {"project", "environment"})
      if (!s.body.has(field))
        return refuse(Code::invalid_input,
                      fmt::format("{}: is missing; only a child key has its parent's", field));
  } else {
    TRY(const identity::Key parent, find_key(s, parent_id));
    TRY_VOID(narrow_to(s, parent, scope, wish));
  }
  TRY_VOID(identity::check_draft(draft, s.now));
  if (s.production() == identity::Production::hidden && identity::is_production(draft.environment))
    return deny(Code::forbidden, "A developer may not create keys for production.");
  return wish;
}

Result<Answer> issue(Session& s, std::string_view parent) {
  TRY(auto earlier, repeated(s));
  if (earlier) return std::move(*earlier);
  TRY(const KeyWish wish, read_wish(s, parent));
  const identity::KeyDraft& draft = wish.draft;
  Json detail{{"name", draft.name}, {"project", draft.project}, {"environment", draft.environment}};
  if (!draft.parent.empty()) detail["parent"] = draft.parent;
  TRY(auto issued,
      carry_out(s, {"key.create", "key:" + draft.id, detail.dump()}, [&] { return make_key(s, wish); }));
  return show_once(s, 201, std::move(issued));
}

Result<identity::Key> find_key(Session& s, std::string_view id) {
  auto key = s.parts.keys.get(id);
  if (key && s.production() == identity::Production::hidden && identity::is_production(key->environment))
    return refuse(Code::not_found, fmt::format("There is no key '{}'.", id));
  return key;
}

Result<Json> shown_key(Session& s, const identity::Key& key) {
  Json body = render(key, s.now);
  for (const std::string_view id : identity::Lineage(key.lineage)) {
    TRY(const identity::Key above, s.parts.keys.get(id));
    if (above.state == identity::KeyState::active && s.now < above.expires) continue;
    body["stopped_by"] = above.id;
    break;
  }
  return body;
}

Result<Answer> page_of_keys(Session& s, identity::KeyFilter filter, std::int64_t most) {
  filter.after = s.query.text("after");
  TRY(const std::int64_t page, s.query.number("limit", kPage, most));
  filter.limit = page + 1;  // one more tells whether there is a next page
  TRY(auto keys, s.parts.keys.list(filter));
  const bool more = keys.size() > static_cast<std::size_t>(page);
  if (more) keys.pop_back();
  Json list = Json::array();
  for (const identity::Key& key : keys) {
    TRY(Json shown, shown_key(s, key));
    list.push_back(std::move(shown));
  }
  return Answer{
      200, {{"keys", std::move(list)}, {"next", more ? Json(keys.back().id) : Json(nullptr)}}, {}, {}};
}

Result<std::optional<std::string>> remembered(Session& s) {
  std::optional<std::string> made;
  if (s.request.idempotency_key.empty()) return made;
  TRY_VOID(s.parts.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(made, identity::replayed(tx, once_of(s), s.now));
    return {};
  }));
  return made;
}

// Without the token, which is not kept.
Result<std::optional<Answer>> repeated(Session& s) {
  TRY(const auto made, remembered(s));
  if (!made) return std::nullopt;
  TRY(const identity::Key key, find_key(s, *made));
  Answer answer{200, with_token(s, key, nullptr), {}, {}};
  answer.headers.emplace_back("Idempotency-Replayed", "true");
  return answer;
}

Result<void> remember(Session& s, store::Tx& tx, std::string_view id) {
  if (s.request.idempotency_key.empty()) return {};
  return identity::remember(tx, once_of(s), id, s.now);
}

Answer show_once(Session& s, int status, identity::Issued issued) {
  Answer answer{status, with_token(s, issued.key, issued.token), {}, {}};
  crypto::wipe(issued.token);
  return answer;
}

}  // namespace claviger::console
