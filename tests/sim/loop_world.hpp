// The closed loop, simulated: keys and credentials leak and are rotated, calls go on, answers are lost, the
// store fails, the program dies; incidents and rotations run together as app/house.cpp joins them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chronicle.hpp"
#include "identity/key.hpp"
#include "loop_provider.hpp"
#include "program.hpp"
#include "steward/incidents.hpp"
#include "steward/rotation.hpp"
#include "vault/vault.hpp"

namespace claviger::sim {

// No server of the operator's own is simulated.
class NoFiles final : public steward::KeyFiles {
 public:
  void replace(const steward::KeyFile&, std::string, std::function<void(Result<void>)>) override {}
};

class LoopWorld : public Chronicle {
 public:
  explicit LoopWorld(std::uint64_t seed);
  // The first broken rule, in words, or nullopt.
  std::optional<std::string> run(std::size_t steps);

 private:
  struct Credential {
    std::string name, provider, origin, id;
  };
  struct Call {  // that was let in and has not ended
    journal::Intent intent;
    std::string req, secret, credential;
  };

  void found();  // the house, with what is in it from the first day
  void act();
  void pass(std::int64_t ms);
  void crash();
  bool start();
  void rotate();
  void change_rotation();
  void change_key();
  void report();
  void report_hash(const std::string& secret);
  void change_incident();
  void begin_call();
  void end_call();
  void break_store();
  void settle();

  void check_all();
  void check_credential(const Credential& one);
  void check_incidents();
  void check_end();

  std::string secret_of(const Credential& one, std::int64_t version);
  bool emergency(const std::string& credential);
  bool cut_off(const Call& call);

  Machine machine_;
  SecretArena arena_;
  LoopProvider provider_;
  NoFiles files_;
  std::vector<Credential> credentials_;
  std::map<std::string, std::vector<std::string>> tokens_;  // of each virtual key, the newest last
  std::vector<Call> calls_;
  std::map<std::string, steward::IncidentState> reached_;
  int requests_ = 0;

  // One start of the program.
  std::unique_ptr<Program> program_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<identity::Keys> keys_;
  std::unique_ptr<steward::Rotations> rotations_;
  std::unique_ptr<steward::Incidents> incidents_;
};

}  // namespace claviger::sim
