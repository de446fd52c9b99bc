// What happens to the simulated vault, and what must hold after it.
#include "vault_world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace claviger::sim {
namespace {

using vault::Credential;
using vault::CredentialState;
using vault::CredentialVersion;
using vault::VersionState;

constexpr std::string_view kOrigin = "https://api.openai.com:443";
constexpr std::string_view kPassphrase = "correct horse battery staple";

Secret secret_of(std::string text) { return Secret::take(text); }

std::string words(const Credential& it) {
  std::string out = fmt::format("{}", name_of(it.state));
  for (const CredentialVersion& version : it.versions)
    out += fmt::format(" {}:{}", version.number, name_of(version.state));
  return out;
}

}  // namespace

VaultWorld::VaultWorld(std::uint64_t seed)
    : Chronicle(seed), sqlite_(store::SqliteStore::open({}).value()), store_(*sqlite_) {
  clock_.set(parse_time("2026-11-24T20:00:00Z").value());
  check(store::install(*sqlite_, {vault::kSchema}).has_value(), "the schema can be installed");
  vault::Recipients recipients;
  recipients.passphrase = secret_of(std::string(kPassphrase));
  recipients.cost = {1, 64};  // of no use against anybody, and fast
  check(vault::Vault::init(*sqlite_, rng_, recipients).has_value(), "the vault can be made");
  restart();
}

std::optional<std::string> VaultWorld::run(std::size_t steps) {
  for (std::size_t step = 0; step < steps && !broken_; ++step) {
    act();
    check_all();
  }
  if (!broken_) restart();
  if (!broken_) check_all();
  return broken_;
}

void VaultWorld::act() {
  clock_.move(pick(3'600) * 1'000'000'000);
  const std::int64_t dice = pick(100);
  if (kept_.empty() || dice < 12) return add();
  if (dice < 78) return change();
  if (dice < 83) return rekey();
  if (dice < 85) return damage();
  if (dice < 95) return break_store();
  restart();
}

const std::string& VaultWorld::any() { return std::next(kept_.begin(), pick(std::ssize(kept_)))->first; }

std::string VaultWorld::fresh_secret() {
  asked_ = fmt::format("sk-secret-{:08}", ++secrets_);
  return asked_;
}

// An addition that failed may have happened: the name tells.
void VaultWorld::add() {
  vault::NewCredential asked;
  asked.name = fmt::format("c{}", secrets_);
  asked.provider = "openai";
  asked.environment = "prod";
  asked.base_url = "https://api.openai.com/v1";
  const auto made = vault_->add(asked, secret_of(fresh_secret()));
  note(fmt::format("add {} -> {}", asked.name, made ? "done" : code_name(made.error().code)));
  if (!made && made.error().code != Code::store_unavailable) return broken("an addition was refused");
  store_.set_up();
  const auto found = vault_->get(asked.name);
  if (made && !found) return broken("what was added is not there");
  if (!found) return;
  Kept kept;
  kept.secrets[1] = asked_;
  kept.seen = *found;
  kept_.emplace(found->id, std::move(kept));
}

void VaultWorld::change() {
  const std::string id = any();
  const std::int64_t dice = pick(10);
  asked_.clear();
  const Answer answer = dice < 6 ? change(id, dice) : change_version(id, dice);
  note(fmt::format("{} change {} -> {}", id, dice, answer ? words(*answer) : code_name(answer.error().code)));
  take_over(id, answer);
}

VaultWorld::Answer VaultWorld::change(const std::string& id, std::int64_t dice) {
  switch (dice) {
    case 0:
      return vault_->disable(id);
    case 1:
    case 2:
      return vault_->enable(id);
    case 3:
      return vault_->rollback(id);
    case 4:
      return pick(4) == 0 ? vault_->destroy(id) : vault_->enable(id);
    default:
      return vault_->add_version(id, secret_of(fresh_secret()),
                                 pick(2) == 0 ? vault::Publish::now : vault::Publish::later);
  }
}

VaultWorld::Answer VaultWorld::change_version(const std::string& id, std::int64_t dice) {
  const std::int64_t version = 1 + pick(std::ssize(kept_.at(id).seen.versions) + 1);
  if (dice < 8) return vault_->publish(id, version);
  return dice == 8 ? vault_->revoke_version(id, version) : vault_->destroy_version(id, version);
}

// Reads back what a change has made of its credential, also one whose outcome was not told.
void VaultWorld::take_over(const std::string& id, const Answer& answer) {
  store_.set_up();
  Kept& kept = kept_.at(id);
  const auto found = vault_->get(id);
  if (!found) return broken(fmt::format("{} is gone: {}", id, found.error().detail));
  if (answer && words(*answer) != words(*found)) broken(fmt::format("{}: told and stored differ", id));
  const bool unknown = !answer && answer.error().code == Code::store_unavailable;
  if (!answer && !unknown && words(kept.seen) != words(*found))
    broken(fmt::format("{}: a refused change changed it", id));
  for (const CredentialVersion& version : found->versions) {
    if (kept.secrets.contains(version.number)) continue;
    if (asked_.empty()) broken(fmt::format("{}: version {} came from nowhere", id, version.number));
    kept.secrets[version.number] = asked_;
  }
  const auto is_current = [](const CredentialVersion& one) { return one.state == VersionState::current; };
  if (std::ranges::count_if(found->versions, is_current) > 1) broken(fmt::format("{} has two currents", id));
  for (const CredentialVersion& before : kept.seen.versions) {
    const auto now = std::ranges::find(found->versions, before.number, &CredentialVersion::number);
    if (now == found->versions.end())
      broken(fmt::format("{}: version {} is lost", id, before.number));
    else if (before.state == VersionState::destroyed && now->state != VersionState::destroyed)
      broken(fmt::format("{}: version {} came back", id, before.number));
  }
  kept.seen = *found;
}

void VaultWorld::rekey() {
  const auto done = vault_->rekey();
  note(fmt::format("rekey -> {}", done ? "done" : code_name(done.error().code)));
  if (!done && done.error().code != Code::store_unavailable) broken("a rekey failed: " + done.error().detail);
}

void VaultWorld::damage() {
  const std::string& id = any();
  const CredentialVersion* current = kept_.at(id).seen.current();
  if (current == nullptr) return;
  const auto done = sqlite_->write([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT sealed FROM credential_version WHERE credential = ?1 AND number = ?2",
                 {id, current->number}));
    Bytes sealed = rows.at(0).blob(0);
    if (sealed.empty()) return {};
    sealed[static_cast<std::size_t>(pick(std::ssize(sealed)))] ^= 1;
    TRY_VOID(tx.run("UPDATE credential_version SET sealed = ?3 WHERE credential = ?1 AND number = ?2",
                    {id, current->number, sealed}));
    return {};
  });
  check(done.has_value(), "a row can be damaged");
  kept_.at(id).damaged.insert(current->number);
  note(id + " damaged");
}

void VaultWorld::break_store() {
  const auto fault = static_cast<store::Fault>(pick(3));
  store_.fail_write(static_cast<std::uint64_t>(1 + pick(2)), fault);
  note(fmt::format("one of the next writes meets fault {}", static_cast<int>(fault)));
}

// A new process: nothing is cached, and what was committed is all there is.
void VaultWorld::restart() {
  vault_.reset();
  store_.set_up();
  vault::Unlock unlock;
  unlock.passphrase = secret_of(std::string(kPassphrase));
  for (int tries = 0; tries < 4 && !vault_; ++tries) {
    auto opened = vault::Vault::open(store_, rng_, clock_, unlock, arena_);
    if (opened)
      vault_ = *std::move(opened);
    else
      note("no start: " + opened.error().detail);
  }
  note("start");
  check(vault_ != nullptr, "the vault opens");
}

void VaultWorld::check_all() {
  for (const auto& [id, kept] : kept_) check_one(id, kept);
}

void VaultWorld::check_one(const std::string& id, const Kept& kept) {
  std::string out;
  const auto sent = vault_->append_secret(id, kOrigin, out, gate::Injector::access());
  const CredentialVersion* current = kept.seen.current();
  const bool open = kept.seen.state == CredentialState::enabled && current != nullptr;
  if (sent) {
    if (!open) return broken(fmt::format("{} opens while it is {}", id, words(kept.seen)));
    if (*sent != current->number || out != kept.secrets.at(*sent))
      broken(fmt::format("{} gives version {}, which is not its own secret", id, *sent));
    return;
  }
  if (!out.empty()) broken(id + ": a refusal leaves bytes behind");
  const Code expected = open ? Code::corrupt : Code::credential_unavailable;
  if (sent.error().code != expected || (open && !kept.damaged.contains(current->number)))
    broken(fmt::format("{} of {} does not open: {}", id, words(kept.seen), sent.error().detail));
}

}  // namespace claviger::sim
