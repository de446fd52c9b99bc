// Inject: the real key opens last, once, straight into the outgoing head, and only for the origin it is bound
// to.
#pragma once

#include <cstdint>
#include <string>

#include "base/secret.hpp"
#include "gate/admit.hpp"
#include "gate/request.hpp"
#include "gate/tokens.hpp"
#include "provider/service_account.hpp"
#include "vault/vault.hpp"

namespace claviger::gate {

// A request head with a provider's key in it. Wiped when dropped.
class Outbound {
 public:
  Outbound(Outbound&& other) noexcept = default;
  Outbound& operator=(Outbound&&) = delete;
  ~Outbound() { wipe(); }

  const std::string& head() const { return head_; }
  std::int64_t credential_version() const { return version_; }
  // Puts the body behind the head when there is room for it, so that both leave as one piece. False: there is
  // not, since what holds a key must not grow.
  bool take_body(std::string_view body) {
    if (head_.capacity() - head_.size() < body.size()) return false;
    head_.append(body);
    return true;
  }
  // The bytes have left; the key goes.
  void wipe() {
    wipe_memory(head_.data(), head_.size());
    head_.clear();
  }

 private:
  friend class Injector;
  Outbound() = default;
  std::string head_;
  std::int64_t version_ = 0;
};

// Where secrets are, and the time at which a signature is made.
struct Keyring {
  vault::Vault& vault;
  const Tokens& tokens;
  Time now;
};

// The only holder of a SecretAccess in the gate.
class Injector {
 public:
  // Builds the head that goes upstream: the client's own headers without credentials, hop-by-hop and
  // forwarding headers, and the provider's key where the provider wants it; or a signature over the bytes
  // that are sent, or a token that was minted. Refuses credential_unavailable, origin_mismatch, vault errors.
  // The Hold shows that the money is there.
  static Result<Outbound> inject(const Request& request, const Grant& grant, const ledger::Hold& hold,
                                 const Keyring& keys);
  // The signed request for an access token of a service account. Refuses as inject does, and origin_mismatch
  // when the document names a token endpoint that the credential is not bound to. Signs: off the lanes.
  static Result<provider::TokenAsk> token_ask(const CredentialEntry& credential, vault::Vault& vault,
                                              Time now);
};

}  // namespace claviger::gate
