// Mint: an access token for a service account, fetched off the lanes by a thread that waits for nothing else.
#pragma once

#include "base/result.hpp"
#include "gate/tokens.hpp"
#include "gate/world.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"
#include "vault/vault.hpp"

namespace claviger::gate {

// What minting needs; all of it outlives the thread.
struct MintParts {
  const Clock& clock;
  vault::Vault& vault;
  Tokens& tokens;
  net::Workers& resolvers;  // name resolution
  const net::TlsContext& tls;
};

// Blocks for at most limits::kTokenExchangeMs. Does nothing when a token lives already. Refuses
// credential_unavailable, origin_mismatch (the document's token endpoint is none of the credential's
// origins), vault errors, upstream_failed and upstream_timeout.
Result<void> mint(const CredentialEntry& credential, MintParts parts);

}  // namespace claviger::gate
