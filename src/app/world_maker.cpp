// From rows to Worlds.
#include "app/world_maker.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace claviger::app {
namespace {

ledger::RateLimits rates_of(const identity::Key& key) {
  return {key.rates.rpm, key.rates.tpm, key.rates.concurrency};
}

}  // namespace

Result<std::shared_ptr<const gate::World>> WorldMaker::make(std::uint64_t generation) {
  const bool some = std::exchange(known_, false);
  TRY_VOID(some ? read_changed() : read_all());
  known_ = true;
  auto world = std::make_shared<gate::World>();
  world->generation = generation;
  world->catalog = catalog_;
  world->default_max_output = default_max_output_;
  world->keys = directory_;
  TRY_VOID(add_credentials(*world));
  return world;
}

Result<void> WorldMaker::read_all() {
  TRY_VOID(keys_.watch_changes());
  std::vector<std::pair<std::string_view, Entry>> entries;
  std::vector<identity::Key> children;  // parents stand before their children, since they were made before
  TRY_VOID(keys_.each([&](identity::Key key) {
    if (!key.lineage.empty()) return children.push_back(std::move(key));
    Entry entry = entry_of(std::move(key));
    if (entry) entries.emplace_back(entry->key.id, std::move(entry));
  }));
  directory_ = Keyring::from(std::move(entries));
  for (identity::Key& child : children) {
    const std::string id = child.id;
    place(id, entry_of(std::move(child)));
  }
  return {};
}

Result<void> WorldMaker::read_changed() {
  std::vector<identity::Key> changed;
  TRY_VOID(keys_.take_changes([&](const std::string& id, std::optional<identity::Key> key) {
    if (key)
      changed.push_back(std::move(*key));
    else
      place(id, nullptr);
  }));
  // Parents before their children.
  std::ranges::sort(changed, {}, [](const identity::Key& key) { return key.lineage.size(); });
  for (identity::Key& key : changed) {
    const std::string id = key.id;
    place(id, entry_of(std::move(key)));
  }
  return {};
}

void WorldMaker::place(const std::string& id, Entry entry) {
  directory_ = entry ? directory_.with(id, std::move(entry)) : directory_.without(id);
}

WorldMaker::Entry WorldMaker::entry_of(identity::Key key) {
  auto scope = scope_of(key.scope);
  if (!scope) return nullptr;
  key.scope = std::string();  // what it says is known
  ledger::AccountPath path{key.team, key.project, key.id};
  std::vector<ledger::RateLimits> above;
  for (const std::string_view id : identity::Lineage(key.lineage)) {
    const gate::KeyEntry* entry = directory_.find(id);
    if (entry == nullptr) return nullptr;  // it opens nothing, and so does what is below it
    path.above.emplace_back(id);
    above.push_back(rates_of(entry->key));
  }
  ledger::Account account = ledger_.account(path, rates_of(key), above);
  return std::make_shared<const gate::KeyEntry>(
      gate::KeyEntry{std::move(key), gate::SharedScope(std::move(scope)), std::move(account)});
}

std::shared_ptr<const policy::Scope> WorldMaker::scope_of(const std::string& text) {
  if (const auto known = scopes_.find(text); known != scopes_.end()) return known->second;
  auto scope = policy::parse_scope(text);
  if (!scope) return nullptr;
  if (scopes_.size() >= kScopesKept) scopes_.clear();
  return scopes_[text] = std::make_shared<const policy::Scope>(std::move(*scope));
}

Result<void> WorldMaker::add_credentials(gate::World& world) const {
  TRY(auto credentials, vault_.list());
  std::ranges::sort(credentials, {}, [](const vault::Credential& one) {
    return std::tuple(one.setting.priority, one.created, one.id);
  });
  for (const vault::Credential& one : credentials) {
    const provider::Provider* provider = catalog_->find(one.provider);
    const vault::CredentialVersion* current = one.current();
    const auto base = provider::parse_base_url(one.base_url);
    const bool carries_traffic =
        one.state != vault::CredentialState::destroyed && one.kind == vault::CredentialKind::inference;
    if (!carries_traffic || one.damaged || provider == nullptr || current == nullptr || !base) continue;
    const bool usable = one.state == vault::CredentialState::enabled;
    world.credentials.push_back({one.id, current->number, one.environment, one.name, provider, *base, usable,
                                 one.setting.priority, one.setting.weight, one.setting.parameters});
  }
  return {};
}

}  // namespace claviger::app
