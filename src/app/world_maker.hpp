// Makes Worlds from what is stored: the first from all keys, every further one from those that have changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "gate/world.hpp"
#include "identity/key.hpp"
#include "ledger/ledger.hpp"
#include "provider/provider.hpp"
#include "vault/vault.hpp"

namespace claviger::app {

// For the steward's thread. Its references must outlive it. Memory for a key is of the order of half a
// kilobyte; keys with the same scope share it.
class WorldMaker {
 public:
  WorldMaker(identity::Keys& keys, ledger::Ledger& ledger, vault::Vault& vault,
             std::shared_ptr<const provider::Catalog> catalog, std::optional<std::int64_t> default_max_output)
      : keys_(keys),
        ledger_(ledger),
        vault_(vault),
        catalog_(std::move(catalog)),
        default_max_output_(default_max_output) {}

  // A picture of what is stored now. A key whose scope cannot be read is left out: it opens nothing. After an
  // error the next call reads everything.
  Result<std::shared_ptr<const gate::World>> make(std::uint64_t generation);

 private:
  using Entry = std::shared_ptr<const gate::KeyEntry>;
  using Keyring = identity::Directory<gate::KeyEntry>;

  Result<void> read_all();
  Result<void> read_changed();
  // Those above it stand in the directory already.
  Entry entry_of(identity::Key key);
  void place(const std::string& id, Entry entry);
  std::shared_ptr<const policy::Scope> scope_of(const std::string& text);
  Result<void> add_credentials(gate::World& world) const;

  identity::Keys& keys_;
  ledger::Ledger& ledger_;
  vault::Vault& vault_;
  std::shared_ptr<const provider::Catalog> catalog_;
  std::optional<std::int64_t> default_max_output_;
  bool known_ = false;  // `directory_` is what the store held when its changes were last taken
  Keyring directory_;
  std::unordered_map<std::string, std::shared_ptr<const policy::Scope>> scopes_;  // by their stored form
  static constexpr std::size_t kScopesKept = 4096;  // then all are forgotten, and only sharing is lost
};

}  // namespace claviger::app
