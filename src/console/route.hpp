// The route table of the admin API: who may ask what, with which fields. The OpenAPI document is made from
// it.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "console/api.hpp"
#include "console/body.hpp"

namespace claviger::console {

// Who may use a route. A developer is shown nothing of production on any of them.
enum class Access : std::uint8_t {
  open,     // needs no token
  hook,     // the sender signs the body, which is read as it came
  metrics,  // read, unless the operator has opened it
  any,      // every role
  read,     // owner, operator, auditor
  seen,     // every role; a developer sees a part
  keys,     // owner, operator, developer
  operate,  // owner, operator
  vouch,    // owner, auditor: reading admin tokens
  own,      // owner
};
bool may(identity::Role role, Access access);

struct Route;

// One request on its way through a handler.
struct Session {
  const Parts& parts;
  const ApiRequest& request;
  const Actor& actor;
  const Route& route;
  std::string subject;  // the pattern's {parameter}, decoded; empty when it has none
  Body body;
  Query query;
  Time now;

  // Whether production is kept from this caller. A key sees its own environment, whichever it is.
  identity::Production production() const {
    return actor.role == identity::Role::developer && actor.via != Via::key ? identity::Production::hidden
                                                                            : identity::Production::shown;
  }
};

struct Answer {
  int status = 200;
  nlohmann::ordered_json body;
  std::string text;  // instead of `body`, when content_type is set
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

using Handler = Result<Answer> (*)(Session&);

struct Route {
  std::string_view method;
  std::string_view pattern;    // at most one {parameter}
  std::string_view operation;  // OpenAPI's operationId
  std::string_view about;      // one sentence
  Access access = Access::own;
  Handler handler = nullptr;
  std::span<const Field> body;  // empty: the route takes none
  std::span<const Field> query;
  std::string_view answer;  // name of the answer's shape, see shapes(); empty: not JSON
  int status = 200;         // when it succeeds
};

std::span<const Route> routes();
std::span<const Route> rotation_routes();  // among them
// What a virtual key may ask through the gate; not part of the admin API.
std::span<const Route> key_routes();

// A JSON object that answers are made of.
struct Shape {
  std::string_view name;
  std::span<const Field> fields;
};
std::span<const Shape> shapes();
std::span<const Shape> rotation_shapes();  // among them

// Handlers, by subject; each file of the same name holds its own.
Result<Answer> list_credentials(Session& s);
Result<Answer> create_credential(Session& s);
Result<Answer> show_credential(Session& s);
Result<Answer> add_credential_version(Session& s);
Result<Answer> set_credential(Session& s);
Result<Answer> rollback_credential(Session& s);
Result<Answer> disable_credential(Session& s);
Result<Answer> enable_credential(Session& s);
Result<Answer> destroy_credential(Session& s);
Result<Answer> list_keys(Session& s);
Result<Answer> create_key(Session& s);
Result<Answer> show_key(Session& s);
Result<Answer> freeze_key(Session& s);
Result<Answer> unfreeze_key(Session& s);
Result<Answer> revoke_key(Session& s);
Result<Answer> rotate_key(Session& s);
Result<Answer> suggest_scope(Session& s);
Result<Answer> list_child_keys(Session& s);
Result<Answer> create_child_key(Session& s);
Result<Answer> show_child_key(Session& s);
Result<Answer> revoke_child_key(Session& s);
Result<Answer> rotate_credential(Session& s);
Result<Answer> forecast_rotation(Session& s);
Result<Answer> link_credential(Session& s);
Result<Answer> list_rotations(Session& s);
Result<Answer> show_rotation(Session& s);
Result<Answer> resume_rotation(Session& s);
Result<Answer> roll_back_rotation(Session& s);
Result<Answer> end_left_keys(Session& s);
Result<Answer> take_in_rotation(Session& s);
Result<Answer> list_budgets(Session& s);
Result<Answer> set_budget(Session& s);
Result<Answer> remove_budget(Session& s);
Result<Answer> show_usage(Session& s);
Result<Answer> explain_request(Session& s);
Result<Answer> match_inventory(Session& s);
Result<Answer> report_leaks(Session& s);
Result<Answer> take_github_hook(Session& s);
Result<Answer> list_incidents(Session& s);
Result<Answer> declare_incident(Session& s);
Result<Answer> show_incident(Session& s);
Result<Answer> contain_incident(Session& s);
Result<Answer> close_incident(Session& s);
Result<Answer> report_incident(Session& s);
Result<Answer> list_channels(Session& s);
Result<Answer> test_channel(Session& s);
Result<Answer> list_messages(Session& s);
Result<Answer> show_message(Session& s);
Result<Answer> list_tokens(Session& s);
Result<Answer> create_token(Session& s);
Result<Answer> revoke_token(Session& s);
Result<Answer> show_vault(Session& s);
Result<Answer> rekey_vault(Session& s);
Result<Answer> add_recipient(Session& s);
Result<Answer> remove_recipient(Session& s);
Result<Answer> list_alerts(Session& s);
Result<Answer> dispose_alert(Session& s);
Result<Answer> show_status(Session& s);
Result<Answer> tail_journal(Session& s);
Result<Answer> show_openapi(Session& s);
Result<Answer> show_metrics(Session& s);
Result<Answer> show_health(Session& s);
Result<Answer> show_ready(Session& s);

}  // namespace claviger::console
