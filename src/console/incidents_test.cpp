// Leaks and incidents through the API: what is recognised, what is done, and what a crash leaves to be done.
#include "base/limits.hpp"
#include "console/rig_test.hpp"
#include "crypto/hash.hpp"
#include "steward/incident_rows.hpp"

namespace claviger::console {
namespace {

class IncidentsTest : public ApiTest {
 protected:
  static std::string sha(std::string_view secret) { return hex(crypto::sha256(secret)); }
  std::pair<std::string, std::string> issue() {
    const Json made = body_of(call("POST", "/api/v1/keys", key_body()), 201);
    return {made["id"], made["key"]};
  }
  Json report(const std::vector<std::string>& hashes, Json more = Json::object()) {
    more["sha256"] = hashes;
    return body_of(call("POST", "/api/v1/leaks", more), 200);
  }
  Json show(const std::string& incident) {
    return body_of(call("GET", "/api/v1/incidents/" + incident), 200);
  }
  void wait(std::chrono::nanoseconds span) { clock.at = clock.at + span; }
  // The program dies and starts: all that is kept is stored.
  void restart() {
    incidents.reset();
    build_api();
  }
};

TEST_F(IncidentsTest, a_leak_goes_its_way_to_the_end) {
  const auto [id, token] = issue();
  const Json taken =
      report({sha(token)}, {{"source", "ci"}, {"places", {"a:1", {{"file", "b"}, {"line", 2}}}}});
  ASSERT_EQ(taken["incidents"].size(), 1U);
  const std::string incident = taken["incidents"][0]["id"];
  EXPECT_EQ(taken["incidents"][0]["state"], "contained");
  EXPECT_EQ(keys->get(id)->state, identity::KeyState::frozen);
  EXPECT_EQ(show(incident)["places"].size(), 2U);
  wait(std::chrono::seconds(2));
  ASSERT_TRUE(incidents->tick());
  EXPECT_EQ(show(incident)["state"], "accounted");
  ASSERT_EQ(call("POST", "/api/v1/keys/" + id + "/rotate", Json::object()).status, 200);
  ASSERT_TRUE(incidents->tick());
  EXPECT_EQ(show(incident)["state"], "replaced");
  const Json closed =
      body_of(call("POST", "/api/v1/incidents/" + incident + "/close", {{"resolution", "done"}}), 200);
  EXPECT_EQ(closed["state"], "closed");
  EXPECT_EQ(call("POST", "/api/v1/incidents/" + incident + "/close", {{"resolution", "again"}}).status, 409);
}

TEST_F(IncidentsTest, each_step_is_done_once_whenever_the_program_dies) {
  const auto [id, token] = issue();
  const std::string incident = report({sha(token)})["incidents"][0]["id"];
  for (const char* state : {"contained", "accounted", "replaced"}) {
    restart();
    EXPECT_EQ(show(incident)["state"], state);
    if (std::string_view(state) == "accounted") ASSERT_TRUE(keys->rotate(id, std::chrono::nanoseconds(0)));
    wait(std::chrono::seconds(2));
    ASSERT_TRUE(incidents->tick());
  }
  std::vector<std::string> frozen;
  for (const std::string& line : recorded())
    if (line == "key.freeze key:" + id) frozen.push_back(line);
  EXPECT_EQ(frozen.size(), 1U);
}

TEST_F(IncidentsTest, what_could_not_be_published_is_published_by_the_next_tick) {
  const auto [id, token] = issue();
  publish_result = fail(Code::store_unavailable, "not now");
  EXPECT_EQ(call("POST", "/api/v1/leaks", {{"sha256", {sha(token)}}}).status, 503);
  const int before = published;
  publish_result = {};
  ASSERT_TRUE(incidents->tick());
  EXPECT_GT(published, before);
  EXPECT_EQ(body_of(call("GET", "/api/v1/incidents?state=contained"), 200)["incidents"].size(), 1U);
}

TEST_F(IncidentsTest, a_journal_that_cannot_be_written_lets_nothing_be_changed) {
  const auto [id, token] = issue();
  journal.set_capacity(0);
  EXPECT_EQ(call("POST", "/api/v1/leaks", {{"sha256", {sha(token)}}}).status, 503);
  EXPECT_EQ(keys->get(id)->state, identity::KeyState::active);
}

TEST_F(IncidentsTest, many_leaks_are_one_world) {
  std::vector<std::string> hashes;
  for (int i = 0; i < 20; ++i) hashes.push_back(sha(issue().second));
  const int before = published;
  EXPECT_EQ(report(hashes)["incidents"].size(), 20U);
  EXPECT_EQ(published, before + 1);
}

TEST_F(IncidentsTest, an_incident_is_not_closed_while_the_secret_opens_something) {
  body_of(call("POST", "/api/v1/credentials", credential_body()), 201);
  const std::string incident = report({sha(kProviderSecret)})["incidents"][0]["id"];
  EXPECT_EQ(show(incident)["state"], "detected");
  const std::string path = "/api/v1/incidents/" + incident + "/close";
  EXPECT_EQ(call("POST", path, {{"resolution", "no matter"}}).status, 409);
  EXPECT_EQ(call("POST", path, {{"resolution", "no matter"}, {"accepted", true}}).status, 200);
  EXPECT_EQ(report({sha(kProviderSecret)})["incidents"][0]["state"], "closed");
}

TEST_F(IncidentsTest, a_leaked_credential_whose_rotation_fails_is_withdrawn_and_people_are_told) {
  const std::string id = body_of(call("POST", "/api/v1/credentials", credential_body()), 201)["id"];
  auto stage = steward::RotationStage::under_way;
  incidents->connect(
      {[](const std::string&, std::int64_t, const std::string&) -> Result<std::string> { return "rot_1"; },
       [&stage](const std::string&) -> Result<steward::RotationStage> { return stage; },
       [](const std::string&, std::int64_t) { return steward::Way::open; },
       [](const std::string&, std::int64_t) { return Result<void>(); }});
  const std::string incident = report({sha(kProviderSecret)})["incidents"][0]["id"];
  ASSERT_TRUE(incidents->tick());
  EXPECT_EQ(show(incident)["state"], "detected") << "its traffic goes on until it is replaced";
  EXPECT_EQ(vault->get(id)->state, vault::CredentialState::enabled);
  stage = steward::RotationStage::failed;
  ASSERT_TRUE(incidents->tick());
  EXPECT_EQ(show(incident)["state"], "contained");
  EXPECT_EQ(vault->get(id)->state, vault::CredentialState::disabled);
  const auto waiting = std::ranges::find(told, "incident.waiting", &steward::Notice::type);
  ASSERT_NE(waiting, told.end());
  EXPECT_EQ(waiting->severity, steward::Severity::critical);
  EXPECT_NE(waiting->summary.find("rot_1"), std::string::npos);
}

TEST_F(IncidentsTest, a_leaked_version_that_may_live_on_at_its_provider_is_not_replaced) {
  const std::string id = body_of(call("POST", "/api/v1/credentials", credential_body()), 201)["id"];
  std::string fresh = "sk-fresh-0123456789";
  ASSERT_TRUE(vault->add_version(id, Secret::take(fresh)));
  ASSERT_TRUE(vault->revoke_version(id, 1));
  auto left = steward::Left::watched;
  steward::Rotating rotating{
      [](const std::string&, std::int64_t, const std::string&) -> Result<std::string> { return "rot_1"; },
      [](const std::string&) -> Result<steward::RotationStage> { return steward::RotationStage::done; },
      [](const std::string&, std::int64_t) { return steward::Way::open; },
      [](const std::string&, std::int64_t) { return Result<void>(); }};
  rotating.left = [&left](const std::string&, std::int64_t) -> Result<steward::Left> { return left; };
  incidents->connect(std::move(rotating));
  const std::string incident = report({sha(kProviderSecret)})["incidents"][0]["id"];
  wait(std::chrono::seconds(2));
  ASSERT_TRUE(incidents->tick());
  EXPECT_EQ(show(incident)["state"], "accounted") << "it is probed, and was not refused yet";
  EXPECT_TRUE(show(incident)["rotation_problem"].is_null());
  left = steward::Left::by_hand;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(incidents->tick());
  EXPECT_EQ(show(incident)["state"], "accounted");
  EXPECT_NE(show(incident)["rotation_problem"].get<std::string>().find("delete it there"), std::string::npos);
  EXPECT_EQ(std::ranges::count(told, "incident.waiting", &steward::Notice::type), 1) << "once";
  left = steward::Left::no;
  ASSERT_TRUE(incidents->tick());
  EXPECT_EQ(show(incident)["state"], "replaced");
  EXPECT_TRUE(show(incident)["rotation_problem"].is_null()) << "nobody is waited for any more";
}

TEST_F(IncidentsTest, a_closed_incident_of_a_secret_that_opens_again_is_followed_by_another) {
  const auto [id, token] = issue();
  const std::string first = report({sha(token)})["incidents"][0]["id"];
  ASSERT_EQ(call("POST", "/api/v1/incidents/" + first + "/close", {{"resolution", "a test"}}).status, 200);
  EXPECT_EQ(report({sha(token)})["incidents"][0]["id"], first);
  ASSERT_EQ(call("POST", "/api/v1/keys/" + id + "/unfreeze").status, 200);
  EXPECT_NE(report({sha(token)})["incidents"][0]["id"], first);
  EXPECT_EQ(keys->get(id)->state, identity::KeyState::frozen);
}

TEST_F(IncidentsTest, an_earlier_exposure_is_counted_again) {
  const auto [id, token] = issue();
  const std::string incident = report({sha(token)})["incidents"][0]["id"];
  wait(std::chrono::seconds(2));
  ASSERT_TRUE(incidents->tick());
  const std::string early = "2026-01-01T00:00:00.000Z";
  report({sha(token)}, {{"first_exposed", early}});
  ASSERT_TRUE(incidents->tick());
  const Json shown = show(incident);
  EXPECT_EQ(shown["first_exposed"], early);
  EXPECT_EQ(shown["accounting"]["from"], early);
  EXPECT_EQ(shown["state"], "accounted");
}

TEST_F(IncidentsTest, an_old_token_found_later_unlocks_nothing) {
  const auto [id, old] = issue();
  const std::string token =
      body_of(call("POST", "/api/v1/keys/" + id + "/rotate", Json::object()), 200)["key"];
  const std::string incident = report({sha(token)})["incidents"][0]["id"];
  wait(std::chrono::seconds(1));
  report({sha(old)});
  const ApiResponse refused = call("POST", "/api/v1/keys/" + id + "/unfreeze");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find(incident), std::string::npos) << refused.body;
  EXPECT_EQ(keys->get(id)->state, identity::KeyState::frozen);
}

TEST_F(IncidentsTest, a_key_is_not_unlocked_while_keys_stand_that_were_made_with_its_leaked_token) {
  const auto [id, token] = issue();
  const Json child{{"name", "child"}, {"parent", id}};
  const std::string older = body_of(call("POST", "/api/v1/keys", child), 201)["id"];
  wait(std::chrono::seconds(1));
  const std::string exposed = format_time(clock.at);
  const std::string made = body_of(call("POST", "/api/v1/keys", child), 201)["id"];
  wait(std::chrono::seconds(1));
  const std::string incident = report({sha(token)}, {{"first_exposed", exposed}})["incidents"][0]["id"];
  ASSERT_EQ(call("POST", "/api/v1/keys/" + id + "/rotate", Json::object()).status, 200);
  wait(std::chrono::seconds(2));
  ASSERT_TRUE(incidents->tick());
  const std::string summary = show(incident)["accounting"]["summary"];
  EXPECT_NE(summary.find("1 child keys"), std::string::npos) << summary;
  const ApiResponse refused = call("POST", "/api/v1/keys/" + id + "/unfreeze");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find(made), std::string::npos) << refused.body;
  EXPECT_EQ(refused.body.find(older), std::string::npos) << refused.body;
  ASSERT_EQ(call("POST", "/api/v1/keys/" + made + "/revoke").status, 200);
  EXPECT_EQ(call("POST", "/api/v1/keys/" + id + "/unfreeze").status, 200);
  EXPECT_EQ(keys->get(older)->state, identity::KeyState::active);
}

TEST_F(IncidentsTest, figures_of_a_shorter_exposure_are_not_kept) {
  std::vector<std::function<void()>> reading;
  incidents->offload_to([&](std::function<void()> work, std::function<void()> done) {
    work();
    reading.push_back(std::move(done));
  });
  const auto [id, token] = issue();
  const std::string incident = report({sha(token)})["incidents"][0]["id"];
  wait(std::chrono::seconds(2));
  ASSERT_TRUE(incidents->tick());
  const std::string early = "2026-01-01T00:00:00.000Z";
  report({sha(token)}, {{"first_exposed", early}});  // while the figures are read
  ASSERT_EQ(reading.size(), 1U);
  reading[0]();
  EXPECT_EQ(show(incident)["state"], "contained");
  ASSERT_TRUE(incidents->tick());
  ASSERT_EQ(reading.size(), 2U);
  reading[1]();
  EXPECT_EQ(show(incident)["accounting"]["from"], early);
  EXPECT_EQ(show(incident)["state"], "accounted");
}

TEST_F(IncidentsTest, a_report_names_so_many_places_and_each_is_cut_at_so_many_bytes) {
  const std::string leaked = sha(issue().second);
  Json places = Json::array();
  for (std::size_t i = 1; i < limits::kLeakPlaces; ++i) places.push_back("place" + std::to_string(i % 100));
  const auto reported = [&] {
    return call("POST", "/api/v1/leaks", {{"sha256", {leaked}}, {"places", places}}).status;
  };
  EXPECT_EQ(reported(), 200);
  places.push_back("the last");
  EXPECT_EQ(reported(), 200);
  places.push_back("one too many");
  EXPECT_EQ(reported(), 400);
  for (const std::size_t size : {limits::kLeakText - 1, limits::kLeakText, limits::kLeakText + 1}) {
    const std::string place = std::to_string(size) + std::string(size - 4, 'p');
    const std::string incident =
        report({sha(issue().second)}, {{"places", {place}}, {"source", place}})["incidents"][0]["id"];
    const Json kept = show(incident)["places"][0];
    EXPECT_EQ(kept["place"], place.substr(0, limits::kLeakText));
    EXPECT_EQ(kept["source"], place.substr(0, limits::kLeakText));
  }
}

TEST_F(IncidentsTest, so_many_hashes_that_are_not_ours_are_remembered) {
  ASSERT_TRUE(store->write([](store::Tx& tx) -> Result<void> {
    TRY_VOID(
        tx.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
               "INSERT INTO leak_unknown SELECT CAST(i AS BLOB), 'ci', 0, 0 FROM n",
               {limits::kUnknownLeaks - 1}));
    return {};
  }));
  const auto remembered = [&] {
    std::int64_t count = 0;
    EXPECT_TRUE(store->read([&](store::Tx& tx) -> Result<void> {
      TRY(count, steward::count_unknown(tx));
      return {};
    }));
    return count;
  };
  for (const char* secret : {"one", "two", "three"}) {
    report({sha(secret)});
    EXPECT_EQ(remembered(), limits::kUnknownLeaks) << secret;
  }
}

class HookTest : public IncidentsTest {
 protected:
  void SetUp() override {
    auto known = std::make_shared<HookKeys>();
    known->github.emplace_back(as_bytes(kSecret));
    hooks = known;
    IncidentsTest::SetUp();
  }
  // The status of the answer to an event that was made so long ago.
  int taken(std::chrono::nanoseconds age) {
    ApiRequest request;
    request.method = "POST";
    request.path = "/api/v1/hooks/github";
    request.content_type = "application/json";
    const Json event{{"action", "resolved"},
                     {"alert", {{"created_at", format_time(clock.at + -age)}, {"number", ++number}}}};
    request.body = event.dump();
    request.signature = {
        {"x-github-event", "secret_scanning_alert"},
        {"x-hub-signature-256", "sha256=" + hex(crypto::HmacSha256(as_bytes(kSecret)).mac(request.body))}};
    return api->handle(request, actor(identity::Role::owner)).status;
  }
  static constexpr std::string_view kSecret = "a secret of a webhook";
  int number = 0;
};

TEST_F(HookTest, an_event_is_taken_when_it_is_neither_too_old_nor_of_the_future) {
  using std::chrono::milliseconds;
  for (const int more : {-1, 0, 1}) {
    EXPECT_EQ(taken(milliseconds(limits::kHookAgeMs + more)), more <= 0 ? 200 : 401) << more;
    EXPECT_EQ(taken(-milliseconds(limits::kHookAheadMs + more)), more <= 0 ? 200 : 401) << more;
  }
}

TEST_F(IncidentsTest, no_answer_and_no_record_holds_a_hash_or_a_secret) {
  const auto [id, token] = issue();
  const std::string answer = call("POST", "/api/v1/leaks", {{"sha256", {sha(token)}}}).body;
  EXPECT_EQ(answer.find(sha(token)), std::string::npos);
  for (const auto names = journal.list().value(); const std::string& name : names) {
    const std::string text = *journal.read(name, 0, 1 << 24);
    EXPECT_EQ(text.find(sha(token)), std::string::npos);
    EXPECT_EQ(text.find(token), std::string::npos);
  }
}

TEST_F(IncidentsTest, reports_have_four_forms) {
  const std::string incident =
      report({sha(issue().second)}, {{"places", {"<script>alert(1)</script>"}}})["incidents"][0]["id"];
  const std::string path = "/api/v1/incidents/" + incident + "/report?format=";
  EXPECT_EQ(call("GET", path + "html").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(call("GET", path + "html").body.find("<script>"), std::string::npos);
  EXPECT_NE(call("GET", path + "markdown").body.find(incident), std::string::npos);
  EXPECT_EQ(call("GET", path + "csv").body.rfind("table,name,", 0), 0U);
  EXPECT_EQ(body_of(call("GET", path + "json"), 200)["report"]["timeline_sha256"].get<std::string>().size(),
            64U);
  EXPECT_EQ(call("GET", path + "pdf").status, 400);
}

TEST_F(IncidentsTest, a_subject_that_is_none_is_refused) {
  for (const char* subject : {"", "key:", "key:000000000000", "credential:nobody", "team:core"})
    EXPECT_GE(call("POST", "/api/v1/incidents", {{"subject", subject}, {"reason", "r"}}).status, 400)
        << subject;
}

}  // namespace
}  // namespace claviger::console
