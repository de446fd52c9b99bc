// The closed loop, simulated: keys and credentials leak and are rotated, calls go on, answers are lost, the
// store fails, people help and err, the program dies; incidents and rotations run together as app/house.cpp
// joins them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chronicle.hpp"
#include "identity/key.hpp"
#include "loop_files.hpp"
#include "loop_provider.hpp"
#include "program.hpp"
#include "steward/incidents.hpp"
#include "steward/rotation.hpp"
#include "vault/vault.hpp"

namespace claviger::sim {

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
    std::string req, secret, credential, provider;
  };
  struct MadeByHand {  // a key that a person has made for a rotation
    std::string rotation, provider, secret;
    bool handed_in = false;
  };
  struct Leaked {
    std::string credential;
    std::int64_t version;
    std::string secret;
  };
  enum class Care : std::uint8_t { little, great };  // of a person

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

  void help(Care care);
  MadeByHand& key_for(const steward::Rotation& it, std::string_view provider);
  void hand_in(const steward::Rotation& it, Care care);
  void hand_in_known(const steward::Rotation& it, std::string secret);
  void delete_old(const steward::Rotation& it);
  bool ends_leak(const steward::Rotation& it);
  void begin_anew(const steward::Rotation& it);
  void tidy_up(const steward::Rotation& it);
  const Credential& subject_of(const steward::Rotation& it) const;

  void check_all();
  void check_credential(const Credential& one);
  void check_incidents();
  void check_end();
  void check_replaced(const steward::Incident& it);

  std::string secret_of(const Credential& one, std::int64_t version);
  bool emergency(const std::string& credential);
  bool cut_off(const Call& call);
  bool leaves(const steward::Rotation& it);

  Machine machine_;
  SecretArena arena_;
  LoopFiles files_;
  LoopProvider provider_;
  std::vector<Credential> credentials_;
  std::map<std::string, std::vector<std::string>> tokens_;  // of each virtual key, the newest last
  std::vector<Call> calls_;
  std::vector<MadeByHand> made_;
  std::vector<Leaked> leaked_;
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
