// The World: one immutable picture of all that the gate decides by. The steward's changes make the next one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "identity/directory.hpp"
#include "identity/key.hpp"
#include "ledger/ledger.hpp"
#include "policy/decide.hpp"
#include "policy/scope.hpp"
#include "provider/provider.hpp"

namespace claviger::gate {

// A scope that may be another key's too.
class SharedScope {
 public:
  SharedScope(policy::Scope scope)  // NOLINT(google-explicit-constructor): a scope of its own
      : scope_(std::make_shared<const policy::Scope>(std::move(scope))) {}
  explicit SharedScope(std::shared_ptr<const policy::Scope> scope) : scope_(std::move(scope)) {}
  operator const policy::Scope&() const { return *scope_; }  // NOLINT(google-explicit-constructor)
  const policy::Scope* operator->() const { return scope_.get(); }

 private:
  std::shared_ptr<const policy::Scope> scope_;  // never null
};

// A virtual key with everything resolved that a request of it needs.
struct KeyEntry {
  identity::Key key;  // without the text of its scope
  SharedScope scope;
  ledger::Account account;
};

// A provider's credential as the gate sees it: where it may be sent, never what it is.
struct CredentialEntry {
  std::string id;
  std::int64_t version = 0;
  std::string environment;
  std::string name;
  const provider::Provider* provider = nullptr;  // in the World's catalog
  provider::BaseUrl base;
  bool usable = true;  // false: disabled; its traffic is refused, not sent elsewhere
  std::int64_t priority = 0;
  std::int64_t weight = 0;
  std::vector<std::string> parameters = {};  // "name=value"

  // The model behind what a request names: itself, except where a parameter says what a deployment is.
  std::string model_behind(std::string_view name) const;
};

// Whether a key may be used now, as far as its state says.
policy::Standing standing_of(identity::KeyState state);

struct World {
  std::uint64_t generation = 0;
  identity::Directory<KeyEntry> keys;
  // For inference, not destroyed; by priority, then oldest first.
  std::vector<CredentialEntry> credentials;
  std::shared_ptr<const provider::Catalog> catalog;
  // Bound of an answer's tokens where neither key nor request sets one and a budget needs it; none: the
  // model's own.
  std::optional<std::int64_t> default_max_output;

  // When the first of this key and the keys above it expires; long ago when one of them is not active.
  Time good_until(const identity::Key& key) const;

  // The credential that carries an environment's traffic to a provider: the first usable one, else the
  // first; nullptr when it has none.
  const CredentialEntry* credential_for(std::string_view provider, std::string_view environment) const;
  // All usable ones that may carry it, in order.
  std::vector<const CredentialEntry*> candidates(std::string_view provider,
                                                 std::string_view environment) const;
  // The credential of that name; nullptr when there is none in this environment.
  const CredentialEntry* credential_named(std::string_view name, std::string_view environment) const;
  bool has_credential_named(std::string_view name) const;
};

}  // namespace claviger::gate
