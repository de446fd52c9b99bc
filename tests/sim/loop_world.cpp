// What happens in the simulated loop.
#include "loop_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "identity/token.hpp"

namespace claviger::sim {
namespace {

using steward::RotationMode;
using steward::RotationState;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::string_view kPassphrase = "correct horse battery staple";
constexpr std::array<std::uint8_t, 32> kPepper{7};
const steward::Doer kSomebody{"somebody", "owner", {}};

Secret sealed(std::string text) { return Secret::take(text); }

vault::NewCredential draft(std::string name, std::string_view provider, std::string base) {
  vault::NewCredential made;
  made.name = std::move(name);
  made.provider = provider;
  made.environment = "prod";
  made.base_url = std::move(base);
  return made;
}

}  // namespace

LoopWorld::LoopWorld(std::uint64_t seed)
    : Chronicle(seed), files_(machine_.clock, rng_), provider_(machine_.clock, rng_, files_) {
  machine_.clock.set(parse_time("2026-11-24T20:00:00Z").value());
  check(store::install(*machine_.sqlite, {vault::kSchema, identity::kKeySchema, steward::kRotationSchema,
                                          steward::kIncidentSchema})
            .has_value(),
        "the schema can be installed");
  vault::Recipients recipients;
  recipients.passphrase = sealed(std::string(kPassphrase));
  recipients.cost = {1, 64};  // of no use against anybody, and fast
  check(vault::Vault::init(*machine_.sqlite, rng_, recipients).has_value(), "the vault can be made");
  check(start(), "the program starts");
  found();
}

void LoopWorld::found() {
  struct Wanted {
    std::string_view name, provider, base, admin_base;
    steward::Parameters link;
  };
  const Wanted wanted[] = {
      {"openai",
       "openai",
       "https://api.openai.com/v1",
       "https://api.openai.com/v1",
       {{"project_id", "proj_1"}, {"service_account_id", "svc_1"}}},
      {"azure",
       "azure_openai",
       "https://a.openai.azure.com",
       "https://management.azure.com",
       {{"subscription_id", "s"}, {"resource_group", "g"}, {"account", "a"}}},
      {"xai", "x-ai", "https://api.x.ai/v1", "https://management-api.x.ai", {{"team_id", "t"}}},
      {"anthropic", "anthropic", "https://api.anthropic.com", "https://api.anthropic.com", {}},
      {"groq", "groq", "https://api.groq.com/openai/v1", "", {}},
      {"local", "vllm", "https://llm.internal/v1", "", {}}};
  for (const Wanted& one : wanted) {
    const std::string base(one.base), origin = base.substr(0, base.find('/', 8)) + ":443";
    const auto made = vault_->add(draft(std::string(one.name), one.provider, base),
                                  sealed(provider_.make_by_hand(one.provider, KnownFrom::now)));
    check(made.has_value(), "a credential is made");
    credentials_.push_back({std::string(one.name), std::string(one.provider), origin, made->id});
    if (one.admin_base.empty()) continue;
    auto admin = draft(fmt::format("{}-admin", one.name), one.provider, std::string(one.admin_base));
    admin.kind = vault::CredentialKind::admin;
    const bool added = vault_->add(admin, sealed("sk-admin-0000000000000000000000000")).has_value();
    check(added && rotations_->link(one.name, admin.name, one.link).has_value(), "a credential is linked");
  }
  for (int i = 0; i < 3; ++i) {
    identity::KeyDraft wish;
    wish.id = identity::fresh_id(rng_);
    wish.name = fmt::format("k{}", i);
    wish.project = "p", wish.environment = "prod", wish.created_by = "sim";
    const auto made = keys_->create(wish);
    check(made.has_value(), "a key is made");
    tokens_[made->key.id].push_back(made->token);
  }
}

bool LoopWorld::start() {
  auto program = Program::start(machine_, 50);
  if (!program) return false;
  program_ = std::move(*program);
  vault::Unlock unlock;
  unlock.passphrase = sealed(std::string(kPassphrase));
  auto opened = vault::Vault::open(machine_.store, rng_, machine_.clock, unlock, arena_);
  if (!opened) return crash(), false;
  vault_ = std::move(*opened);
  keys_ = std::make_unique<identity::Keys>(machine_.store, rng_, machine_.clock, crypto::HmacSha256(kPepper));
  const auto published = [] { return Result<void>{}; };
  steward::RotationSettings settings;
  settings.probe_ms = 1'000, settings.list_ms = 3'000, settings.soak_ms = 10'000, settings.retain_ms = 20'000;
  settings.key_files["local"] = {"/etc/llm/keys", {"/bin/reload"}};
  rotations_ = std::make_unique<steward::Rotations>(
      steward::RotationParts{machine_.store, *vault_, *program_->deriver, *program_->steward, machine_.clock,
                             rng_, published, nullptr, nullptr, program_->epoch},
      settings);
  rotations_->serve(provider_, files_);
  incidents_ = std::make_unique<steward::Incidents>(
      steward::IncidentParts{machine_.store, *vault_, *keys_, *program_->steward, machine_.journal,
                             machine_.clock, rng_, published});
  incidents_->adopt(pick(2) == 0 ? steward::Contain::revoke_first : steward::Contain::rotate_first);
  incidents_->connect(steward::rotating_of(*rotations_, *vault_));
  note("start");
  return true;
}

void LoopWorld::crash() {
  provider_.caller_dies();
  files_.caller_dies();
  incidents_.reset();
  rotations_.reset();
  keys_.reset();
  vault_.reset();
  program_.reset();
  calls_.clear();
  note("crash");
}

std::optional<std::string> LoopWorld::run(std::size_t steps) {
  for (std::size_t step = 0; step < steps && !broken_; ++step) {
    if (!program_ && !start()) continue;
    act();
    if (program_) check_all();
  }
  if (!broken_) settle();
  if (!broken_) check_end();
  return broken_;
}

void LoopWorld::act() {
  const std::int64_t dice = pick(100);
  if (dice < 34) return pass(100 + pick(1'500));
  if (dice < 57) return provider_.let_through(Weather::foul);
  if (dice < 61) return files_.let_through(Weather::foul);
  if (dice < 66) return help(Care::little);
  if (dice < 72) return begin_call();
  if (dice < 79) return end_call();
  if (dice < 82) return rotate();
  if (dice < 84) return change_rotation();
  if (dice < 87) return change_key();
  if (dice < 91) return report();
  if (dice < 93) return change_incident();
  if (dice < 98) return break_store();
  crash();
}

void LoopWorld::pass(std::int64_t ms) {
  machine_.clock.move(ms * kMs);
  (void)program_->deriver->catch_up();
  rotations_->tick();
  (void)incidents_->tick();
}

void LoopWorld::rotate() {
  const Credential& one = credentials_[static_cast<std::size_t>(pick(std::ssize(credentials_)))];
  const auto mode = static_cast<RotationMode>(pick(3));
  const auto begun = rotations_->start(one.name, {mode, "a wish", "somebody"});
  note(fmt::format("rotate {} {} -> {}", one.name, name_of(mode),
                   begun ? begun->id : std::string(told(begun.error()))));
}

// As the console does it: what has leaked is not made current again.
void LoopWorld::change_rotation() {
  auto all = rotations_->list();
  // Mostly one of those that go on.
  if (all && pick(4) != 0) std::erase_if(*all, [](const auto& it) { return steward::over(it.state); });
  if (!all || all->empty()) return;
  const steward::Rotation& it = (*all)[static_cast<std::size_t>(pick(std::ssize(*all)))];
  const bool back = pick(2) == 0;
  if (back && it.promoted && !incidents_->check_free(steward::Owned::credential, it.credential)) return;
  const auto done = back ? rotations_->roll_back(it.id, "somebody") : rotations_->resume(it.id, "somebody");
  note(fmt::format("{} {} -> {}", back ? "roll back" : "resume", it.id, done ? "done" : "refused"));
}

void LoopWorld::change_key() {
  const auto& [id, tokens] = *std::next(tokens_.begin(), pick(std::ssize(tokens_)));
  if (pick(2) == 0) {
    const auto made = keys_->rotate(id, std::chrono::seconds(pick(2) * 10));
    if (made) tokens_[id].push_back(made->token);
    note(fmt::format("rotate key {}", id));
  } else if (incidents_->check_free(steward::Owned::key, id)) {
    (void)keys_->set_state(id, pick(3) == 0 ? identity::KeyState::frozen : identity::KeyState::active);
    note(fmt::format("freeze or thaw key {}", id));
  }
}

void LoopWorld::report() {
  if (pick(2) == 0) {
    const auto& [id, tokens] = *std::next(tokens_.begin(), pick(std::ssize(tokens_)));
    return report_hash(tokens[static_cast<std::size_t>(pick(std::ssize(tokens)))]);
  }
  const Credential& one = credentials_[static_cast<std::size_t>(pick(std::ssize(credentials_)))];
  const auto it = vault_->get(one.id);
  if (!it) return;
  const std::int64_t version = 1 + pick(std::ssize(it->versions));
  const std::string secret = secret_of(one, version);
  leaked_.push_back({one.id, version, secret});
  report_hash(secret);
}

void LoopWorld::report_hash(const std::string& secret) {
  if (secret.empty()) return;
  steward::LeakReport report;
  report.leaks.push_back({crypto::sha256(secret), {"a place"}});
  report.source = "sim";
  if (pick(2) == 0) report.first_exposed = Time{machine_.clock.now().ns - pick(100'000) * kMs};
  const auto answer = incidents_->report(report, kSomebody);
  note(fmt::format(
      "report -> {}",
      answer && !answer->incidents.empty()
          ? fmt::format("{} of {} version {} is {}", answer->incidents[0].id, answer->incidents[0].subject(),
                        answer->incidents[0].version, name_of(answer->incidents[0].state))
          : "nothing"));
  if (!answer) return;
  for (const steward::Incident& it : answer->incidents) {
    const auto opens = incidents_->opens(it);
    if (it.owned == steward::Owned::key && opens && *opens) broken("a reported key still opens: " + it.id);
  }
}

void LoopWorld::change_incident() {
  const auto all = incidents_->list({});
  if (!all || all->empty()) return;
  const steward::Incident& it = (*all)[static_cast<std::size_t>(pick(std::ssize(*all)))];
  const auto done = pick(2) == 0 ? incidents_->contain(it.id, kSomebody)
                                 : incidents_->close(it.id, "enough", false, kSomebody);
  note(fmt::format("contain or close {} -> {}", it.id, done ? name_of(done->state) : "refused"));
}

void LoopWorld::begin_call() {
  const Credential& one = credentials_[static_cast<std::size_t>(pick(std::ssize(credentials_)))];
  const auto it = vault_->get(one.id);
  if (!it || it->state != vault::CredentialState::enabled || it->current() == nullptr) return;
  Call call;
  call.credential = one.id, call.provider = one.provider;
  call.secret = secret_of(one, it->current()->number);
  if (call.secret.empty() || !program_->gate->healthy()) return;
  call.req = fmt::format("req_{}", ++requests_);
  call.intent.at = machine_.clock.now();
  call.intent.credential_version = it->current()->number;
  call.intent.hold_nanousd = {1'000};
  calls_.push_back(std::move(call));
  Call& kept = calls_.back();
  journal::Intent line = kept.intent;
  line.req = kept.req, line.credential = kept.credential, line.key = "k1", line.provider = "openai",
  line.route = "chat", line.model = "gpt-5", line.project = "p", line.environment = "prod";
  program_->gate->append(line);
  (void)program_->gate->flush();
}

void LoopWorld::end_call() {
  if (calls_.empty()) return;
  const auto at = calls_.begin() + pick(std::ssize(calls_));
  journal::Receipt line;
  line.at = machine_.clock.now();
  line.req = at->req, line.intent_at = at->intent.at, line.credential = at->credential, line.key = "k1";
  line.credential_version = at->intent.credential_version;
  line.provider = "openai", line.route = "chat", line.endpoint = "chat", line.model = "gpt-5",
  line.project = "p";
  line.environment = "prod", line.status = 200;
  program_->gate->append(line);
  (void)program_->gate->flush();
  calls_.erase(at);
}

void LoopWorld::break_store() {
  const auto fault = static_cast<store::Fault>(pick(3));
  machine_.store.fail_write(static_cast<std::uint64_t>(1 + pick(4)), fault);
  note(fmt::format("a write is to meet fault {}", static_cast<int>(fault)));
}

// The weather clears, and everything that has begun comes to its end.
void LoopWorld::settle() {
  note("settle");
  for (int tries = 0; tries < 20 && !program_; ++tries) start();
  for (int round = 0; round < 3'000 && program_ && !broken_; ++round) {
    while (!calls_.empty()) end_call();
    pass(round % 50 == 49 ? 600'000 : 500);
    while (provider_.waits() || files_.waits()) {
      provider_.let_through(Weather::fair);
      files_.let_through(Weather::fair);
    }
    help(Care::great);
    check_all();
    const auto all = rotations_->list();
    const auto open = incidents_->list({.state = {}, .open = true});
    const bool over =
        all && open &&
        std::ranges::all_of(*all, [&](const auto& it) { return steward::over(it.state) && !leaves(it); }) &&
        std::ranges::all_of(*open, [](const steward::Incident& it) {
          return it.state == steward::IncidentState::replaced || !it.rotation_problem.empty() ||
                 (it.owned == steward::Owned::key && !it.accounting.empty());
        });
    if (over && round > 20) break;
  }
  // The last word of a rotation may be for the person.
  if (!program_) return;
  help(Care::great);
  pass(5'000);
}

}  // namespace claviger::sim
