// What the API's tests stand on: every part real, over a store and a journal in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/file_memory.hpp"
#include "console/api.hpp"
#include "console/route.hpp"
#include "identity/once.hpp"
#include "journal/reader.hpp"
#include "steward/alert.hpp"
#include "steward/hook_alerts.hpp"
#include "steward/usage.hpp"
#include "store/faulty.hpp"
#include "store/sqlite.hpp"

namespace claviger::console {

using Json = nlohmann::ordered_json;

class FixedClock final : public Clock {
 public:
  Time now() const override { return at; }
  std::int64_t monotonic_ns() const override { return at.ns; }
  Time at{1'790'000'000'000'000'000};
};

// Known secret of credentials made by the rig; no answer and no record may hold it.
inline constexpr std::string_view kProviderSecret = "sk-test-0123456789abcdefghijklmnopqrstuv";

class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    sqlite = store::SqliteStore::open({}).value();
    store = std::make_unique<store::FaultyStore>(*sqlite);
    ASSERT_TRUE(store::install(
        *store, {vault::kSchema, identity::kKeySchema, identity::kAdminTokenSchema, identity::kOnceSchema,
                 ledger::kSchema, steward::kUsageSchema, steward::kAlertSchema, steward::kDeriveSchema,
                 steward::kRotationSchema, steward::kIncidentSchema, steward::kHookAlertSchema,
                 steward::kNotifySchema}));
    open_vault();
    const crypto::HmacSha256 pepper(as_bytes("pepper"));
    keys = std::make_unique<identity::Keys>(*store, rng, clock, pepper);
    tokens = std::make_unique<identity::AdminTokens>(*store, rng, clock, pepper);
    const std::uint64_t epoch = steward::next_epoch(*store, journal).value();
    writer = journal::Writer::open(journal, "steward", epoch, {clock.at, "test", "process"}).value();
    ledger = ledger::Ledger::open(*store, epoch, steward::usage_sum).value();
    deriver = steward::Deriver::open(*store, *ledger, journal, audit, clock, *writer, {}).value();
    ASSERT_TRUE(deriver->recover());
    build_api();
  }

  void open_vault() {
    const crypto::Argon2Cost cheap{1, 8};
    vault::Recipients recipients;
    recipients.passphrase = passphrase();
    recipients.cost = cheap;
    ASSERT_TRUE(vault::Vault::init(*store, rng, recipients));
    vault::Unlock unlock;
    unlock.passphrase = passphrase();
    vault = vault::Vault::open(*store, rng, clock, unlock, arena).value();
  }

  static Secret passphrase() {
    std::string text = "correct horse battery";
    return Secret::take(text);
  }

  void build_api() {
    auto prices =
        provider::PriceBook::with_operator_rows(provider::kPricesData, "", provider::OtherTables::ignore);
    auto catalog = std::make_shared<const provider::Catalog>(provider::Catalog::make({}, std::move(*prices)));
    rotations = std::make_unique<steward::Rotations>(
        steward::RotationParts{*store, *vault, *deriver, *writer, clock, rng, [] { return Result<void>{}; },
                               nullptr, nullptr, 1},
        steward::RotationSettings{});
    Parts parts{*store,
                *vault,
                *keys,
                *tokens,
                *ledger,
                *deriver,
                *writer,
                journal,
                clock,
                rng,
                catalog,
                rotations.get(),
                [this]() -> Result<void> {
                  ++published;
                  return publish_result;
                },
                [this](const gate::Inquiry& inquiry) -> Result<gate::Explanation> {
                  asked = inquiry;
                  return explanation;
                }};
    parts.metrics = metrics_access;
    incidents = std::make_unique<steward::Incidents>(
        steward::IncidentParts{*store, *vault, *keys, *writer, journal, clock, rng, parts.republish,
                               [this](store::Tx&, const steward::Notice& notice) -> Result<void> {
                                 told.push_back(notice);
                                 return {};
                               }});
    notices = std::make_unique<steward::Notices>(steward::NotifyParts{*store, clock, rng});
    ASSERT_TRUE(notices->adopt({}));
    parts.incidents = incidents.get();
    parts.notices = notices.get();
    parts.hooks = hooks;
    api = std::make_unique<Api>(std::move(parts));
  }

  static Actor actor(identity::Role role) { return {"token:test", role, Via::token}; }

  ApiResponse call(const Actor& who, std::string method, std::string path, const Json& body = nullptr,
                   std::string once = {}) {
    ApiRequest request;
    request.method = std::move(method);
    request.request_id = "req_1";
    const std::size_t mark = path.find('?');
    request.path = path.substr(0, mark);
    if (mark != std::string::npos) request.query = path.substr(mark + 1);
    if (!body.is_null()) {
      request.body = body.dump();
      request.content_type = "application/json";
    }
    request.idempotency_key = std::move(once);
    return api->handle(request, who);
  }
  ApiResponse call(std::string method, std::string path, const Json& body = nullptr, std::string once = {}) {
    return call(actor(identity::Role::owner), std::move(method), std::move(path), body, std::move(once));
  }
  // The body of an answer that must have `status`.
  static Json body_of(const ApiResponse& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    return Json::parse(response.body, nullptr, false);
  }

  static Json key_body(std::string environment = "dev") {
    return {{"name", "app"}, {"project", "search"}, {"environment", std::move(environment)}};
  }
  std::string make_key(std::string environment = "dev") {
    return body_of(call("POST", "/api/v1/keys", key_body(std::move(environment))), 201)["id"];
  }
  static Json credential_body(std::string name = "openai-dev") {
    return {{"name", std::move(name)},
            {"provider", "openai"},
            {"environment", "dev"},
            {"secret", kProviderSecret}};
  }

  // Admin records of the journal so far: "action subject".
  std::vector<std::string> recorded() {
    std::vector<std::string> out;
    journal::Parser parser;
    journal::Filter filter;
    filter.kind = journal::Kind::admin;
    EXPECT_TRUE(journal::export_lines(journal, filter, [&](std::string_view line) {
      const auto record = parser.parse(line);
      const auto& admin = std::get<journal::Admin>(record->body);
      out.push_back(std::string(admin.action) + " " + std::string(admin.subject));
      return journal::Next::more;
    }));
    return out;
  }

  SeededRng rng{42};
  FixedClock clock;
  SecretArena arena{64 * 1024};
  MemoryFolder journal;
  MemoryFolder audit;
  std::unique_ptr<store::SqliteStore> sqlite;
  std::unique_ptr<store::FaultyStore> store;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<identity::Keys> keys;
  std::unique_ptr<identity::AdminTokens> tokens;
  std::unique_ptr<journal::Writer> writer;
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<steward::Deriver> deriver;
  std::unique_ptr<steward::Rotations> rotations;
  std::unique_ptr<steward::Notices> notices;
  std::unique_ptr<steward::Incidents> incidents;
  std::shared_ptr<const HookKeys> hooks = std::make_shared<const HookKeys>();
  std::unique_ptr<Api> api;
  std::vector<steward::Notice> told;  // of incidents
  int published = 0;
  Result<void> publish_result{};
  gate::Inquiry asked;
  gate::Explanation explanation{true, "allowed", "every rule allows it", {}};
  MetricsAccess metrics_access = MetricsAccess::auditor;
};

}  // namespace claviger::console
