// Routes that a virtual key asks through the gate: the keys below it, and no others.
#include <fmt/format.h>

#include "console/change.hpp"
#include "console/key_draft.hpp"
#include "console/render.hpp"

namespace claviger::console {
namespace {

constexpr std::int64_t kPage = 1'000;
constexpr std::string_view kActorPrefix = "key:";

// The key that asks: the gate has proven it.
std::string_view asking(const Session& s) {
  return std::string_view(s.actor.name).substr(kActorPrefix.size());
}

Result<identity::Key> find_child(Session& s) {
  auto key = s.parts.keys.get(s.subject);
  const bool below = key && identity::Lineage(key->lineage).contains(asking(s));
  if (key && !below)
    return refuse(Code::not_found, fmt::format("There is no key '{}' below this one.", s.subject));
  return key;
}

}  // namespace

Result<Answer> create_child_key(Session& s) { return issue(s, asking(s)); }

Result<Answer> list_child_keys(Session& s) {
  identity::KeyFilter filter;
  filter.above = asking(s);
  return page_of_keys(s, std::move(filter), kPage);
}

Result<Answer> show_child_key(Session& s) {
  TRY(const identity::Key key, find_child(s));
  TRY(Json shown, shown_key(s, key));
  return Answer{200, std::move(shown), {}, {}};
}

Result<Answer> revoke_child_key(Session& s) {
  TRY(const identity::Key before, find_child(s));
  TRY(const identity::Key after, carry_out(s, {"key.revoke", "key:" + before.id}, [&] {
        return s.parts.keys.set_state(before.id, identity::KeyState::revoked);
      }));
  TRY(Json shown, shown_key(s, after));
  return Answer{200, std::move(shown), {}, {}};
}

}  // namespace claviger::console
