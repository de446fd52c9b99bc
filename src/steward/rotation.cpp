// Rotations as they are asked for: links, beginnings, what they would do, the way back, schedules.
#include "steward/rotation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_writer.hpp"
#include "steward/alert.hpp"
#include "steward/rotation_case.hpp"

namespace claviger::steward {
namespace {

using provider::RotationClass;

constexpr std::int64_t kDayNs = std::int64_t{86'400} * 1'000'000'000;
constexpr std::int64_t kScheduleNs = std::int64_t{60} * 1'000'000'000;

std::string new_id(Rng& rng) {
  std::array<std::uint8_t, 8> random{};
  rng.fill(random);
  return "rot_" + base62(random, 11);
}

const vault::CredentialVersion* pending_of(const vault::Credential& it) {
  const auto found =
      std::ranges::find(it.versions, vault::VersionState::pending, &vault::CredentialVersion::state);
  return found == it.versions.end() ? nullptr : &*found;
}

bool known(RotationClass rotation) { return rotation != RotationClass::human; }

std::vector<std::string> steps_of(RotationClass rotation, RotationMode mode, bool by_hand) {
  std::vector<std::string> steps;
  const std::string revoke = by_hand ? "A person deletes the old key at the provider."
                             : rotation == RotationClass::in_place
                                 ? "The old secret dies at the time that was asked for."
                                 : "The old key is ended at the provider.";
  if (mode == RotationMode::emergency && !by_hand) steps.push_back(revoke);
  switch (rotation) {
    case RotationClass::create:
      steps.emplace_back("A second key is created at the provider and its secret is sealed.");
      break;
    case RotationClass::in_place:
      steps.emplace_back("The key gets a new secret at the provider, which is sealed.");
      break;
    case RotationClass::slots:
      steps.emplace_back("The spare slot is regenerated and its secret is sealed.");
      break;
    case RotationClass::human:
      steps.emplace_back("A person creates a key and hands in its secret: claviger rotation intake.");
      break;
    case RotationClass::self_hosted:
      steps.emplace_back(
          "A secret is made and sealed, both stand in the key file, the server reads it again.");
      break;
  }
  steps.emplace_back("The new key is probed until it is valid everywhere.");
  steps.emplace_back("All new calls go out with the new key.");
  if (mode != RotationMode::emergency) {
    steps.emplace_back(mode == RotationMode::planned
                           ? "Calls with the old key end; it is kept for a while, so that this can be undone."
                           : "Calls with the old key end.");
    steps.push_back(revoke);
  }
  steps.emplace_back("The old key is probed until the provider refuses it; its secret is destroyed later.");
  return steps;
}

}  // namespace

Rotations::Rotations(RotationParts parts, RotationSettings settings)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      envoy_(parts_.vault, parts_.clock, parts_.rng) {}

Result<RotationLink> Rotations::link(std::string_view credential, std::string_view admin,
                                     Parameters parameters) {
  TRY(const vault::Credential subject, parts_.vault.get(credential));
  RotationLink made{subject.id, {}, std::move(parameters)};
  if (made.parameters.size() > limits::kLinkParameters)
    return refuse(Code::invalid_input, fmt::format("At most {} parameters.", limits::kLinkParameters));
  if (!admin.empty()) {
    TRY(const vault::Credential by, parts_.vault.get(admin));
    if (by.kind != vault::CredentialKind::admin)
      return refuse(Code::invalid_input,
                    fmt::format("'{}' is no admin credential: add one with --kind admin.", by.name));
    if (by.provider != subject.provider)
      return refuse(Code::invalid_input, fmt::format("'{}' administers {}, and '{}' is of {}.", by.name,
                                                     by.provider, subject.name, subject.provider));
    made.admin = by.id;
    Parameters asked = made.parameters;
    asked.erase("key_id");
    if (subject.kind == vault::CredentialKind::admin) asked.try_emplace("variant", "admin");
    const provider::Adapter* adapter = provider::find_adapter(subject.provider, asked);
    if (adapter == nullptr)
      return refuse(Code::invalid_input,
                    fmt::format("Keys of {} cannot be administered from here.", subject.provider));
    TRY_VOID(provider::check_link(*adapter, {by.base_url, subject.base_url, asked}));
  }
  TRY_VOID(parts_.store.write([&](store::Tx& tx) { return put_link(tx, made); }));
  return made;
}

Result<std::optional<RotationLink>> Rotations::link_of(std::string_view credential_id) const {
  std::optional<RotationLink> link;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(link, load_link(tx, credential_id));
    return {};
  }));
  return link;
}

Result<RotationForecast> Rotations::forecast(std::string_view credential, RotationMode mode) const {
  TRY(const vault::Credential subject, parts_.vault.get(credential));
  Rotation rotation;
  rotation.credential = subject.id;
  rotation.mode = mode;
  TRY(const Case made, open_case(std::move(rotation)));
  RotationForecast forecast{made.rotation, true, {}, made.problems};
  const auto trouble = [&](std::string what) { forecast.problems.push_back(std::move(what)); };
  if (subject.state == vault::CredentialState::destroyed) trouble("The credential is destroyed.");
  if (subject.current() == nullptr) trouble("The credential has no current version.");
  TRY(const auto all, list(subject.id));
  for (const Rotation& one : all)
    if (obstructs(one)) trouble(fmt::format("The rotation {} goes on.", one.id));
  if (const auto* pending = pending_of(subject))
    trouble(fmt::format("Version {} is pending: publish or destroy it first.", pending->number));
  if (known(made.adapter->rotation) && !known(made.rotation) && !made.admin)
    forecast.steps.push_back(fmt::format(
        "No admin credential is linked, so that a person must take part: claviger credential link "
        "{} --admin-credential NAME.",
        subject.name));
  for (std::string& step : steps_of(made.rotation, mode, !made.traits.removes))
    forecast.steps.push_back(std::move(step));
  forecast.possible = forecast.problems.empty();
  return forecast;
}

Result<Rotation> Rotations::start(std::string_view credential, const RotationStart& start) {
  if (start.reason.size() > limits::kRotationReason)
    return refuse(Code::invalid_input, fmt::format("reason: at most {} bytes.", limits::kRotationReason));
  TRY(const RotationForecast forecast, this->forecast(credential, start.mode));
  if (!forecast.possible)
    return refuse(Code::conflict, fmt::format("It cannot be rotated now. {}", forecast.problems.front()));
  TRY(const vault::Credential subject, parts_.vault.get(credential));
  Rotation it;
  it.id = new_id(parts_.rng);
  it.credential = subject.id;
  it.mode = start.mode;
  it.reason = start.reason;
  it.started_by = start.actor;
  it.old_version = subject.current()->number;
  it.started = it.updated = it.next = parts_.clock.now();
  it.deadline = kNever;
  Rotation draft = it;
  draft.id.clear();
  TRY(const Case made, open_case(std::move(draft)));
  it.rotation = made.rotation;
  // The key that an earlier rotation made is known by that; what the link says was so before.
  it.old_key = key_of(made, it.old_version);
  TRY_VOID(record("rotation.start", it, start.actor));
  TRY_VOID(save(it, "planned"));
  return it;
}

Result<std::optional<Rotation>> Rotations::hasten(std::string_view credential, std::int64_t version,
                                                  std::string_view actor) {
  TRY(const vault::Credential subject, parts_.vault.get(credential));
  TRY(auto all, list(subject.id));
  for (Rotation& it : all) {
    if (it.new_version == version && it.state == RotationState::verifying) {
      TRY_VOID(record("rotation.leaked", it, actor));
      give_up(it, "The new secret has leaked before it was in use.", parts_.clock.now());
      TRY_VOID(save(it, "leaked"));
      return std::move(it);
    }
    const bool replaces = it.old_version == version && !over(it.state) && it.state != RotationState::undoing;
    if (!replaces && !soaks(it, version)) continue;
    if (it.mode == RotationMode::planned) {
      TRY_VOID(record("rotation.hasten", it, actor));
      it.mode = RotationMode::now;
      TRY_VOID(save(it, "hastened"));
    }
    if (replaces) return std::move(it);
  }
  return std::nullopt;
}

Result<Rotation> Rotations::get(std::string_view id) const {
  Rotation it;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(it, load_rotation(tx, id));
    return {};
  }));
  return it;
}

Result<std::vector<Rotation>> Rotations::list(std::string_view credential_id) const {
  std::vector<Rotation> all;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(all, load_rotations(tx, credential_id, Which::all));
    return {};
  }));
  return all;
}

Result<std::vector<RotationEvent>> Rotations::events(std::string_view id) const {
  std::vector<RotationEvent> all;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(all, load_events(tx, id));
    return {};
  }));
  return all;
}

Result<Rotation> Rotations::resume(std::string_view id, std::string_view actor) {
  TRY(Rotation it, get(id));
  if (it.state == RotationState::failed || it.state == RotationState::undone)
    return start(it.credential, {it.mode, it.reason, std::string(actor)});
  if (over(it.state)) return refuse(Code::conflict, fmt::format("The rotation '{}' is done.", it.id));
  TRY_VOID(record("rotation.resume", it, actor));
  it.next = parts_.clock.now();
  it.tries = 0;
  TRY_VOID(save(it, "resumed"));
  return it;
}

Result<Rotation> Rotations::roll_back(std::string_view id, std::string_view actor) {
  TRY(Rotation it, get(id));
  if (!can_roll_back(it))
    return refuse(Code::conflict,
                  fmt::format("The rotation '{}' is {}: the old key cannot be taken back any more.", it.id,
                              name_of(it.state)));
  TRY_VOID(record("rotation.rollback", it, actor));
  const bool promoted = it.promoted.has_value();
  undo(it, parts_.clock.now());
  it.updated = parts_.clock.now();
  if (!promoted) {
    TRY_VOID(save(it, "rollback"));
    return it;
  }
  const auto also = [&](store::Tx& tx, const vault::Credential&) { return save_in(tx, it, "rollback"); };
  TRY(const vault::Credential after, parts_.vault.restore(it.credential, it.old_version, also));
  unpublished_ = true;
  TRY_VOID(parts_.republish());
  unpublished_ = false;
  return it;
}

Result<Rotation> Rotations::take_in(std::string_view id, const Secret& secret, std::string_view actor) {
  TRY(Rotation it, get(id));
  if (it.state != RotationState::waiting)
    return refuse(Code::conflict,
                  fmt::format("The rotation '{}' is {} and waits for no secret.", it.id, name_of(it.state)));
  const Digest hash = envoy_.sha256(secret);
  TRY(const auto matches, parts_.vault.match(std::span(&hash, 1)));
  if (!matches.empty())
    return refuse(Code::conflict, fmt::format("This secret is known already, as version {} of {}.",
                                              matches.front().version, matches.front().credential));
  TRY(const Case made, open_case(it));
  const RotationTraits traits = made.traits;
  TRY_VOID(record("rotation.intake", it, actor));
  const auto also = [&](store::Tx& tx, const vault::Credential& after) -> Result<void> {
    Heard heard;
    heard.version = after.versions.back().number;
    take(it, traits, Act::create, heard, parts_.clock.now());
    return save_in(tx, it, "verifying");
  };
  TRY(const vault::Credential after,
      parts_.vault.add_version(it.credential, secret, vault::Publish::later, also));
  return it;
}

Result<std::vector<std::string>> Rotations::instructions(const Rotation& rotation) const {
  if (over(rotation.state)) return left_to_do(rotation);
  const bool by_hand = rotation.state == RotationState::revoking && rotation.revoke_by_hand;
  if (rotation.state != RotationState::waiting && !by_hand) return std::vector<std::string>{};
  TRY(const Case made, open_case(rotation));
  std::vector<std::string> lines;
  if (!made.adapter->console_url.empty()) lines.push_back("Open " + made.adapter->console_url + ".");
  if (by_hand) {
    lines.push_back(made.it.old_key.empty() ? "Delete the key that was used before this rotation."
                                            : fmt::format("Delete the key {}.", made.it.old_key));
    lines.emplace_back("Nothing need be told: the key is probed until the provider refuses it.");
    return lines;
  }
  lines.push_back(fmt::format("Name the new key {}.", made.key_name()));
  for (const std::string& one : made.adapter->instructions) lines.push_back(one);
  lines.push_back(
      fmt::format("Hand its secret in: claviger rotation intake {} --secret-stdin.", rotation.id));
  return lines;
}

Result<void> Rotations::record(std::string_view action, const Rotation& rotation, std::string_view actor) {
  std::string detail;
  JsonWriter json(detail);
  json.open('{').field("rotation", rotation.id).field("state", name_of(rotation.state));
  if (!rotation.reason.empty()) json.field("reason", rotation.reason);
  json.close('}');
  const std::string subject = "credential:" + rotation.credential;
  journal::Admin line;
  line.at = parts_.clock.now();
  line.actor = actor;
  line.action = action;
  line.subject = subject;
  line.detail = detail;
  if (!parts_.writer.flush() || !parts_.writer.healthy())
    return fail(Code::journal_unavailable, "the steward's journal cannot be written");
  parts_.writer.append(line);
  return parts_.writer.flush();
}

Result<void> Rotations::save_in(store::Tx& tx, Rotation& rotation, std::string_view what) {
  TRY_VOID(put_rotation(tx, rotation, parts_.epoch));
  return what.empty() ? Result<void>{} : add_event(tx, rotation.id, parts_.clock.now(), what);
}

Result<void> Rotations::save(Rotation& rotation, std::string_view what) {
  return parts_.store.write([&](store::Tx& tx) { return save_in(tx, rotation, what); });
}

bool Rotations::in_flight(std::string_view credential, std::int64_t version) {
  const auto use = parts_.deriver.use_of(credential, version);
  return !use || use->open > 0;  // what cannot be told is taken for use
}

DueAlert Rotations::due_alert(std::string_view kind, const Rotation& rotation,
                              std::string_view message) const {
  DueAlert due;
  due.at = parts_.clock.now();
  due.kind = kind;
  due.subject = "credential:" + rotation.credential;
  due.window_start = rotation.started;
  due.threshold = static_cast<std::int64_t>(rotation.state);
  due.message = message;
  return due;
}

void Rotations::alert(std::string_view kind, const Rotation& rotation, std::string_view message) {
  const DueAlert due = due_alert(kind, rotation, message);
  if (!told_.insert(due.identity()).second) return;
  (void)parts_.store.write([&](store::Tx& tx) { return note_due(tx, due); });
  (void)record(kind, rotation, "steward");  // and with this line it is derived
}

// A credential that is due begins to be rotated; one that cannot be is told of.
void Rotations::run_schedule(const vault::Credential& credential) {
  const vault::CredentialVersion* current = credential.current();
  if (credential.rotate_days == 0 || credential.state != vault::CredentialState::enabled ||
      current == nullptr)
    return;
  const Time now = parts_.clock.now();
  const Time due{current->created.ns + credential.rotate_days * kDayNs};
  if (now < due) return;
  const auto earlier = list(credential.id);
  if (!earlier) return;
  Rotation subject;
  subject.credential = credential.id;
  subject.started = due;
  const Rotation* last = earlier->empty() ? nullptr : &earlier->front();
  const auto overdue = [&](std::string_view why) {
    alert("rotation_overdue", subject,
          fmt::format("Credential {} was to be rotated by {}. {}", credential.name, format_time(due), why));
  };
  if (last != nullptr && !over(last->state)) {
    if (last->state == RotationState::waiting) return overdue("A person is to create the new key.");
    if (now.ns > due.ns + kDayNs) overdue("Its rotation has been going on for a day.");
    return;
  }
  const bool undone = last != nullptr && last->state == RotationState::undone;
  const bool fresh = last != nullptr && (undone || last->state == RotationState::failed) &&
                     now.ns < last->updated.ns + limits::kRotationAgainMs * 1'000'000;
  if (fresh) return overdue(undone ? "Its rotation was rolled back." : last->trouble);
  const auto begun = start(credential.id, {RotationMode::planned, "schedule", "schedule"});
  if (!begun) overdue(told(begun.error()));
}

void Rotations::tick() {
  if (parts_.outside == nullptr) return;
  if (unpublished_) {
    if (!parts_.republish()) return;
    unpublished_ = false;
  }
  std::vector<Rotation> open;
  const auto read = parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(open, load_rotations(tx, {}, Which::unfinished));
    return {};
  });
  if (!read) return;
  for (Rotation& rotation : open)
    if (!busy_.contains(rotation.id)) move_on(std::move(rotation));
  look_after_left();
  const Time now = parts_.clock.now();
  if (now < schedules_at_) return;
  schedules_at_ = {now.ns + kScheduleNs};
  const auto credentials = parts_.vault.list();
  if (!credentials) return;
  for (const vault::Credential& credential : *credentials) run_schedule(credential);
}

}  // namespace claviger::steward
