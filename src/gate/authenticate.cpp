// Who is calling.
#include "gate/authenticate.hpp"

#include "identity/key.hpp"
#include "identity/token.hpp"

namespace claviger::gate {
namespace {

constexpr std::string_view kNotOurs =
    "The key is not a Claviger key: use the key that `claviger key create` printed (it begins with clv_), "
    "not a "
    "provider's.";

Result<const KeyEntry*> find(std::string_view token, const World& world, const crypto::HmacSha256& pepper,
                             Time now) {
  const auto parsed = identity::parse_token(token);
  if (!parsed)
    return refuse(Code::unknown_key, "The key is not complete or was mistyped: its checksum is wrong.");
  if (parsed->kind != identity::TokenKind::key)
    return refuse(Code::unknown_key, "This is an admin token, which does not open the gate.");
  // An unknown id costs the same hash as a known one.
  const Digest shown = identity::digest(pepper, token);
  const KeyEntry* entry = world.keys.find(parsed->id);
  if (entry == nullptr || !identity::matches(entry->key, shown, now)) return refuse(Code::unknown_key);
  return entry;
}

}  // namespace

Result<Caller> authenticate(const Request& request, const World& world, const crypto::HmacSha256& pepper,
                            Time now) {
  std::string_view ours;
  bool any = false;
  for (const std::string_view shown : request.shown_keys) {
    if (shown.empty()) continue;
    any = true;
    if (!shown.starts_with("clv"))
      continue;  // a provider's key beside ours: SDKs send both; it goes no further
    if (!ours.empty() && ours != shown)
      return refuse(Code::conflicting_keys, "Two different keys were sent in one request: send one.");
    ours = shown;
  }
  if (!any)
    return refuse(Code::missing_key,
                  "No key was sent: put it where the provider's own key goes, e.g. Authorization: "
                  "Bearer.");
  if (ours.empty()) return refuse(Code::unknown_key, std::string(kNotOurs));
  TRY(const KeyEntry* entry, find(ours, world, pepper, now));
  return Caller(*entry);
}

}  // namespace claviger::gate
