// Virtual keys: what is stored of them, how they are issued, rotated, frozen and revoked.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/hmac.hpp"
#include "store/store.hpp"

namespace claviger::identity {

// active <-> frozen; revoked is final. "Expired" is not a state but a comparison with the clock.
enum class KeyState : std::uint8_t { active, frozen, revoked };

std::string_view key_state_name(KeyState state);

// Limits that go with a key; nullopt: no limit of that kind.
struct Rates {
  std::optional<std::int64_t> rpm;          // requests a minute
  std::optional<std::int64_t> tpm;          // tokens a minute
  std::optional<std::int64_t> concurrency;  // requests in flight
  friend bool operator==(const Rates&, const Rates&) = default;
};

// The keys above a key, from the top down: "ROOT/.../PARENT". An empty text has none. A view: `text` must
// outlive it.
class Lineage {
 public:
  class Iterator {
   public:
    explicit Iterator(std::string_view rest) : rest_(rest) {}
    std::string_view operator*() const { return rest_.substr(0, rest_.find('/')); }
    Iterator& operator++() { return rest_.remove_prefix(std::min(rest_.size(), (**this).size() + 1)), *this; }
    bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

   private:
    std::string_view rest_;
  };
  explicit Lineage(std::string_view text) : text_(text) {}
  Iterator begin() const { return Iterator(text_); }
  Iterator end() const { return Iterator(text_.substr(text_.size())); }
  bool empty() const { return text_.empty(); }
  bool contains(std::string_view id) const {
    for (const std::string_view above : *this)
      if (above == id) return true;
    return false;
  }
  std::string_view parent() const { return text_.substr(text_.rfind('/') + 1); }  // empty: none
  std::string_view root() const { return *begin(); }                              // empty: none

 private:
  std::string_view text_;
};

// One key as it is stored. Holds no secret: digests are keyed hashes of the token.
struct Key {
  std::string id;
  std::string lineage;  // ids of the keys above it, from an administrator's key down; see Lineage
  std::string name;
  std::string team;  // empty: none
  std::string project;
  std::string environment;
  Digest digest{};
  std::optional<Digest> previous_digest;  // the token before the last rotation, good until previous_until
  Time previous_until{};
  KeyState state = KeyState::active;
  Time expires = kNever;
  Time created{};
  std::string created_by;
  std::string scope;  // policy's text form (policy/scope.hpp), opaque here
  Rates rates;
};

// What a new key shall be.
struct KeyDraft {
  std::string id;      // from fresh_id(): known beforehand, so that budgets can stand before the key does
  std::string parent;  // the key it is a child of; empty: none
  std::string name;
  std::string team;
  std::string project;
  std::string environment;
  Time expires = kNever;
  std::string created_by;
  std::string scope = "{}";
  Rates rates;
};

// A key together with its token, which is shown once and kept nowhere.
struct Issued {
  Key key;
  std::string token;
};

// Whether production is seen: developers do not see it.
enum class Production : std::uint8_t { shown, hidden };
// "prod" and "production", in whatever case.
bool is_production(std::string_view environment);

// Empty fields do not filter.
struct KeyFilter {
  std::string team;
  std::string project;
  std::string environment;
  Production production = Production::shown;
  std::string above;  // only keys below this one, at any level
  std::string after;  // id of the last key of the page before
  std::int64_t limit = INT64_MAX;
};

// Keys by state; expired ones count as what they were.
struct KeyCounts {
  std::int64_t active = 0, frozen = 0, revoked = 0;
};

// Refuses invalid_input with the field's name. Keys::create asks it too.
Result<void> check_draft(const KeyDraft& draft, Time now);

// Longest time a rotated token may go on working.
inline constexpr std::chrono::hours kMaxGrace{24 * 30};

extern const std::string_view kKeySchema;

// The keys of the organisation, over the store. Thread-safe as the store is; holds no cache.
class Keys {
 public:
  // `pepper` is the vault's subkey "key-pepper".
  Keys(store::Store& store, Rng& rng, const Clock& clock, crypto::HmacSha256 pepper);

  // Refuses invalid_input with the field's name. A child: not_found, conflict when a key above it is frozen,
  // revoked or expired, too_many_keys beyond the bounds of depth and number. The first form is part of the
  // caller's transaction. That a child's scope lies within its parent's is policy's to say.
  Result<Issued> create(store::Tx& tx, const KeyDraft& draft);
  Result<Issued> create(const KeyDraft& draft);

  Result<Key> get(std::string_view id);
  Result<Key> get(store::Tx& tx, std::string_view id);
  // Oldest first, ties by id.
  Result<std::vector<Key>> list(const KeyFilter& filter = {});

  // Every key as of one moment, as they lie; a few at a time, so that a million need no room.
  Result<void> each(const std::function<void(Key)>& visit);
  // From here on take_changes has something to tell.
  Result<void> watch_changes();
  // What has become of the keys that were made, changed or removed since watch_changes or the last call, by
  // whatever statement: nullopt when there is no such key any longer. After an error changes may be lost:
  // begin again with each.
  Result<void> take_changes(const std::function<void(const std::string& id, std::optional<Key>)>& visit);

  Result<KeyCounts> count(Production production = Production::shown);

  // Refuses conflict when the key is revoked; setting the present state again is fine. Revoking is for the
  // key and all below it; freezing says nothing of those below, whom the frozen key above stops all the same.
  Result<Key> set_state(store::Tx& tx, std::string_view id, KeyState state);
  Result<Key> set_state(std::string_view id, KeyState state);
  // New token, same id; the old one works for `grace` more. A second rotation ends the grace of the first.
  Result<Issued> rotate(store::Tx& tx, std::string_view id, std::chrono::nanoseconds grace);
  Result<Issued> rotate(std::string_view id, std::chrono::nanoseconds grace);

  // Which keys have, or had, a token with one of these hashes, as far back as the store has tags of them.
  struct Match {
    Digest sha256;
    std::string key;          // id
    std::int64_t number = 0;  // 1: the first token; one more a rotation
    bool newest = false;
  };
  Result<std::vector<Match>> match(std::span<const Digest> sha256);
  Result<std::int64_t> newest(std::string_view id);  // number of the key's newest token
  const crypto::HmacSha256& pepper() const { return pepper_; }

 private:
  Result<std::string> place_below(store::Tx& tx, std::string_view parent, Time now);
  Result<void> remember(store::Tx& tx, std::string_view id, std::string_view token);

  store::Store& store_;
  Rng& rng_;
  const Clock& clock_;
  crypto::HmacSha256 pepper_;
};

// True when `presented` is the key's token of today or one still in its grace. Constant time in the digests.
bool matches(const Key& key, const Digest& presented, Time now);

// Names of teams, projects and environments: letters, digits, '.', '_', '-'; refuses invalid_input naming
// `field`.
Result<void> check_label(std::string_view field, std::string_view value);
// Names for people: 1 to 128 bytes without control characters; refuses invalid_input naming `field`.
Result<void> check_name(std::string_view field, std::string_view value);

}  // namespace claviger::identity
