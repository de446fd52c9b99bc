// Mint: an access token for a service account, fetched off the lanes by threads that wait for nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "gate/tokens.hpp"
#include "gate/world.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"
#include "vault/vault.hpp"

namespace claviger::gate {

// Threads that mint. A credential always goes to the same one, so that those who wait for its token find it
// made, or find that it failed; and one slow token endpoint does not hold up all the others.
class Minters {
 public:
  Minters() {
    for (std::size_t i = 0; i < limits::kTokenThreads; ++i) threads_.emplace_back(1);
  }
  net::Workers& of(const CredentialEntry& credential) {
    return threads_[std::hash<std::string>{}(credential.id) % threads_.size()];
  }

 private:
  std::deque<net::Workers> threads_;
};

// What minting needs; all of it outlives the threads.
struct MintParts {
  const Clock& clock;
  vault::Vault& vault;
  Tokens& tokens;
  net::Workers& resolvers;  // name resolution
  const net::TlsContext& tls;
  std::int64_t exchange_ms = limits::kTokenExchangeMs;
};

struct Minted {
  Result<void> done{};
  bool tried = true;  // false: it lives already, or the last failure was just now
};

// Blocks for at most exchange_ms, from the look-up of the name to the last byte. Does nothing when a token
// lives already, or when the token endpoint failed within limits::kTokenFailedMs. Refuses
// credential_unavailable, origin_mismatch (the document's token endpoint is none of the credential's
// origins), vault errors, upstream_failed and upstream_timeout.
Minted mint(const CredentialEntry& credential, MintParts parts);

}  // namespace claviger::gate
