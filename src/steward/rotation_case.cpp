// What a provider, a link and a configuration allow for one credential.
#include "steward/rotation_case.hpp"

#include <fmt/format.h>

namespace claviger::steward {
namespace {

using provider::Adapter;
using provider::Operation;
using provider::RotationClass;

// Keys of a provider that nothing is known about: a person replaces them.
const Adapter& unknown_provider() {
  static const Adapter kUnknown = [] {
    Adapter made;
    made.rotation = RotationClass::human;
    made.instructions = {"Create a key with the name given here, and paste it into the intake.",
                         "Delete the old key when the rotation asks for it."};
    return made;
  }();
  return kUnknown;
}

bool needs_admin(RotationClass rotation) {
  return rotation == RotationClass::create || rotation == RotationClass::in_place ||
         rotation == RotationClass::slots;
}

}  // namespace

std::optional<Operation> Rotations::Case::ending(RotationMode mode) const {
  const auto usable = [&](Operation operation) {
    const provider::AdapterCall* call = adapter->find(operation);
    return call != nullptr && (call->own_key || admin.has_value());
  };
  if (rotation == RotationClass::slots)
    return usable(Operation::create) ? std::optional(Operation::create) : std::nullopt;
  const bool narrows = adapter->disable_narrows;
  if (mode == RotationMode::emergency && adapter->kill && *adapter->kill != Operation::create &&
      usable(*adapter->kill) && !(narrows && *adapter->kill == Operation::disable))
    return adapter->kill;
  for (const Operation one : {Operation::remove, Operation::revoke, Operation::disable})
    if (usable(one) && !(narrows && one == Operation::disable)) return one;
  return std::nullopt;
}

std::optional<Operation> Rotations::Case::operation(Act act) const {
  switch (act) {
    case Act::look:
      return rotation == RotationClass::slots ? Operation::reveal : Operation::list;
    case Act::seek:
    case Act::identify:
      return Operation::list;
    case Act::create:
      return Operation::create;
    case Act::progress:
      return Operation::progress;
    case Act::reveal:
      return Operation::reveal;
    case Act::probe_new:
    case Act::probe_old:
      return Operation::probe;
    case Act::propagation:
      return Operation::propagation;
    case Act::clear:
      return ending(RotationMode::planned);
    case Act::revoke:
      return ending(it.mode);
    case Act::remove_new:
      return ending(RotationMode::planned);
    default:
      return std::nullopt;
  }
}

std::int64_t Rotations::Case::admin_version() const {
  const vault::CredentialVersion* current = admin ? admin->current() : nullptr;
  return current == nullptr ? 0 : current->number;
}

Result<Rotations::Case> Rotations::open_case(Rotation rotation) const {
  Case made;
  TRY(made.credential, parts_.vault.get(rotation.credential));
  TRY(auto link, link_of(made.credential.id));
  Parameters parameters = link ? link->parameters : Parameters();
  if (const auto id = parameters.find("key_id"); id != parameters.end()) {
    made.known_key = id->second;
    parameters.erase(id);
  }
  if (made.credential.kind == vault::CredentialKind::admin) parameters.try_emplace("variant", "admin");
  const Adapter* found = provider::find_adapter(made.credential.provider, parameters);
  made.adapter = found == nullptr ? &unknown_provider() : found;
  made.link = {{}, made.credential.base_url, provider::Values(parameters.begin(), parameters.end())};
  if (link) {
    const auto admin = parts_.vault.get(link->admin);
    if (admin && admin->state == vault::CredentialState::enabled && admin->current() != nullptr) {
      made.admin = *admin;
      made.link.admin_base_url = admin->base_url;
    } else {
      made.problems.push_back("The admin credential of its link is not usable.");
    }
    if (found != nullptr)
      if (const auto fits = provider::check_link(*made.adapter, made.link); !fits)
        made.problems.emplace_back(told(fits.error()));
  }
  made.rotation = made.adapter->rotation;
  const bool file = settings_.key_files.contains(made.credential.name) && parts_.key_files != nullptr;
  if (file)
    made.rotation = RotationClass::self_hosted;
  else if (made.rotation == RotationClass::self_hosted || (needs_admin(made.rotation) && !link))
    made.rotation = RotationClass::human;
  made.it = std::move(rotation);
  // A rotation that goes on stays what it was when it began.
  if (!made.it.id.empty()) made.rotation = made.it.rotation;
  RotationTraits& traits = made.traits;
  const bool slots = made.rotation == RotationClass::slots;
  traits.lists = slots || (made.admin && made.adapter->offers(Operation::list) && !file);
  traits.shows = slots || !made.adapter->hint.empty() || made.adapter->offers(Operation::reveal);
  const auto ending = made.ending(made.it.mode);
  traits.removes = file || ending.has_value();
  traits.by_secret = !file && ending && made.adapter->find(*ending)->own_key;
  traits.probes = made.adapter->offers(Operation::probe);
  traits.spreads = made.admin && made.adapter->offers(Operation::propagation) && !file;
  traits.probe_ms = settings_.probe_ms;
  traits.verify_ms = settings_.verify_ms;
  traits.list_ms = settings_.list_ms;
  traits.soak_ms = settings_.soak_ms;
  traits.retain_ms = settings_.retain_ms;
  traits.quiet_ms = limits::kRotationQuietMs;
  if (!traits.probes)
    made.problems.push_back(
        fmt::format("Nothing is known of how to ask {} whether a key works.", made.credential.provider));
  return made;
}

}  // namespace claviger::steward
