// Tests of who is calling: every place and every kind of key.
#include "gate/authenticate.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class AuthenticateTest : public GateTest {
 protected:
  // A chat request with these headers and this query.
  std::string_view shown(const Fields& fields, const std::string& query = {}) {
    const auto pinned = world();
    const auto asked = ask(*pinned, "POST", "/v1/chat/completions" + query, fields, kChat);
    if (!asked->target) return verdict(asked->target);
    const auto caller = authenticated(*pinned, *asked);
    said = caller ? std::string() : std::string(told(caller.error()));
    found = caller ? caller->key().id : std::string();
    return verdict(caller);
  }
  std::string said, found;
};

TEST_F(AuthenticateTest, a_request_without_a_key_is_refused_and_told_where_to_put_it) {
  EXPECT_EQ(shown({}), "missing_key");
  EXPECT_THAT(said, HasSubstr("Authorization: Bearer"));
}

TEST_F(AuthenticateTest, a_well_formed_key_that_was_never_issued_is_unknown) {
  make_key();
  const std::string stranger = identity::mint(identity::TokenKind::key, rng).token;
  EXPECT_EQ(shown({{"authorization", "Bearer " + stranger}}), "unknown_key");
}

TEST_F(AuthenticateTest, another_secret_for_a_known_id_is_unknown) {
  const Known key = make_key();
  const std::string forged = identity::mint_for(identity::TokenKind::key, key.id, rng);
  EXPECT_EQ(shown({{"authorization", "Bearer " + forged}}), "unknown_key");
}

TEST_F(AuthenticateTest, a_mistyped_key_is_told_that_its_checksum_is_wrong) {
  std::string token = make_key().token;
  token.back() = token.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(shown({{"authorization", "Bearer " + token}}), "unknown_key");
  EXPECT_THAT(said, HasSubstr("checksum"));
}

TEST_F(AuthenticateTest, an_admin_token_does_not_open_the_gate) {
  const std::string admin = identity::mint(identity::TokenKind::admin, rng).token;
  EXPECT_EQ(shown({{"authorization", "Bearer " + admin}}), "unknown_key");
  EXPECT_THAT(said, HasSubstr("admin token"));
}

TEST_F(AuthenticateTest, a_providers_own_key_is_refused_and_never_repeated) {
  EXPECT_EQ(shown({{"authorization", "Bearer sk-live-123"}}), "unknown_key");
  EXPECT_THAT(said, HasSubstr("clv_"));
  EXPECT_THAT(said, testing::Not(HasSubstr("sk-live-123")));
}

TEST_F(AuthenticateTest, another_scheme_than_bearer_shows_no_key_of_ours) {
  EXPECT_EQ(shown({{"authorization", "Basic " + make_key().token}}), "unknown_key");
}

TEST_F(AuthenticateTest, two_different_keys_of_ours_conflict) {
  const Known one = make_key();
  const Known other = make_key();
  EXPECT_EQ(shown({{"authorization", "Bearer " + one.token}, {"x-api-key", other.token}}),
            "conflicting_keys");
}

TEST_F(AuthenticateTest, a_key_in_a_header_and_another_in_the_query_conflict) {
  const Known one = make_key();
  const Known other = make_key();
  EXPECT_EQ(shown({{"x-goog-api-key", one.token}}, "?key=" + other.token), "conflicting_keys");
}

TEST_F(AuthenticateTest, two_keys_in_the_query_conflict) {
  const Known one = make_key();
  EXPECT_EQ(shown({}, "?key=" + one.token + "&key=" + one.token), "conflicting_keys");
}

TEST_F(AuthenticateTest, one_key_shown_in_two_places_is_one_key) {
  const Known key = make_key();
  EXPECT_EQ(shown({{"authorization", "Bearer " + key.token}, {"x-api-key", key.token}}), "ok");
}

TEST_F(AuthenticateTest, a_providers_key_beside_ours_does_no_harm) {
  const Known key = make_key();
  EXPECT_EQ(shown({{"authorization", "Bearer sk-live-123"}, {"x-api-key", key.token}}), "ok");
  EXPECT_EQ(found, key.id);
}

TEST_F(AuthenticateTest, every_dialects_place_for_a_key_is_looked_at) {
  const Known key = make_key();
  for (const Fields& fields :
       {Fields{{"authorization", "Bearer " + key.token}}, Fields{{"Authorization", "bearer  " + key.token}},
        Fields{{"x-api-key", key.token}}, Fields{{"x-goog-api-key", key.token}},
        Fields{{"api-key", key.token}}}) {
    EXPECT_EQ(shown(fields), "ok") << fields.front().first;
    EXPECT_EQ(found, key.id);
  }
  EXPECT_EQ(shown({}, "?key=" + key.token), "ok");
  EXPECT_EQ(found, key.id);
}

TEST_F(AuthenticateTest, a_rotated_key_works_in_its_grace_and_not_after_it) {
  const Known key = make_key();
  const identity::Issued next = keys->rotate(key.id, 1h).value();
  know(next.key);
  EXPECT_EQ(shown({{"x-api-key", key.token}}), "ok");
  EXPECT_EQ(shown({{"x-api-key", next.token}}), "ok");
  clock.at = clock.at + 1h;
  EXPECT_EQ(shown({{"x-api-key", key.token}}), "unknown_key");
  EXPECT_EQ(shown({{"x-api-key", next.token}}), "ok");
}

TEST_F(AuthenticateTest, a_revoked_key_is_still_recognised_so_that_authorize_can_say_why) {
  const Known key = make_key();
  set_state(key, identity::KeyState::revoked);
  EXPECT_EQ(shown({{"x-api-key", key.token}}), "ok");
}

}  // namespace
}  // namespace claviger::gate
