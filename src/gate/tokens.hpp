// Access tokens minted from service accounts, kept until shortly before they expire. Never stored, never
// logged.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "gate/world.hpp"
#include "store/mutex.hpp"

namespace claviger::gate {

// Thread-safe; one for all lanes. A token belongs to one version of its credential.
class Tokens {
 public:
  bool has(const CredentialEntry& credential, Time now) const {
    const store::Lock lock(mutex_);
    return find(credential, now) != nullptr;
  }
  void put(const CredentialEntry& credential, Secret token, Time expires) {
    const store::Lock lock(mutex_);
    tokens_.insert_or_assign(credential.id, Held{credential.version, std::move(token), expires});
  }
  // Calls use(const Secret&) while the token is held; false when there is none that lives.
  template <class Use>
  bool with(const CredentialEntry& credential, Time now, Use use) const {
    const store::Lock lock(mutex_);
    const Secret* token = find(credential, now);
    if (token == nullptr) return false;
    use(*token);
    return true;
  }
  // The provider did not accept it: the next request asks for a new one.
  void forget(const CredentialEntry& credential) {
    const store::Lock lock(mutex_);
    tokens_.erase(credential.id);
  }

 private:
  struct Held {
    std::int64_t version;
    Secret token;
    Time expires;
  };
  const Secret* find(const CredentialEntry& credential, Time now) const CLAVIGER_REQUIRES(mutex_) {
    constexpr std::chrono::milliseconds kSpare(limits::kTokenSpareMs);
    const auto found = tokens_.find(credential.id);
    const bool good = found != tokens_.end() && found->second.version == credential.version &&
                      now + kSpare < found->second.expires;
    return good ? &found->second.token : nullptr;
  }

  mutable store::Mutex mutex_;
  std::map<std::string, Held, std::less<>> tokens_ CLAVIGER_GUARDED_BY(mutex_);
};

}  // namespace claviger::gate
