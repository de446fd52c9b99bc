// A simulated vault: random changes on a store that fails and forgets, rows that are damaged, starts anew;
// held against what was committed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "chronicle.hpp"
#include "program.hpp"
#include "vault/vault.hpp"

namespace claviger::sim {

class VaultWorld : public Chronicle {
 public:
  explicit VaultWorld(std::uint64_t seed);
  // The first broken rule, in words, or nullopt.
  std::optional<std::string> run(std::size_t steps);

 private:
  // What one credential must be, as far as it can be told from outside.
  struct Kept {
    std::map<std::int64_t, std::string> secrets;  // by version: never reused
    vault::Credential seen;                       // as it was last read back
    std::set<std::int64_t> damaged;               // versions of which a byte was changed in the store
  };
  using Answer = Result<vault::Credential>;

  void act();
  void add();
  void change();
  Answer change(const std::string& id, std::int64_t dice);
  Answer change_version(const std::string& id, std::int64_t dice);
  void rekey();
  void damage();
  void break_store();
  void restart();
  void take_over(const std::string& id, const Answer& answer);
  void check_all();
  void check_one(const std::string& id, const Kept& kept);
  std::string fresh_secret();
  const std::string& any();

  VirtualClock clock_;
  SecretArena arena_;
  std::unique_ptr<store::SqliteStore> sqlite_;
  store::FaultyStore store_;
  std::unique_ptr<vault::Vault> vault_;
  std::map<std::string, Kept, std::less<>> kept_;  // by id
  std::string asked_;                              // the secret of the change under way
  std::int64_t secrets_ = 0;
};

}  // namespace claviger::sim
