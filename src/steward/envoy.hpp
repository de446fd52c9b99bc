// The steward's only holder of secrets: arms calls to providers with them, and tells which listed key a
// secret is. No other file of the steward ever sees one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "provider/admin.hpp"
#include "provider/admin_read.hpp"
#include "steward/outside.hpp"
#include "vault/vault.hpp"

namespace claviger::steward {

// Whose secret proves a call.
struct Bearer {
  std::string credential;    // id
  std::int64_t version = 0;  // any state but destroyed
};

class Envoy {
 public:
  Envoy(vault::Vault& vault, const Clock& clock, Rng& rng) : vault_(vault), clock_(clock), rng_(rng) {}

  // Sends the call, after the one that buys its access token where it needs one. The secret goes to origins
  // of its credential only. `done` as Outside::send; besides its errors those of Vault::append_version and
  // provider::arm, told at once.
  void send(Outside& outside, const provider::AdminCall& call, const Bearer& bearer,
            Outside::Done done) const;

  // provider::fits_hint with a stored secret.
  std::optional<bool> shows(const provider::Adapter& adapter, const provider::ListedKey& key,
                            const vault::Credential& credential, std::int64_t version) const;
  // Whether this is the stored secret.
  bool is_secret(const vault::Credential& credential, std::int64_t version, const Secret& secret) const;

  // Its SHA-256, for Vault::match.
  Digest sha256(const Secret& secret) const;

  // A secret of our own making, for servers of the operator.
  Secret make_secret() const;
  // The secrets of these versions, one a line; for a key file, to be wiped.
  Result<std::string> lines(const vault::Credential& credential,
                            const std::vector<std::int64_t>& versions) const;

 private:
  Result<std::string> open(const vault::Credential& credential, std::int64_t version) const;

  vault::Vault& vault_;
  const Clock& clock_;
  Rng& rng_;
};

}  // namespace claviger::steward
