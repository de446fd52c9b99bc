// Routes of virtual keys: a token is shown in the answer that makes it, and never again.
#include <fmt/format.h>

#include <algorithm>

#include "console/budget_text.hpp"
#include "console/change.hpp"
#include "console/render.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "identity/once.hpp"
#include "identity/token.hpp"
#include "policy/scope.hpp"

namespace claviger::console {
namespace {

constexpr std::int64_t kPage = 1'000;
constexpr std::int64_t kPageMost = 10'000;

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
  scope.max_output_tokens = body.integer("max_output_tokens");
  scope.max_choices = body.integer("max_choices");
  TRY_VOID(policy::check_scope(scope));
  return scope;
}

Result<identity::KeyDraft> read_key(Session& s) {
  identity::KeyDraft draft;
  draft.id = identity::fresh_id(s.parts.rng);
  draft.name = s.body.text("name");
  draft.team = s.body.text("team");
  draft.project = s.body.text("project");
  draft.environment = s.body.text("environment");
  draft.created_by = s.actor.name;
  draft.rates = {s.body.integer("rpm"), s.body.integer("tpm"), s.body.integer("concurrency")};
  TRY(draft.expires, read_expiry(s.body.text("expires"), s.now));
  TRY(const policy::Scope scope, read_scope(s.body));
  draft.scope = policy::scope_text(scope);
  TRY_VOID(identity::check_draft(draft, s.now));
  if (s.production() == identity::Production::hidden && identity::is_production(draft.environment))
    return deny(Code::forbidden, "A developer may not create keys for production.");
  return draft;
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

// The key as this caller may see it. Production does not exist for developers.
Result<identity::Key> find_key(Session& s, std::string_view id) {
  auto key = s.parts.keys.get(id);
  if (key && s.production() == identity::Production::hidden && identity::is_production(key->environment))
    return refuse(Code::not_found, fmt::format("There is no key '{}'.", id));
  return key;
}

identity::Once once_of(Session& s) {
  crypto::Sha256 hash;
  hash.add(s.request.method).add("\n").add(s.request.path).add("\n").add(s.request.body);
  return {s.actor.name, s.request.idempotency_key, hash.finish()};
}

// The answer to a repetition, when it is one: the key without its token, which is not kept.
Result<std::optional<Answer>> repeated(Session& s) {
  if (s.request.idempotency_key.empty()) return std::nullopt;
  std::optional<std::string> made;
  TRY_VOID(s.parts.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(made, identity::replayed(tx, once_of(s), s.now));
    return {};
  }));
  if (!made) return std::nullopt;
  TRY(const identity::Key key, find_key(s, *made));
  Answer answer{200, {{"id", key.id}, {"key", nullptr}}, {}, {}};
  answer.body.update(render(key, s.now));
  answer.headers.emplace_back("Idempotency-Replayed", "true");
  return answer;
}

Result<void> remember(Session& s, store::Tx& tx, std::string_view id) {
  if (s.request.idempotency_key.empty()) return {};
  return identity::remember(tx, once_of(s), id, s.now);
}

Answer show_once(Session& s, int status, identity::Issued issued) {
  Answer answer{status, {{"id", issued.key.id}, {"key", issued.token}}, {}, {}};
  answer.body.update(render(issued.key, s.now));
  crypto::wipe(issued.token);
  return answer;
}

// Budgets stand before the key does, so that there is no moment in which it can spend without them.
Result<identity::Issued> make_key(Session& s, const identity::KeyDraft& draft,
                                  const std::vector<ledger::Budget>& budgets) {
  std::size_t standing = 0;
  const auto make = [&]() -> Result<identity::Issued> {
    for (const ledger::Budget& budget : budgets) {
      TRY_VOID(s.parts.ledger.put_budget(budget));
      ++standing;
    }
    identity::Issued issued;
    TRY_VOID(s.parts.store.write([&](store::Tx& tx) -> Result<void> {
      TRY(issued, s.parts.keys.create(tx, draft));
      return remember(s, tx, draft.id);
    }));
    return issued;
  };
  auto issued = make();
  if (!issued)
    for (std::size_t i = 0; i < standing; ++i) (void)s.parts.ledger.remove_budget(budgets[i].id);
  return issued;
}

Result<Answer> set_state(Session& s, std::string_view action, identity::KeyState state) {
  TRY(const identity::Key before, find_key(s, s.subject));
  // Thawing is no way back from revocation, and freezing no way around it: Keys refuses both.
  TRY(const identity::Key after,
      carry_out(s, {action, "key:" + before.id}, [&] { return s.parts.keys.set_state(before.id, state); }));
  return Answer{200, render(after, s.now), {}, {}};
}

}  // namespace

Result<Answer> list_keys(Session& s) {
  identity::KeyFilter filter;
  filter.team = s.query.text("team");
  filter.project = s.query.text("project");
  filter.environment = s.query.text("environment");
  filter.after = s.query.text("after");
  filter.production = s.production();
  TRY(const std::int64_t page, s.query.number("limit", kPage, kPageMost));
  filter.limit = page + 1;  // one more tells whether there is a next page
  TRY(auto keys, s.parts.keys.list(filter));
  const bool more = keys.size() > static_cast<std::size_t>(page);
  if (more) keys.pop_back();
  Json list = Json::array();
  for (const identity::Key& key : keys) list.push_back(render(key, s.now));
  return Answer{
      200, {{"keys", std::move(list)}, {"next", more ? Json(keys.back().id) : Json(nullptr)}}, {}, {}};
}

Result<Answer> create_key(Session& s) {
  TRY(const identity::KeyDraft draft, read_key(s));
  TRY(const auto budgets, read_budgets(s, draft.id));
  TRY(auto earlier, repeated(s));
  if (earlier) return std::move(*earlier);
  const Json detail{{"name", draft.name}, {"project", draft.project}, {"environment", draft.environment}};
  TRY(auto issued, carry_out(s, {"key.create", "key:" + draft.id, detail.dump()},
                             [&] { return make_key(s, draft, budgets); }));
  return show_once(s, 201, std::move(issued));
}

Result<Answer> show_key(Session& s) {
  TRY(const identity::Key key, find_key(s, s.subject));
  return Answer{200, render(key, s.now), {}, {}};
}

Result<Answer> freeze_key(Session& s) { return set_state(s, "key.freeze", identity::KeyState::frozen); }
Result<Answer> unfreeze_key(Session& s) { return set_state(s, "key.unfreeze", identity::KeyState::active); }
Result<Answer> revoke_key(Session& s) { return set_state(s, "key.revoke", identity::KeyState::revoked); }

Result<Answer> rotate_key(Session& s) {
  std::chrono::nanoseconds grace{0};
  if (!s.body.text("grace").empty()) {
    TRY(grace, parse_duration(s.body.text("grace")));
  }
  TRY(const identity::Key before, find_key(s, s.subject));
  TRY(auto earlier, repeated(s));
  if (earlier) return std::move(*earlier);
  const Json detail{{"grace_s", std::chrono::duration_cast<std::chrono::seconds>(grace).count()}};
  TRY(auto issued,
      carry_out(s, {"key.rotate", "key:" + before.id, detail.dump()}, [&]() -> Result<identity::Issued> {
        identity::Issued made;
        TRY_VOID(s.parts.store.write([&](store::Tx& tx) -> Result<void> {
          TRY(made, s.parts.keys.rotate(tx, before.id, grace));
          return remember(s, tx, before.id);
        }));
        return made;
      }));
  return show_once(s, 200, std::move(issued));
}

}  // namespace claviger::console
