// What an open vault holds in memory: its keys, and the secrets in use. All of it lies in the arena.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crypto/hmac.hpp"
#include "store/mutex.hpp"
#include "vault/vault.hpp"

namespace claviger::vault {

// Set while the vault is opened and never changed.
struct Vault::Ring {
  SecretCell root;
  std::map<std::int64_t, SecretCell> terms;  // write with the newest, read with any
  crypto::HmacSha256 fingerprints;
  crypto::HmacSha256 matches;
};

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
