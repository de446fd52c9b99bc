// Keys, admin tokens and idempotency keys over a store in memory.
#include "identity/key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/limits.hpp"
#include "identity/admin_token.hpp"
#include "identity/once.hpp"
#include "identity/token.hpp"
#include "store/faulty.hpp"
#include "store/sqlite.hpp"

namespace claviger::identity {
namespace {

using namespace std::chrono_literals;

class FixedClock final : public Clock {
 public:
  Time now() const override { return at; }
  std::int64_t monotonic_ns() const override { return at.ns; }
  Time at{1'790'000'000'000'000'000};
};

class KeyTest : public testing::Test {
 protected:
  void SetUp() override {
    store = std::move(store::SqliteStore::open({})).value();
    ASSERT_TRUE(store::install(*store, {kKeySchema, kAdminTokenSchema, kOnceSchema}));
  }

  KeyDraft draft(std::string name = "app") {
    KeyDraft made;
    made.id = fresh_id(rng);
    made.name = std::move(name);
    made.team = "core";
    made.project = "search";
    made.environment = "dev";
    made.created_by = "owner";
    return made;
  }

  void expect_refused(const KeyDraft& bad, std::string_view field) {
    const auto made = keys().create(bad);
    ASSERT_FALSE(made) << field;
    EXPECT_EQ(made.error().code, Code::invalid_input) << field;
    EXPECT_NE(told(made.error()).find(field), std::string_view::npos) << told(made.error());
  }

  Keys keys() { return Keys(*store, rng, clock, crypto::HmacSha256(as_bytes("pepper"))); }
  AdminTokens tokens() {
    return AdminTokens(*store, rng, clock, crypto::HmacSha256(as_bytes("admin pepper")));
  }

  SeededRng rng{7};
  FixedClock clock;
  std::unique_ptr<store::SqliteStore> store;
};

TEST(Names, are_as_long_as_the_bound_and_no_longer) {
  for (const std::size_t more : {0U, 1U, 2U}) {
    const std::string name(limits::kName - 1 + more, 'a');
    EXPECT_EQ(check_name("name", name).has_value(), more < 2) << more;
    EXPECT_EQ(check_label("team", name).has_value(), more < 2) << more;
  }
}

TEST_F(KeyTest, bad_fields_are_refused_by_name) {
  KeyDraft bad = draft();
  bad.name = "";
  expect_refused(bad, "name");
  bad = draft("line\nbreak");
  expect_refused(bad, "name");
  bad = draft();
  bad.project = "a b";
  expect_refused(bad, "project");
  bad = draft();
  bad.environment = "";
  expect_refused(bad, "environment");
  bad = draft();
  bad.team = ":x";
  expect_refused(bad, "team");
  bad = draft();
  bad.expires = clock.at;
  expect_refused(bad, "expires");
  bad = draft();
  bad.rates.rpm = -1;
  expect_refused(bad, "rpm");
  EXPECT_TRUE(keys().list()->empty());
}

TEST_F(KeyTest, an_unknown_key_is_not_found_by_any_operation) {
  EXPECT_EQ(keys().get("000000000000").error().code, Code::not_found);
  EXPECT_EQ(keys().set_state("000000000000", KeyState::frozen).error().code, Code::not_found);
  EXPECT_EQ(keys().rotate("000000000000", 0s).error().code, Code::not_found);
}

TEST_F(KeyTest, a_created_key_is_read_back_with_all_its_fields) {
  KeyDraft full = draft();
  full.rates = {10, 2000, 3};
  full.expires = clock.at + 24h;
  full.scope = R"({"models":["gpt-*"]})";
  const Issued issued = keys().create(full).value();
  const Key read = keys().get(issued.key.id).value();
  EXPECT_EQ(read.name, full.name);
  EXPECT_EQ(read.team, full.team);
  EXPECT_EQ(read.project, full.project);
  EXPECT_EQ(read.environment, full.environment);
  EXPECT_EQ(read.rates, full.rates);
  EXPECT_EQ(read.expires, full.expires);
  EXPECT_EQ(read.scope, full.scope);
  EXPECT_EQ(read.state, KeyState::active);
  EXPECT_EQ(read.created, clock.at);
  EXPECT_EQ(read.digest, digest(keys().pepper(), issued.token));
}

TEST_F(KeyTest, the_store_holds_nothing_of_the_token) {
  const Issued issued = keys().create(draft()).value();
  const std::string secret = issued.token.substr(17);
  ASSERT_TRUE(store->read([&](store::Tx& tx) -> Result<void> {
    const auto rows = tx.query("SELECT * FROM key");
    for (const auto& column : rows->front().columns) {
      if (const auto* text = std::get_if<std::string>(&column)) {
        EXPECT_EQ(text->find(secret), std::string::npos);
      }
      if (const auto* blob = std::get_if<Bytes>(&column)) {
        EXPECT_EQ(as_text(*blob).find(secret), std::string::npos);
      }
    }
    return {};
  }));
}

TEST_F(KeyTest, revocation_is_final) {
  const std::string id = keys().create(draft())->key.id;
  ASSERT_TRUE(keys().set_state(id, KeyState::revoked));
  EXPECT_TRUE(keys().set_state(id, KeyState::revoked));
  EXPECT_EQ(keys().set_state(id, KeyState::active).error().code, Code::conflict);
  EXPECT_EQ(keys().set_state(id, KeyState::frozen).error().code, Code::conflict);
  EXPECT_EQ(keys().rotate(id, 1h).error().code, Code::conflict);
}

TEST_F(KeyTest, a_frozen_key_can_be_thawed) {
  const std::string id = keys().create(draft())->key.id;
  EXPECT_EQ(keys().set_state(id, KeyState::frozen)->state, KeyState::frozen);
  EXPECT_EQ(keys().get(id)->state, KeyState::frozen);
  EXPECT_EQ(keys().set_state(id, KeyState::active)->state, KeyState::active);
}

TEST_F(KeyTest, after_rotation_the_old_token_works_until_its_grace_ends) {
  const Issued first = keys().create(draft()).value();
  const Issued second = keys().rotate(first.key.id, 30min).value();
  const Key key = keys().get(first.key.id).value();
  const Digest old_digest = digest(keys().pepper(), first.token);
  const Digest new_digest = digest(keys().pepper(), second.token);
  EXPECT_TRUE(matches(key, new_digest, clock.at));
  EXPECT_TRUE(matches(key, old_digest, clock.at + (30min - 1ns)));
  EXPECT_FALSE(matches(key, old_digest, clock.at + 30min));
  EXPECT_TRUE(matches(key, new_digest, clock.at + 24h));
}

TEST_F(KeyTest, rotation_without_grace_ends_the_old_token_at_once) {
  const Issued first = keys().create(draft()).value();
  ASSERT_TRUE(keys().rotate(first.key.id, 0s));
  EXPECT_FALSE(matches(*keys().get(first.key.id), digest(keys().pepper(), first.token), clock.at));
}

TEST_F(KeyTest, a_second_rotation_ends_the_grace_of_the_first) {
  const Issued first = keys().create(draft()).value();
  const Issued second = keys().rotate(first.key.id, 1h).value();
  ASSERT_TRUE(keys().rotate(first.key.id, 1h));
  const Key key = keys().get(first.key.id).value();
  EXPECT_FALSE(matches(key, digest(keys().pepper(), first.token), clock.at));
  EXPECT_TRUE(matches(key, digest(keys().pepper(), second.token), clock.at));
}

TEST_F(KeyTest, a_grace_longer_than_a_month_or_below_zero_is_refused) {
  const std::string id = keys().create(draft())->key.id;
  EXPECT_EQ(keys().rotate(id, 24h * 31).error().code, Code::invalid_input);
  EXPECT_EQ(keys().rotate(id, -1s).error().code, Code::invalid_input);
}

TEST_F(KeyTest, lists_are_filtered_hide_production_and_keep_their_order) {
  std::vector<std::string> ids;
  for (const auto* environment : {"dev", "Production", "staging", "prod", "dev"}) {
    KeyDraft made = draft(environment);
    made.environment = environment;
    made.project = std::string("p-") + environment;
    ids.push_back(keys().create(made)->key.id);
  }
  std::ranges::sort(ids);  // made at one instant: ids decide
  const auto all = keys().list().value();
  ASSERT_EQ(all.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(all[i].id, ids[i]);
  KeyFilter visible;
  visible.production = Production::hidden;
  EXPECT_EQ(keys().list(visible)->size(), 3U);
  KeyFilter one;
  one.project = "p-staging";
  ASSERT_EQ(keys().list(one)->size(), 1U);
  EXPECT_EQ(keys().list(one)->front().environment, "staging");
}

TEST_F(KeyTest, counts_are_by_state_and_can_leave_production_out) {
  ASSERT_TRUE(keys().create(draft()));
  ASSERT_TRUE(keys().set_state(keys().create(draft())->key.id, KeyState::frozen));
  KeyDraft production = draft();
  production.environment = "Prod";
  ASSERT_TRUE(keys().create(production));
  EXPECT_EQ(keys().count()->active, 2);
  EXPECT_EQ(keys().count()->frozen, 1);
  EXPECT_EQ(keys().count()->revoked, 0);
  EXPECT_EQ(keys().count(Production::hidden)->active, 1);
}

TEST_F(KeyTest, pages_neither_repeat_nor_leave_out_a_key) {
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(keys().create(draft())->key.id);
    if (i % 3 == 0) clock.at = clock.at + 1s;
  }
  std::vector<std::string> seen;
  KeyFilter page;
  page.limit = 3;
  for (auto keys_of_page = keys().list(page).value(); !keys_of_page.empty();
       keys_of_page = keys().list(page).value()) {
    for (const Key& key : keys_of_page) seen.push_back(key.id);
    page.after = seen.back();
  }
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_THAT(seen, testing::UnorderedElementsAreArray(ids));
}

TEST_F(KeyTest, a_failing_store_leaves_no_key_behind) {
  store::FaultyStore faulty(*store);
  Keys broken(faulty, rng, clock, crypto::HmacSha256(as_bytes("pepper")));
  faulty.fail_write(1, store::Fault::rolled_back);
  EXPECT_EQ(broken.create(draft()).error().code, Code::store_unavailable);
  EXPECT_TRUE(keys().list()->empty());
  EXPECT_TRUE(broken.create(draft()));
}

TEST_F(KeyTest, each_shows_every_key_once_over_many_pages) {
  Keys all = keys();
  std::vector<std::string> made;
  for (int i = 0; i < 1005; ++i) made.push_back(all.create(draft())->key.id);
  std::ranges::sort(made);
  std::vector<std::string> seen;
  ASSERT_TRUE(all.each([&](const Key& key) { seen.push_back(key.id); }));
  std::ranges::sort(seen);
  EXPECT_EQ(seen, made);
}

TEST_F(KeyTest, changes_are_told_once_whatever_made_them) {
  Keys all = keys();
  const std::string before = all.create(draft())->key.id;
  std::map<std::string, std::optional<KeyState>> told;
  const auto take = [&] {
    told.clear();
    return all.take_changes([&](const std::string& id, std::optional<Key> key) {
      told[id] = key ? std::optional(key->state) : std::nullopt;
    });
  };
  EXPECT_FALSE(take());  // nothing is watched yet
  ASSERT_TRUE(all.watch_changes());
  ASSERT_TRUE(take());
  EXPECT_TRUE(told.empty());
  const std::string fresh = all.create(draft())->key.id;
  ASSERT_TRUE(all.set_state(before, KeyState::frozen));
  ASSERT_TRUE(all.rotate(before, 1h));
  ASSERT_TRUE(take());
  EXPECT_EQ(told, (decltype(told){{fresh, KeyState::active}, {before, KeyState::frozen}}));
  ASSERT_TRUE(take());
  EXPECT_TRUE(told.empty());
  ASSERT_TRUE(store->write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("DELETE FROM key_match WHERE key = ?1", {fresh}));
    TRY_VOID(tx.run("DELETE FROM key WHERE id = ?1", {fresh}));
    return {};
  }));
  ASSERT_TRUE(take());
  EXPECT_EQ(told, (decltype(told){{fresh, std::nullopt}}));
}

TEST_F(KeyTest, a_change_that_was_rolled_back_is_not_told) {
  Keys all = keys();
  ASSERT_TRUE(all.watch_changes());
  EXPECT_FALSE(store->write([&](store::Tx& tx) -> Result<void> {
    TRY(const Issued made, all.create(tx, draft()));
    return refuse(Code::conflict, made.key.id);
  }));
  int told = 0;
  ASSERT_TRUE(all.take_changes([&](const std::string&, const std::optional<Key>&) { ++told; }));
  EXPECT_EQ(told, 0);
}

TEST_F(KeyTest, an_admin_token_opens_only_while_it_lives) {
  const auto issued = tokens().create("ci", Role::operator_, clock.at + 1h, "owner").value();
  EXPECT_EQ(tokens().authenticate(issued.token)->role, Role::operator_);
  std::string forged = mint_for(TokenKind::admin, issued.info.id, rng);
  EXPECT_EQ(tokens().authenticate(forged).error().code, Code::unauthenticated);
  EXPECT_EQ(tokens().authenticate("nonsense").error().code, Code::unauthenticated);
  clock.at = clock.at + 1h;
  EXPECT_EQ(tokens().authenticate(issued.token).error().code, Code::unauthenticated);
}

TEST_F(KeyTest, a_revoked_admin_token_opens_nothing) {
  const auto issued = tokens().create("ci", Role::owner, kNever, "owner").value();
  ASSERT_TRUE(tokens().revoke(issued.info.id));
  EXPECT_EQ(tokens().authenticate(issued.token).error().code, Code::unauthenticated);
  EXPECT_EQ(tokens().revoke(issued.info.id).error().code, Code::not_found);
  EXPECT_TRUE(tokens().list()->empty());
}

TEST_F(KeyTest, a_virtual_key_is_no_admin_token) {
  const Issued key = keys().create(draft()).value();
  EXPECT_EQ(tokens().authenticate(key.token).error().code, Code::unauthenticated);
}

TEST_F(KeyTest, an_unknown_role_is_refused) {
  EXPECT_EQ(parse_role("admin").error().code, Code::invalid_input);
  for (const Role role : {Role::owner, Role::operator_, Role::developer, Role::auditor})
    EXPECT_EQ(parse_role(role_name(role)).value(), role);
}

class OnceTest : public KeyTest {
 protected:
  Result<std::optional<std::string>> ask(const Once& once) {
    std::optional<std::string> found;
    TRY_VOID(store->read([&](store::Tx& tx) -> Result<void> {
      TRY(found, replayed(tx, once, clock.at));
      return {};
    }));
    return found;
  }
  void keep(const Once& once, std::string_view subject) {
    ASSERT_TRUE(store->write([&](store::Tx& tx) { return remember(tx, once, subject, clock.at); }));
  }
};

TEST_F(OnceTest, a_key_used_for_another_request_is_a_conflict) {
  keep({"alice", "k1", Digest{1}}, "subject");
  EXPECT_EQ(ask({"alice", "k1", Digest{2}}).error().code, Code::conflict);
}

TEST_F(OnceTest, a_malformed_key_is_refused) {
  for (const std::string& key :
       {std::string(), std::string("a b"), std::string(256, 'x'), std::string("\x80")})
    EXPECT_EQ(ask({"alice", key, Digest{}}).error().code, Code::invalid_input);
}

TEST_F(OnceTest, a_repetition_learns_what_the_first_made_and_another_actor_does_not) {
  keep({"alice", "k1", Digest{1}}, "subject");
  EXPECT_EQ(ask({"alice", "k1", Digest{1}}).value(), "subject");
  EXPECT_EQ(ask({"bob", "k1", Digest{1}}).value(), std::nullopt);
}

TEST_F(OnceTest, it_is_forgotten_after_its_window) {
  keep({"alice", "k1", Digest{1}}, "subject");
  clock.at = clock.at + kOnceWindow;
  EXPECT_EQ(ask({"alice", "k1", Digest{1}}).value(), std::nullopt);
  keep({"alice", "k1", Digest{2}}, "other");
  EXPECT_EQ(ask({"alice", "k1", Digest{2}}).value(), "other");
}

TEST(LineageText, it_goes_from_the_top_down) {
  std::vector<std::string> seen;
  for (const std::string_view id : Lineage("a/bb/ccc")) seen.emplace_back(id);
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "bb", "ccc"}));
  EXPECT_EQ(Lineage("a/bb/ccc").parent(), "ccc");
  EXPECT_EQ(Lineage("a/bb/ccc").root(), "a");
  EXPECT_TRUE(Lineage("a/bb").contains("bb"));
  EXPECT_FALSE(Lineage("a/bb").contains("b"));
  EXPECT_TRUE(Lineage("").empty());
  EXPECT_EQ(Lineage("").parent(), "");
  for (const std::string_view id : Lineage("")) ADD_FAILURE() << id;
}

class ChildKeyTest : public KeyTest {
 protected:
  Result<Issued> child_of(std::string_view parent) {
    KeyDraft made = draft("child");
    made.parent = parent;
    return keys().create(made);
  }
  std::string made(const Result<Issued>& issued) {
    EXPECT_TRUE(issued) << told(issued.error());
    return issued ? issued->key.id : "";
  }
};

TEST_F(ChildKeyTest, a_parent_that_does_not_stand_has_no_children) {
  EXPECT_EQ(child_of("nobodyknows1").error().code, Code::not_found);
  const std::string root = made(keys().create(draft()));
  const std::string child = made(child_of(root));
  ASSERT_TRUE(keys().set_state(root, KeyState::frozen));
  EXPECT_EQ(child_of(root).error().code, Code::conflict);
  EXPECT_EQ(child_of(child).error().code, Code::conflict) << "nor have the keys below it";
  ASSERT_TRUE(keys().set_state(root, KeyState::active));
  EXPECT_TRUE(child_of(child));
}

TEST_F(ChildKeyTest, children_go_as_deep_as_the_bound_and_no_deeper) {
  std::string last = made(keys().create(draft()));
  const std::string root = last;
  std::string lineage;
  for (std::size_t depth = 1; depth <= limits::kKeyDepth; ++depth) {
    lineage += (lineage.empty() ? "" : "/") + last;
    const auto issued = child_of(last);
    last = made(issued);
    EXPECT_EQ(issued->key.lineage, lineage) << depth;
    EXPECT_EQ(keys().get(last)->lineage, lineage) << depth;
  }
  const auto refused = child_of(last);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_many_keys);
  KeyFilter below;
  below.above = root;
  EXPECT_EQ(keys().list(below)->size(), limits::kKeyDepth);
}

TEST_F(ChildKeyTest, a_tree_holds_as_many_live_keys_as_the_bound_and_no_more) {
  const std::string root = made(keys().create(draft()));
  std::vector<std::string> children;
  for (std::int64_t n = 0; n < limits::kKeyTree; ++n) {
    if (n % 100 == 0) clock.at = clock.at + 1h;  // not faster than they may be made
    children.push_back(made(child_of(n % 2 == 0 ? root : children.back())));
    if (n % 2 == 1) children.pop_back();
  }
  EXPECT_EQ(child_of(root).error().code, Code::too_many_keys);
  EXPECT_EQ(child_of(children.back()).error().code, Code::too_many_keys) << "at every level";
  EXPECT_TRUE(child_of(made(keys().create(draft())))) << "another tree has its own";
  ASSERT_TRUE(keys().set_state(children.back(), KeyState::revoked));
  EXPECT_TRUE(child_of(root));
}

TEST_F(ChildKeyTest, children_are_not_made_faster_than_the_bound) {
  const std::string root = made(keys().create(draft()));
  for (std::int64_t n = 0; n < limits::kKeyMints; ++n) {
    const std::string child = made(child_of(root));
    ASSERT_TRUE(keys().set_state(child, KeyState::revoked));
  }
  EXPECT_EQ(child_of(root).error().code, Code::too_many_keys);
  clock.at = clock.at + 1h + 1ns;
  EXPECT_TRUE(child_of(root));
}

TEST_F(ChildKeyTest, revoking_is_for_all_below_and_freezing_for_the_key_alone) {
  const std::string root = made(keys().create(draft()));
  const std::string child = made(child_of(root));
  const std::string grandchild = made(child_of(child));
  const std::string other = made(child_of(root));
  ASSERT_TRUE(keys().set_state(child, KeyState::frozen));
  EXPECT_EQ(keys().get(grandchild)->state, KeyState::active);
  ASSERT_TRUE(keys().set_state(child, KeyState::revoked));
  EXPECT_EQ(keys().get(grandchild)->state, KeyState::revoked);
  EXPECT_EQ(keys().get(other)->state, KeyState::active);
  EXPECT_EQ(keys().get(root)->state, KeyState::active);
}

}  // namespace
}  // namespace claviger::identity
