// The control plane of one data directory, built by hand: what `serve` and the offline commands both stand
// on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/cli.hpp"
#include "app/config.hpp"
#include "app/world_maker.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "console/api.hpp"
#include "gate/world.hpp"
#include "identity/admin_token.hpp"
#include "identity/key.hpp"
#include "journal/writer.hpp"
#include "ledger/ledger.hpp"
#include "provider/provider.hpp"
#include "steward/derive.hpp"
#include "steward/hook_alerts.hpp"
#include "steward/incidents.hpp"
#include "steward/notify.hpp"
#include "steward/rotation.hpp"
#include "store/data_dir.hpp"
#include "store/sqlite.hpp"
#include "vault/vault.hpp"

namespace claviger::app {

extern const std::string_view kVersion;

struct HouseOptions {
  std::string data;
  Config config;
  UnlockOptions unlock;
  store::Durability durability = store::Durability::process;
};

// How a World reaches the loops, and what the data plane tells about itself. All may be left out: then a
// change is in force once it is stored, which is right when nothing is being served.
struct Wiring {
  std::function<Result<void>()> republish = {};
  std::function<Result<gate::Explanation>(const gate::Inquiry&)> explain = {};
  std::function<void(console::Exposition&)> gate_metrics = {};
  std::function<Result<void>()> ready = {};
  std::function<std::string()> gate_url = {};
};

// Opening does, in this order: lock, store, vault, epoch, the steward's journal, ledger, recovery of what a
// crash left (derived to the end, open intents presumed, leases of older epochs closed). Members are built
// and dropped in the order of the fields. Everything but store, keys, vault and ledger belongs to one thread,
// the steward's.
class House {
 public:
  // Errors of each part; unlike them it says what to do about a missing root key.
  static Result<std::unique_ptr<House>> open(HouseOptions options, const Clock& clock, Rng& rng);
  House(const House&) = delete;
  House& operator=(const House&) = delete;
  ~House();

  // To be called before the first request reaches the Api.
  void wire(Wiring wiring) { wiring_ = std::move(wiring); }

  // See WorldMaker::make.
  Result<std::shared_ptr<const gate::World>> make_world(std::uint64_t generation);

  // Takes over a configuration that was read again; the next World has it. Refuses with configuration,
  // changing nothing, when it names another root key file: that takes a restart.
  Result<void> adopt(Config config);

  // Gives leases back, derives to the end, publishes the checkpoint, ends the journal's epoch. Once.
  Result<void> close();

  const store::DataDir& dir() const { return dir_; }
  const Config& config() const { return config_; }
  store::SqliteStore& store() { return *store_; }
  vault::Vault& vault() { return *vault_; }
  identity::Keys& keys() { return *keys_; }
  identity::AdminTokens& tokens() { return *tokens_; }
  ledger::Ledger& ledger() { return *ledger_; }
  steward::Deriver& deriver() { return *deriver_; }
  steward::Rotations& rotations() { return *rotations_; }
  steward::Incidents& incidents() { return *incidents_; }
  steward::HookAlerts& hook_alerts() { return *hook_alerts_; }
  steward::Notices& notices() { return *notices_; }
  journal::Writer& writer() { return *writer_; }  // producer "steward"
  Folder& journal() { return *journal_; }
  const std::shared_ptr<const provider::Catalog>& catalog() const { return catalog_; }
  console::Api& api() { return *api_; }
  std::uint64_t epoch() const { return epoch_; }  // the gate's writers open the same one

 private:
  House(store::DataDir dir, Config config, const Clock& clock, Rng& rng)
      : dir_(std::move(dir)), config_(std::move(config)), clock_(clock), rng_(rng) {}
  Result<void> open_vault(const UnlockOptions& unlock, store::Durability durability);
  Result<void> open_journal(store::Durability durability);
  Result<void> watch_spend();
  Result<void> record_restoring();
  Result<void> changed();
  Result<void> build_incidents();
  void adopt_hook_alerts();
  void build_api(std::shared_ptr<const console::HookKeys> hooks);

  store::DataDir dir_;
  Config config_;
  const Clock& clock_;
  Rng& rng_;
  Wiring wiring_;
  std::shared_ptr<const provider::Catalog> catalog_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<SecretArena> arena_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<identity::Keys> keys_;
  std::unique_ptr<identity::AdminTokens> tokens_;
  std::unique_ptr<PosixFolder> journal_;
  std::unique_ptr<PosixFolder> audit_;
  std::uint64_t epoch_ = 0;
  std::unique_ptr<journal::Writer> writer_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<steward::Deriver> deriver_;
  std::unique_ptr<steward::Rotations> rotations_;
  std::unique_ptr<steward::Notices> notices_;
  std::unique_ptr<steward::Incidents> incidents_;
  std::unique_ptr<steward::HookAlerts> hook_alerts_;
  std::unique_ptr<WorldMaker> worlds_;
  std::unique_ptr<console::Api> api_;
  bool closed_ = false;
};

// Makes a new data directory with an empty store and a vault. Nothing is left behind when it fails.
struct InitOptions {
  std::string data;
  UnlockOptions unlock;  // key file: made when it does not exist; passphrase: a second way to open
};
struct InitReport {
  std::string data;
  std::string root_key_file;
  bool passphrase = false;
};
Result<InitReport> init_data(const InitOptions& options, Rng& rng);

// All tables of the program, made when they are missing.
Result<void> install_tables(store::Store& store);
// The configuration file to use: the one asked for, else claviger.toml in the data directory, else none.
std::string config_path(const std::string& asked, const std::string& data);
// Reads a descriptor to its end, without one line end; for secrets. Refuses more than 64 KiB.
Result<std::string> read_secret_fd(int fd);
// What opens the vault of `dir`: the file asked for, else the configured one, else the one named at init,
// else DIR/root.key; and the passphrase when a descriptor was given.
Result<vault::Unlock> make_unlock(const UnlockOptions& asked, const Config& config,
                                  const store::DataDir& dir);

}  // namespace claviger::app
