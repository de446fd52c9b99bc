// Access tokens minted from service accounts, kept until shortly before they expire; and for some seconds,
// that one was not to be had. Never stored, never logged.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "gate/versions.hpp"
#include "gate/world.hpp"
#include "store/mutex.hpp"

namespace claviger::gate {

// Thread-safe; one for all lanes. A token belongs to one version of its credential, and so does a failure.
class Tokens {
 public:
  bool has(const CredentialEntry& credential, Time now) const {
    const store::Lock lock(mutex_);
    return find(credential, now) != nullptr;
  }
  void put(const CredentialEntry& credential, Secret token, Time expires) {
    const store::Lock lock(mutex_);
    tokens_.put(credential, Held{std::move(token), expires});
    failures_.erase(credential);
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
    tokens_.erase(credential);
  }
  // A token was asked for in vain: nobody asks again for limits::kTokenFailedMs. Times are monotonic.
  void failed(const CredentialEntry& credential, Error why, std::int64_t now_ns) {
    const store::Lock lock(mutex_);
    failures_.put(credential, Failure{std::move(why), now_ns + limits::kTokenFailedMs * 1'000'000});
  }
  std::optional<Error> failure(const CredentialEntry& credential, std::int64_t now_ns) const {
    const store::Lock lock(mutex_);
    const Failure* last = failures_.find(credential);
    return last != nullptr && now_ns < last->until_ns ? std::optional(last->why) : std::nullopt;
  }

 private:
  struct Held {
    Secret token;
    Time expires;
  };
  struct Failure {
    Error why;
    std::int64_t until_ns;
  };
  const Secret* find(const CredentialEntry& credential, Time now) const CLAVIGER_REQUIRES(mutex_) {
    constexpr std::chrono::milliseconds kSpare(limits::kTokenSpareMs);
    const Held* held = tokens_.find(credential);
    return held != nullptr && now + kSpare < held->expires ? &held->token : nullptr;
  }

  mutable store::Mutex mutex_;
  ByVersion<Held> tokens_ CLAVIGER_GUARDED_BY(mutex_);
  ByVersion<Failure> failures_ CLAVIGER_GUARDED_BY(mutex_);
};

}  // namespace claviger::gate
