// Routes of virtual keys: a token is shown in the answer that makes it, and never again.
#include <fmt/format.h>

#include "console/change.hpp"
#include "console/key_draft.hpp"
#include "console/render.hpp"

namespace claviger::console {
namespace {

constexpr std::int64_t kPage = 1'000;
constexpr std::int64_t kPageMost = 10'000;

Result<Answer> set_state(Session& s, std::string_view action, identity::KeyState state) {
  TRY(const identity::Key before, find_key(s, s.subject));
  // Thawing is no way back from revocation, and freezing no way around it: Keys refuses both.
  TRY(const identity::Key after,
      carry_out(s, {action, "key:" + before.id}, [&] { return s.parts.keys.set_state(before.id, state); }));
  TRY(Json shown, shown_key(s, after));
  return Answer{200, std::move(shown), {}, {}};
}

}  // namespace

Result<Answer> list_keys(Session& s) {
  identity::KeyFilter filter;
  filter.team = s.query.text("team");
  filter.project = s.query.text("project");
  filter.environment = s.query.text("environment");
  filter.after = s.query.text("after");
  filter.above = s.query.text("above");
  filter.production = s.production();
  TRY(const std::int64_t page, s.query.number("limit", kPage, kPageMost));
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

Result<Answer> create_key(Session& s) { return issue(s, s.body.text("parent")); }

Result<Answer> show_key(Session& s) {
  TRY(const identity::Key key, find_key(s, s.subject));
  TRY(Json shown, shown_key(s, key));
  return Answer{200, std::move(shown), {}, {}};
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
