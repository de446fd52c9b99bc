// Routes of budgets.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "console/budget_text.hpp"
#include "console/change.hpp"
#include "console/render.hpp"
#include "crypto/hash.hpp"

namespace claviger::console {
namespace {

// Names of teams and projects are labels; a key must exist.
Result<void> check_node(Session& s, std::string_view node) {
  if (node.starts_with("team:")) return identity::check_label("on: team", node.substr(5));
  if (node.starts_with("project:")) return identity::check_label("on: project", node.substr(8));
  if (!node.starts_with("key:")) return {};
  TRY(const identity::Key key, s.parts.keys.get(node.substr(4)));
  return {};
}

const ledger::Budget* find(const std::vector<ledger::Budget>& budgets, std::string_view id) {
  const auto at = std::ranges::find(budgets, id, &ledger::Budget::id);
  return at == budgets.end() ? nullptr : &*at;
}

Result<ledger::Budget> asked_budget(Session& s, const std::vector<ledger::Budget>& present) {
  TRY(ledger::Budget budget, read_budget(s.body.text("on"), s.body.text("limit")));
  TRY_VOID(check_node(s, budget.node));
  const ledger::Budget* before = find(present, budget.id);
  budget.created = before ? before->created : s.now;
  if (before) budget.time_zone = before->time_zone;
  if (s.body.has("time_zone")) budget.time_zone = s.body.text("time_zone");
  if (s.body.has("action")) {
    const auto action = ledger::action_named(s.body.text("action"));
    if (!action) return refuse(Code::invalid_input, "action: block or alert");
    budget.action = *action;
  }
  for (const std::int64_t percent : s.body.integers("alert_at"))
    budget.alert_at.push_back(static_cast<int>(std::clamp<std::int64_t>(percent, 0, 10'000)));
  std::ranges::sort(budget.alert_at);
  TRY_VOID(ledger::check_budget(budget));
  return budget;
}

Result<Json> shown(Session& s, const ledger::Budget& budget) {
  TRY(const auto views, s.parts.ledger.snapshot(s.now, budget.node));
  for (const ledger::BudgetView& view : views)
    if (view.budget.id == budget.id) return render(view);
  return fail(Code::internal, "a budget that was set is not in the ledger");
}

}  // namespace

Result<ledger::Budget> read_budget(std::string_view node, std::string_view limit) {
  ledger::Budget budget;
  budget.node = node;
  if (limit.starts_with("none/")) {
    const auto window = ledger::window_named(limit.substr(5));
    if (!window) return refuse(Code::invalid_input, "limit: none/ and one of hour, day, week, month, total");
    budget.window = *window;
  } else {
    TRY(const ledger::BudgetLimit parsed, ledger::parse_budget_limit(limit));
    budget.limit = parsed.limit;
    budget.window = parsed.window;
  }
  budget.id = fmt::format("{}.{}", node, ledger::window_name(budget.window));
  if (budget.id.size() > limits::kName) budget.id = "b_" + hex(crypto::sha256(budget.id));
  return budget;
}

Result<Answer> list_budgets(Session& s) {
  TRY(const auto views, s.parts.ledger.snapshot(s.now, s.query.text("on")));
  Json list = Json::array();
  for (const ledger::BudgetView& view : views) list.push_back(render(view));
  return Answer{200, {{"budgets", std::move(list)}}, {}, {}};
}

Result<Answer> set_budget(Session& s) {
  TRY(const ledger::Budget budget, asked_budget(s, s.parts.ledger.budgets()));
  const Json detail{{"limit", s.body.text("limit")}, {"action", ledger::action_name(budget.action)}};
  TRY_VOID(carry_out(s, {"budget.set", "budget:" + budget.id, detail.dump()},
                     [&] { return s.parts.ledger.put_budget(budget); }));
  TRY(Json body, shown(s, budget));
  return Answer{200, std::move(body), {}, {}};
}

Result<Answer> remove_budget(Session& s) {
  const auto present = s.parts.ledger.budgets();
  const ledger::Budget* before = find(present, s.subject);
  if (before == nullptr) return refuse(Code::not_found, fmt::format("There is no budget '{}'.", s.subject));
  TRY_VOID(carry_out(s, {"budget.remove", "budget:" + before->id},
                     [&] { return s.parts.ledger.remove_budget(before->id); }));
  return Answer{204, nullptr, {}, {}};
}

}  // namespace claviger::console
