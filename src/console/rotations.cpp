// Routes of rotations and of the links that make them possible.
#include <fmt/format.h>

#include "console/change.hpp"
#include "console/render.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "steward/incidents.hpp"
#include "steward/rotation.hpp"

namespace claviger::console {
namespace {

using steward::Rotation;
using steward::RotationMode;

Json time_json(const std::optional<Time>& time) { return time ? Json(format_time(*time)) : Json(nullptr); }
Json text_json(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
Json number_json(std::int64_t number) { return number == 0 ? Json(nullptr) : Json(number); }

Result<Json> shown(Session& s, const Rotation& it) {
  TRY(const vault::Credential credential, s.parts.vault.get(it.credential));
  TRY(const auto events, s.parts.rotations->events(it.id));
  TRY(const auto instructions, s.parts.rotations->instructions(it));
  TRY(const auto keys, s.parts.rotations->left_by(it));
  Json left = Json::array();
  for (const steward::LeftKey& key : keys)
    left.push_back({{"version", key.version},
                    {"since", format_time(key.since)},
                    {"removed", key.removed},
                    {"accepted", time_json(key.alive)},
                    {"next", format_time(key.next)}});
  Json steps = Json::array();
  for (const steward::RotationEvent& event : events)
    steps.push_back({{"at", format_time(event.at)}, {"step", event.what}});
  return Json{{"id", it.id},
              {"credential", it.credential},
              {"credential_name", credential.name},
              {"provider", credential.provider},
              {"class", provider::class_name(it.rotation)},
              {"mode", name_of(it.mode)},
              {"state", name_of(it.state)},
              {"over", steward::over(it.state)},
              {"reason", text_json(it.reason)},
              {"started_by", it.started_by},
              {"started", format_time(it.started)},
              {"updated", format_time(it.updated)},
              {"old_version", it.old_version},
              {"new_version", number_json(it.new_version)},
              {"old_key", text_json(it.old_key)},
              {"new_key", text_json(it.new_key)},
              {"promoted", time_json(it.promoted)},
              {"drained", time_json(it.drained)},
              {"revoked", time_json(it.revoked)},
              {"confirmed", time_json(it.confirmed)},
              {"destroyed", time_json(it.destroyed)},
              {"next", steward::over(it.state) ? Json(nullptr) : Json(format_time(it.next))},
              {"tries", it.tries},
              {"trouble", text_json(it.trouble)},
              {"can_roll_back", steward::can_roll_back(it)},
              {"instructions", instructions},
              {"left", std::move(left)},
              {"steps", std::move(steps)}};
}

Result<Answer> answer(Session& s, int status, const Rotation& it) {
  TRY(Json body, shown(s, it));
  return Answer{status, std::move(body), {}, {}};
}

Result<RotationMode> mode_of(std::string_view text) {
  for (const RotationMode mode : {RotationMode::planned, RotationMode::now, RotationMode::emergency})
    if (text == name_of(mode)) return mode;
  if (text.empty()) return RotationMode::planned;
  return refuse(Code::invalid_input, "mode: planned, now or emergency");
}

// The rotation, when it is of the credential that the caller may rotate.
Result<Rotation> find(Session& s) {
  TRY(Rotation it, s.parts.rotations->get(s.subject));
  if (!s.actor.rotates.empty() && it.credential != s.actor.rotates)
    return refuse(Code::not_found, fmt::format("There is no rotation '{}'.", s.subject));
  return it;
}

}  // namespace

Result<Answer> rotate_credential(Session& s) {
  TRY(const RotationMode mode, mode_of(s.body.text("mode")));
  // It ends a key before there is another, and wakes a credential that somebody has disabled.
  if (mode == RotationMode::emergency && !s.actor.rotates.empty())
    return deny(Code::forbidden,
                "This token may rotate in the modes planned and now; an emergency is an operator's to call.");
  TRY(const Rotation it, s.parts.rotations->start(s.subject, {mode, s.body.text("reason"), s.actor.name}));
  return answer(s, 202, it);
}

Result<Answer> forecast_rotation(Session& s) {
  TRY(const RotationMode mode, mode_of(s.query.text("mode")));
  TRY(const vault::Credential credential, s.parts.vault.get(s.subject));
  TRY(const steward::RotationForecast forecast, s.parts.rotations->forecast(credential.id, mode));
  return Answer{200,
                {{"credential", credential.id},
                 {"credential_name", credential.name},
                 {"provider", credential.provider},
                 {"class", provider::class_name(forecast.rotation)},
                 {"mode", name_of(mode)},
                 {"possible", forecast.possible},
                 {"steps", forecast.steps},
                 {"problems", forecast.problems}},
                {},
                {}};
}

Result<Answer> list_rotations(Session& s) {
  std::string credential = s.query.text("credential");
  if (!credential.empty()) {
    TRY(const vault::Credential subject, s.parts.vault.get(credential));
    credential = subject.id;
  }
  if (!s.actor.rotates.empty()) credential = s.actor.rotates;
  TRY(const auto all, s.parts.rotations->list(credential));
  Json list = Json::array();
  for (const Rotation& it : all) {
    TRY(Json one, shown(s, it));
    list.push_back(std::move(one));
  }
  return Answer{200, {{"rotations", std::move(list)}}, {}, {}};
}

Result<Answer> show_rotation(Session& s) {
  TRY(const Rotation it, find(s));
  return answer(s, 200, it);
}

Result<Answer> resume_rotation(Session& s) {
  TRY(const Rotation before, find(s));
  TRY(const Rotation it, s.parts.rotations->resume(before.id, s.actor.name));
  return answer(s, 200, it);
}

Result<Answer> roll_back_rotation(Session& s) {
  TRY(const Rotation before, find(s));
  // A secret that has leaked is not made current again.
  if (before.promoted) TRY_VOID(s.parts.incidents->check_free(steward::Owned::credential, before.credential));
  TRY(const Rotation it, s.parts.rotations->roll_back(before.id, s.actor.name));
  return answer(s, 200, it);
}

Result<Answer> end_left_keys(Session& s) {
  TRY(const Rotation before, find(s));
  TRY(const Rotation it, s.parts.rotations->ended(before.id, s.actor.name));
  return answer(s, 200, it);
}

Result<Answer> take_in_rotation(Session& s) {
  std::string text = s.body.take_text("secret");
  TRY(const bool leaked, s.parts.incidents->leaked_before(crypto::sha256(text)));
  if (leaked) {
    crypto::wipe(text);
    return refuse(Code::conflict,
                  "This secret was reported as leaked before it came here: create another key.");
  }
  const Secret secret = Secret::take(text);
  TRY(const Rotation it, s.parts.rotations->take_in(s.subject, secret, s.actor.name));
  return answer(s, 200, it);
}

Result<Answer> link_credential(Session& s) {
  TRY(const vault::Credential before, s.parts.vault.get(s.subject));
  steward::Parameters parameters;
  for (const std::string& one : s.body.texts("parameters")) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return refuse(Code::invalid_input, fmt::format("parameters: '{}' is not NAME=VALUE.", one));
    if (one.size() > vault::kParameterBytes)
      return refuse(Code::invalid_input, "parameters: one is longer than 512 bytes.");
    parameters[one.substr(0, equals)] = one.substr(equals + 1);
  }
  TRY(const steward::RotationLink made, carry_out(s, {"credential.link", "credential:" + before.id}, [&] {
        return s.parts.rotations->link(before.id, s.body.text("admin_credential"), parameters);
      }));
  Json texts = Json::array();
  for (const auto& [name, value] : made.parameters) texts.push_back(name + "=" + value);
  return Answer{200,
                {{"credential", made.credential},
                 {"admin_credential", text_json(made.admin)},
                 {"parameters", std::move(texts)}},
                {},
                {}};
}

}  // namespace claviger::console
