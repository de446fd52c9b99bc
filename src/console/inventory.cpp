// Recognising secrets that somebody found in the open: hashes come in, names go out.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "console/incident_parts.hpp"
#include "console/render.hpp"

namespace claviger::console {
namespace {

using nlohmann::ordered_json;

bool hidden(const Session& s, std::string_view environment) {
  return s.production() == identity::Production::hidden && identity::is_production(environment);
}

// Whether the secret still opens something, in one word.
std::string_view state_of(const vault::Credential& it, std::int64_t number) {
  const auto version = std::ranges::find(it.versions, number, &vault::CredentialVersion::number);
  if (version == it.versions.end() || version->state == vault::VersionState::destroyed) return "destroyed";
  if (it.state != vault::CredentialState::enabled) return name_of(it.state);
  return name_of(version->state);
}

std::string_view state_of(const identity::Key& key, const identity::Keys::Match& match, Time now) {
  if (key.state != identity::KeyState::active) return identity::key_state_name(key.state);
  if (key.expires <= now) return "expired";
  if (match.newest) return "active";
  return key.previous_digest && now < key.previous_until ? "previous" : "rotated";
}

Result<void> add_credentials(Session& s, const std::vector<Digest>& hashes, ordered_json& matches) {
  TRY(const auto found, s.parts.vault.match(hashes));
  for (const vault::Vault::Match& match : found) {
    TRY(const vault::Credential it, s.parts.vault.get(match.credential));
    if (hidden(s, it.environment)) continue;
    matches.push_back({{"sha256", hex(match.sha256)},
                       {"kind", "credential"},
                       {"id", it.id},
                       {"name", it.name},
                       {"owner", it.owner},
                       {"state", state_of(it, match.version)},
                       {"version", match.version},
                       {"environment", it.environment}});
  }
  return {};
}

Result<void> add_keys(Session& s, const std::vector<Digest>& hashes, ordered_json& matches) {
  TRY(const auto found, s.parts.keys.match(hashes));
  for (const identity::Keys::Match& match : found) {
    TRY(const identity::Key key, s.parts.keys.get(match.key));
    if (hidden(s, key.environment)) continue;
    matches.push_back({{"sha256", hex(match.sha256)},
                       {"kind", "key"},
                       {"id", key.id},
                       {"name", key.name},
                       {"owner", key.team.empty() ? key.project : key.team + "/" + key.project},
                       {"state", state_of(key, match, s.now)},
                       {"version", match.number},
                       {"environment", key.environment}});
  }
  return {};
}

}  // namespace

Result<Answer> match_inventory(Session& s) {
  TRY(const std::vector<Digest> hashes, read_hashes(s));
  ordered_json matches = ordered_json::array();
  TRY_VOID(add_credentials(s, hashes, matches));
  TRY_VOID(add_keys(s, hashes, matches));
  return Answer{200, {{"matches", std::move(matches)}}, {}, {}};
}

}  // namespace claviger::console
