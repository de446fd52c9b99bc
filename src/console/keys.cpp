// Routes of virtual keys: a token is shown in the answer that makes it, and never again.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "console/change.hpp"
#include "console/key_draft.hpp"
#include "console/render.hpp"
#include "crypto/wipe.hpp"
#include "identity/token.hpp"

namespace claviger::console {
namespace {

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
  filter.above = s.query.text("above");
  filter.production = s.production();
  return page_of_keys(s, std::move(filter), kPageMost);
}

Result<Answer> create_key(Session& s) { return issue(s, s.body.text("parent")); }

Result<Answer> show_key(Session& s) {
  TRY(const identity::Key key, find_key(s, s.subject));
  TRY(Json shown, shown_key(s, key));
  return Answer{200, std::move(shown), {}, {}};
}

Result<Answer> freeze_key(Session& s) { return set_state(s, "key.freeze", identity::KeyState::frozen); }
Result<Answer> unfreeze_key(Session& s) {
  TRY_VOID(s.parts.incidents->check_free(steward::Owned::key, s.subject));
  return set_state(s, "key.unfreeze", identity::KeyState::active);
}
Result<Answer> revoke_key(Session& s) { return set_state(s, "key.revoke", identity::KeyState::revoked); }

namespace {

// Bytes that only we can make, again and again from the same salt: a token made of them can be shown once
// more to the caller who repeats a request whose answer was lost, and nothing of it is stored.
class Derived final : public Rng {
 public:
  Derived(const crypto::HmacSha256& pepper, std::string_view salt) : pepper_(pepper), salt_(salt) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::size_t at = 0; at < bytes.size();) {
      Digest block = pepper_.mac(fmt::format("rotate-key/{}/{}", salt_, ++blocks_));
      const std::size_t size = std::min(block.size(), bytes.size() - at);
      std::copy_n(block.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(at));
      at += size;
      crypto::wipe(std::span<std::uint8_t>(block));
    }
  }

 private:
  const crypto::HmacSha256& pepper_;
  std::string salt_;
  int blocks_ = 0;
};

// The answer to a repetition: with the token, unless the key was rotated again since.
Result<Answer> show_again(Session& s, std::string_view made) {
  const std::string id(made.substr(0, made.find(' ')));
  const std::string_view salt = made.substr(std::min(made.find(' ') + 1, made.size()));
  TRY(const identity::Key key, find_key(s, id));
  Derived rng(s.parts.keys.pepper(), fmt::format("{}/{}", id, salt));
  identity::Issued again{key, identity::mint_for(identity::TokenKind::key, id, rng)};
  const bool same = identity::digest(s.parts.keys.pepper(), again.token) == key.digest;
  Answer answer = show_once(s, 200, std::move(again));
  if (!same) answer.body["key"] = nullptr;
  answer.headers.emplace_back("Idempotency-Replayed", "true");
  return answer;
}

}  // namespace

Result<Answer> rotate_key(Session& s) {
  std::chrono::nanoseconds grace{0};
  if (!s.body.text("grace").empty()) {
    TRY(grace, parse_duration(s.body.text("grace")));
  }
  TRY(const identity::Key before, find_key(s, s.subject));
  TRY(const auto earlier, remembered(s));
  if (earlier) return show_again(s, *earlier);
  std::array<std::uint8_t, 16> random{};
  s.parts.rng.fill(random);
  const std::string salt = hex(random);
  Derived rng(s.parts.keys.pepper(), fmt::format("{}/{}", before.id, salt));
  identity::Keys keys(s.parts.store, rng, s.parts.clock, s.parts.keys.pepper());
  const Json detail{{"grace_s", std::chrono::duration_cast<std::chrono::seconds>(grace).count()}};
  TRY(auto issued,
      carry_out(s, {"key.rotate", "key:" + before.id, detail.dump()}, [&]() -> Result<identity::Issued> {
        identity::Issued made;
        TRY_VOID(s.parts.store.write([&](store::Tx& tx) -> Result<void> {
          TRY(made, keys.rotate(tx, before.id, grace));
          return remember(s, tx, fmt::format("{} {}", before.id, salt));
        }));
        return made;
      }));
  return show_once(s, 200, std::move(issued));
}

}  // namespace claviger::console
