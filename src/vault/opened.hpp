// What an open vault holds in memory: its keys, and the secrets in use. All of it lies in the arena.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crypto/hmac.hpp"
#include "store/mutex.hpp"
#include "vault/vault.hpp"

namespace claviger::vault {

struct Vault::Ring {
  Ring(SecretCell key, crypto::HmacSha256 prints, crypto::HmacSha256 found)
      : root(std::move(key)), fingerprints(std::move(prints)), matches(std::move(found)) {}
  const SecretCell root;
  const crypto::HmacSha256 fingerprints;
  const crypto::HmacSha256 matches;
  mutable store::Mutex mutex;
  // Write with the newest, read with any. Terms that the store no longer has stay until the vault is closed:
  // a row that was read before a rekey may still ask for them.
  std::map<std::int64_t, SecretCell> terms CLAVIGER_GUARDED_BY(mutex);
};

// Keys on their way into the arena and out of it.
inline std::span<const char> chars(const crypto::Key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}
inline crypto::Key key_in(const SecretCell& cell, const SecretAccess& access) {
  const std::span<const char> bytes = cell.open(access);
  return crypto::Key(as_bytes({bytes.data(), bytes.size()}));
}
inline std::unexpected<Error> arena_full() {
  return fail(Code::vault_sealed, "the secret arena has no room for the vault's own keys");
}

// The current version of one credential, opened.
struct Vault::Opened {
  std::int64_t version = 0;
  std::vector<std::string> origins;
  crypto::WipedBytes secret;
};

struct Vault::Cache {
  struct Entry {
    std::int64_t version;
    std::vector<std::string> origins;
    SecretCell secret;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  store::Mutex mutex;
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries CLAVIGER_GUARDED_BY(mutex);
  // Counts changes, so that what was read from the store before a change is not kept after it.
  std::uint64_t generation CLAVIGER_GUARDED_BY(mutex) = 0;

  void forget(std::string_view id) {
    const store::Lock lock(mutex);
    ++generation;
    if (const auto found = entries.find(id); found != entries.end()) entries.erase(found);
  }
};

}  // namespace claviger::vault
