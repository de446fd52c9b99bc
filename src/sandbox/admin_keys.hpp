// The provider keys that the double's admin APIs have made, and what its inference plane knows of each by
// now.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "sandbox/draft.hpp"

namespace claviger::sandbox {

// How slowly a change becomes true, and what the double's policy says of lifetimes. All of it may be set.
struct AdminManners {
  std::int64_t create_delay_ms = 0;   // until a new secret, or an enabled key, is accepted
  std::int64_t spread_ms = 0;         // x-ai: and until that is so everywhere
  std::int64_t disable_delay_ms = 0;  // until a disabled key is refused
  std::int64_t delete_delay_ms = 0;   // until a removed or replaced secret is refused
  std::int64_t list_lag_ms = 0;       // until a list shows a new key, and no longer shows a removed one
  std::int64_t longest_life_s = 0;    // of new keys; 0: no policy. OpenAI refuses, others shorten
  std::int64_t advance_ms = 0;        // the double's clock goes before the machine's
};

struct AdminKey {
  std::string provider, owner;  // owner: what a list is asked for, e.g. a project, a team, a user
  std::string id, name;
  std::string secret;  // the newest one
  Time created;
  Time expires = kNever;
  std::optional<Time> last_used;
  Json extra = Json::object();  // scopes, roles, limits: what the provider's API keeps with it
  bool disabled = false;
  bool removed = false;
  Time listed_from, listed_until = kNever;
};

// What the inference plane makes of a secret.
enum class Standing : std::uint8_t {
  unknown,  // no admin API made it
  good,
  early,  // made, but not known there yet
  refused,
  narrowed  // good, but without the right to what was asked
};

class AdminKeys {
 public:
  AdminManners manners;

  // The key with its secret, which is accepted after the delay. Null when there are too many.
  AdminKey* add(AdminKey key, Time now);
  AdminKey* find(std::string_view provider, std::string_view id);  // not a removed one
  // Of that owner, or of all when it is empty; as a list shows them now.
  std::vector<AdminKey*> listed(std::string_view provider, std::string_view owner, Time now);
  std::size_t live(std::string_view provider, std::string_view owner) const;

  // A new secret for the key; the old one is accepted until then (and the delay of removal).
  void renew(AdminKey& key, std::string secret, Time old_until, Time now);
  void disable(AdminKey& key, Time now);
  void enable(AdminKey& key, Time now);
  void remove(AdminKey& key, Time now);

  // `key` is set when the secret is known. Being asked is no use.
  Standing standing(std::string_view secret, Time now, AdminKey** key = nullptr);

  const std::deque<AdminKey>& all() const { return keys_; }
  // The key that a secret with this SHA-256 (hex) belongs or belonged to; null when none does.
  const AdminKey* by_sha256(std::string_view sha256) const;
  std::string_view state_name(const AdminKey& key, Time now);  // "good", "early", "refused"

 private:
  void issue(const std::string& secret, std::size_t key, Time now);
  struct Issued {
    std::size_t key;
    Time from, until;
  };
  std::deque<AdminKey> keys_;
  std::map<std::string, Issued, std::less<>> secrets_;
  std::map<std::string, std::size_t, std::less<>> hashes_;
};

}  // namespace claviger::sandbox
