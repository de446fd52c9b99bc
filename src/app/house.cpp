// Builds the control plane and takes it down.
#include "app/house.hpp"

#include <fmt/format.h>

#include <tuple>
#include <utility>

#include "app/backup.hpp"
#include "app/channels.hpp"
#include "app/hook_keys.hpp"
#include "base/limits.hpp"
#include "identity/once.hpp"
#include "steward/alert.hpp"
#include "steward/rotating.hpp"
#include "steward/usage.hpp"

namespace claviger::app {

const std::string_view kVersion = "0.1.0";

namespace {

crypto::HmacSha256 pepper(const vault::Vault& vault, std::string_view label) {
  const crypto::Key key = vault.subkey(label);
  return crypto::HmacSha256(ByteView(key.data(), key.size()));
}

std::string_view durability_name(store::Durability durability) {
  return durability == store::Durability::disk ? "disk" : "process";
}

}  // namespace

Result<void> install_tables(store::Store& store) {
  TRY_VOID(
      store::install(store, {vault::kSchema, identity::kKeySchema, identity::kAdminTokenSchema,
                             identity::kOnceSchema, ledger::kSchema, steward::kUsageSchema,
                             steward::kAlertSchema, steward::kDeriveSchema, steward::kRotationSchema,
                             steward::kIncidentSchema, steward::kHookAlertSchema, steward::kNotifySchema}));
  return steward::add_missing_buckets(store);
}

Result<std::unique_ptr<House>> House::open(HouseOptions options, const Clock& clock, Rng& rng) {
  TRY_VOID(crypto::self_test());
  TRY(store::DataDir dir, store::DataDir::open(options.data));
  std::unique_ptr<House> house(new House(std::move(dir), std::move(options.config), clock, rng));
  TRY(provider::Catalog catalog, make_catalog(house->config_));
  house->catalog_ = std::make_shared<const provider::Catalog>(std::move(catalog));
  TRY_VOID(house->open_vault(options.unlock, options.durability));
  TRY_VOID(house->open_journal(options.durability));
  TRY(const auto hooks, read_hook_keys(house->config_));
  TRY_VOID(house->build_incidents());
  house->build_api(hooks);
  return house;
}

House::~House() {
  if (!closed_ && writer_ && ledger_ && deriver_) (void)close();
}

Result<void> House::open_vault(const UnlockOptions& unlock, store::Durability durability) {
  TRY(store_, store::SqliteStore::open({dir_.database(), durability, store::kDataVersion}));
  TRY_VOID(install_tables(*store_));
  arena_ = std::make_unique<SecretArena>();
  TRY(const vault::Unlock with, make_unlock(unlock, config_, dir_));
  TRY(vault_, vault::Vault::open(*store_, rng_, clock_, with, *arena_));
  keys_ = std::make_unique<identity::Keys>(*store_, rng_, clock_, pepper(*vault_, "key-pepper"));
  tokens_ = std::make_unique<identity::AdminTokens>(*store_, rng_, clock_, pepper(*vault_, "admin-pepper"));
  return {};
}

// The order that steward/derive.hpp gives.
Result<void> House::open_journal(store::Durability durability) {
  TRY(journal_, PosixFolder::open(dir_.journal()));
  TRY(audit_, PosixFolder::open(dir_.audit()));
  TRY(epoch_, steward::next_epoch(*store_, *journal_));
  const journal::Start start{clock_.now(), kVersion, durability_name(durability)};
  TRY(writer_, journal::Writer::open(*journal_, "steward", epoch_, start));
  TRY_VOID(writer_->flush());
  TRY(ledger_, ledger::Ledger::open(*store_, epoch_, steward::usage_sum));
  steward::DeriverOptions options;
  const crypto::Key seed = vault_->subkey("audit-sign");
  options.sign_seed = seed;
  TRY(deriver_, steward::Deriver::open(*store_, *ledger_, *journal_, *audit_, clock_, *writer_, options));
  crypto::wipe(options.sign_seed);
  TRY_VOID(deriver_->recover());
  TRY_VOID(store_->write([&](store::Tx& tx) { return ledger_->recover(tx, epoch_); }));
  TRY_VOID(record_restoring());
  return watch_spend();
}

Result<void> House::watch_spend() {
  TRY(const auto credentials, vault_->list());
  std::vector<steward::CredentialLimit> limits;
  for (const vault::Credential& credential : credentials)
    if (credential.spend_alert) limits.push_back({credential.id, *credential.spend_alert});
  deriver_->watch_credentials(std::move(limits));
  return {};
}

Result<void> House::adopt(Config config) {
  if (config.root_key_file != config_.root_key_file)
    return refuse(Code::configuration, "server.root_key_file takes effect at a restart only.");
  TRY(provider::Catalog catalog, make_catalog(config));
  TRY(const auto hooks, read_hook_keys(config));
  TRY(auto channels, read_channels(config));
  catalog_ = std::make_shared<const provider::Catalog>(std::move(catalog));
  config_ = std::move(config);
  rotations_->adopt(config_.rotation);
  worlds_ =
      std::make_unique<WorldMaker>(*keys_, *ledger_, *vault_, catalog_, config_.default_max_output_tokens);
  incidents_->adopt(config_.contain);
  adopt_hook_alerts();
  TRY_VOID(notices_->adopt(std::move(channels)));
  const auto metrics =
      config_.public_metrics ? console::MetricsAccess::everyone : console::MetricsAccess::auditor;
  api_->adopt(catalog_, config_.allow_http, metrics, hooks);
  return {};
}

// A data directory that came out of a backup says so in its journal, once.
Result<void> House::record_restoring() {
  TRY(const auto folder, PosixFolder::open(dir_.path()));
  const auto mark = folder->read(kRestoredMark, 0, limits::kJournalLine);
  if (!mark && mark.error().code == Code::not_found) return {};
  if (!mark) return std::unexpected(mark.error());
  journal::Admin record;
  record.at = clock_.now();
  record.actor = "steward";
  record.action = "data.restored";
  record.subject = "data";
  record.detail = *mark;
  writer_->append(record);
  TRY_VOID(writer_->flush());
  return folder->remove(kRestoredMark);
}

Result<void> House::changed() {
  TRY_VOID(watch_spend());
  return wiring_.republish ? wiring_.republish() : Result<void>{};
}

Result<void> House::build_incidents() {
  notices_ = std::make_unique<steward::Notices>(steward::NotifyParts{*store_, clock_, rng_});
  TRY(auto channels, read_channels(config_));
  TRY_VOID(notices_->adopt(std::move(channels)));
  incidents_ = std::make_unique<steward::Incidents>(steward::IncidentParts{
      *store_, *vault_, *keys_, *writer_, *journal_, clock_, rng_, [this] { return changed(); },
      [this](store::Tx& tx, const steward::Notice& notice) { return notices_->post(tx, notice); }});
  incidents_->adopt(config_.contain);
  hook_alerts_ = std::make_unique<steward::HookAlerts>(*store_, *incidents_, clock_);
  adopt_hook_alerts();
  return {};
}

// The token's file is read each time, so that another token needs no restart.
void House::adopt_hook_alerts() {
  steward::HookAlerts::Token token;
  if (!config_.github_token_file.empty())
    token = [file = config_.github_token_file] { return read_secret_file(file); };
  hook_alerts_->adopt(config_.github_api_url, std::move(token));
}

void House::build_api(std::shared_ptr<const console::HookKeys> hooks) {
  worlds_ =
      std::make_unique<WorldMaker>(*keys_, *ledger_, *vault_, catalog_, config_.default_max_output_tokens);
  rotations_ = std::make_unique<steward::Rotations>(
      steward::RotationParts{*store_, *vault_, *deriver_, *writer_, clock_, rng_,
                             [this] { return changed(); }, nullptr, nullptr, epoch_},
      config_.rotation);
  incidents_->connect(steward::rotating_of(*rotations_, *vault_));
  console::Parts parts{*store_,
                       *vault_,
                       *keys_,
                       *tokens_,
                       *ledger_,
                       *deriver_,
                       *writer_,
                       *journal_,
                       clock_,
                       rng_,
                       catalog_,
                       rotations_.get(),
                       [this] { return changed(); },
                       [this](const gate::Inquiry& inquiry) -> Result<gate::Explanation> {
                         if (wiring_.explain) return wiring_.explain(inquiry);
                         TRY(const auto world, make_world(0));
                         return gate::explain(inquiry, *world, *ledger_);
                       }};
  parts.gate_metrics = [this](console::Exposition& out) {
    if (wiring_.gate_metrics) wiring_.gate_metrics(out);
  };
  parts.ready = [this] { return wiring_.ready ? wiring_.ready() : Result<void>{}; };
  parts.gate_url = [this] { return wiring_.gate_url ? wiring_.gate_url() : std::string(); };
  parts.plain_http_hosts = config_.allow_http;
  parts.metrics = config_.public_metrics ? console::MetricsAccess::everyone : console::MetricsAccess::auditor;
  parts.version = kVersion;
  parts.hooks = std::move(hooks);
  parts.incidents = incidents_.get();
  parts.notices = notices_.get();
  api_ = std::make_unique<console::Api>(std::move(parts));
}

Result<std::shared_ptr<const gate::World>> House::make_world(std::uint64_t generation) {
  return worlds_->make(generation);
}

Result<void> House::close() {
  check(!closed_, "a house is closed once");
  closed_ = true;
  // Each is tried, also when one before it fails; the first failure is told.
  const Result<void> steps[] = {
      ledger_->close(),
      [&]() -> Result<void> {
        TRY([[maybe_unused]] const std::size_t lines, deriver_->catch_up());
        return deriver_->publish();
      }(),
      writer_->close(clock_.now()),
  };
  for (const Result<void>& step : steps)
    if (!step) return step;
  return {};
}

}  // namespace claviger::app
