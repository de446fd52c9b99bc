// What the gate's tests stand on: every part real, over a store and a journal in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_memory.hpp"
#include "base/limits.hpp"
#include "gate/admit.hpp"
#include "gate/docket.hpp"
#include "journal/reader.hpp"
#include "journal/writer.hpp"
#include "store/sqlite.hpp"
#include "vault/vault.hpp"

namespace claviger::gate {

using Json = nlohmann::json;

class FixedClock final : public Clock {
 public:
  Time now() const override { return at; }
  std::int64_t monotonic_ns() const override { return at.ns; }
  Time at = parse_time("2026-11-20T12:00:00Z").value();
};

// What the rig's credentials hold; nothing but an outgoing head may ever show it.
inline constexpr std::string_view kProviderSecret = "sk-test-0123456789abcdefghijklmnopqrstuv";

// One input token of "plain" costs 1'000 nano-USD, one output token 2'000. "endless" has no bound.
inline constexpr std::string_view kPriceRows = R"(
[[price]]
provider = "openai"
models = ["plain"]
input = "1"
output = "2"
max_output = 1000
[[price]]
provider = "openai"
models = ["endless"]
input = "1"
output = "2"
[[price]]
provider = "anthropic"
models = ["plain"]
input = "1"
cache_read = "1"
cache_write_5m = "1"
output = "2"
max_output = 1000
[[price]]
provider = "gemini"
models = ["plain"]
input = "1"
output = "2"
max_output = 1000
)";
inline constexpr std::int64_t kInputNanousd = 1'000;
inline constexpr std::int64_t kOutputNanousd = 2'000;

// A request with the bytes that its views point into.
struct Asked {
  std::string bytes;
  Request request;
  Result<void> target;  // what read_target said
};

using Fields = std::vector<std::pair<std::string, std::string>>;

// "ok", or the name of the refusal's code.
template <class T>
std::string_view verdict(const Result<T>& result) {
  return result ? "ok" : code_name(result.error().code);
}

class GateTest : public testing::Test {
 protected:
  GateTest() {
    EXPECT_TRUE(store::install(*store, {vault::kSchema, identity::kKeySchema, ledger::kSchema}));
    vault::Recipients recipients;
    recipients.passphrase = passphrase();
    recipients.cost = {1, 8};  // of no use against anybody, and fast
    EXPECT_TRUE(vault::Vault::init(*store, rng, recipients));
    vault::Unlock unlock;
    unlock.passphrase = passphrase();
    vault = vault::Vault::open(*store, rng, clock, unlock, arena).value();
    keys = std::make_unique<identity::Keys>(*store, rng, clock, pepper);
    const auto nothing = [](store::Tx&, std::string_view, Time, Time) -> Result<Nanousd> {
      return Nanousd{};
    };
    ledger = ledger::Ledger::open(*store, 1, nothing).value();
    auto prices = provider::PriceBook::with_operator_rows(provider::kPricesData, kPriceRows,
                                                          provider::OtherTables::refuse);
    catalog =
        std::make_shared<const provider::Catalog>(provider::Catalog::make({}, std::move(prices).value()));
  }

  static Secret passphrase() {
    std::string text = "correct horse battery";
    return Secret::take(text);
  }

  // A key, which the next world() knows.
  struct Wish {
    std::string environment = "dev";
    policy::Scope scope = {};
    identity::Rates rates = {};
    Time expires = kNever;
  };
  struct Known {
    std::string id, token;
  };
  Known make_key(const Wish& wish) {
    identity::KeyDraft draft;
    draft.id = identity::fresh_id(rng);
    draft.name = "app";
    draft.team = "red";
    draft.project = "web";
    draft.environment = wish.environment;
    draft.expires = wish.expires;
    draft.rates = wish.rates;
    const identity::Issued issued = keys->create(draft).value();
    scopes[issued.key.id] = wish.scope;
    know(issued.key);
    return {issued.key.id, issued.token};
  }
  Known make_key() { return make_key(Wish{}); }
  // Takes over what became of a key.
  void know(const identity::Key& key) {
    const ledger::RateLimits limits{key.rates.rpm, key.rates.tpm, key.rates.concurrency};
    const ledger::Account account = ledger->account({key.team, key.project, key.id}, limits);
    entries[key.id] = std::make_shared<const KeyEntry>(KeyEntry{key, scopes[key.id], account});
  }
  void set_state(const Known& key, identity::KeyState state) { know(keys->set_state(key.id, state).value()); }

  // A credential, which the next world() knows. Its id.
  std::string add_credential(const std::string& provider, const std::string& base_url,
                             const std::string& environment = "dev", std::string name = {}) {
    vault::NewCredential asked;
    asked.name = name.empty() ? provider + "-" + environment : name;
    asked.provider = provider;
    asked.environment = environment;
    asked.base_url = base_url;
    std::string secret(kProviderSecret);
    const vault::Credential made = vault->add(asked, Secret::take(secret)).value();
    credentials.push_back({made.id, 1, environment, asked.name, catalog->find(provider),
                           provider::parse_base_url(base_url).value()});
    return made.id;
  }

  void add_budget(std::string node, std::int64_t limit_nanousd,
                  ledger::Action action = ledger::Action::block) {
    ledger::Budget budget;
    budget.id = "b" + std::to_string(++budgets);
    budget.node = std::move(node);
    budget.limit = Nanousd{limit_nanousd};
    budget.action = action;
    const auto put = ledger->put_budget(budget);
    ASSERT_TRUE(put) << put.error().say << put.error().detail;
  }
  // What is held of the budgets at a node; 0 when nothing ever was.
  std::int64_t held(std::string_view node) {
    std::int64_t sum = 0;
    const auto views = ledger->snapshot(clock.at, node).value();
    for (const ledger::BudgetView& view : views) sum += view.held.value;
    return sum;
  }

  std::shared_ptr<World> world() {
    auto made = std::make_shared<World>();
    made->generation = ++generation;
    std::vector<std::pair<std::string_view, std::shared_ptr<const KeyEntry>>> all;
    for (const auto& [id, entry] : entries) all.emplace_back(id, entry);
    made->keys = identity::Directory<KeyEntry>::from(std::move(all));
    made->credentials = credentials;
    made->catalog = catalog;
    made->default_max_output = default_max_output;
    return made;
  }

  // The head and body as a client would send them, read as the gate would.
  static std::unique_ptr<Asked> ask(const World& world, std::string_view method, std::string_view target,
                                    const Fields& fields, std::string_view body = {}) {
    auto made = std::make_unique<Asked>();
    made->bytes.append(method).append(" ").append(target).append(" HTTP/1.1\r\nhost: gate\r\n");
    for (const auto& [name, value] : fields)
      made->bytes.append(name).append(": ").append(value).append("\r\n");
    if (method == "POST")
      made->bytes.append("content-length: ").append(std::to_string(body.size())).append("\r\n");
    made->bytes.append("\r\n").append(body);
    Request& request = made->request;
    const auto size = wire::parse_request_head(made->bytes, request.head);
    EXPECT_TRUE(size && *size > 0) << made->bytes;
    request.ip = policy::IpAddress::parse("127.0.0.1").value();
    request.body = std::string_view(made->bytes).substr(*size);
    request.has_json = method == "POST" && wire::scan(request.body, request.json);
    made->target = read_target(request, world);
    return made;
  }
  static std::unique_ptr<Asked> chat(const World& world, const std::string& token,
                                     std::string_view body = kChat) {
    auto made = ask(world, "POST", "/v1/chat/completions", {{"authorization", "Bearer " + token}}, body);
    EXPECT_EQ(verdict(made->target), "ok");
    return made;
  }
  static constexpr std::string_view kChat = R"({"model":"plain","max_tokens":10,"messages":[]})";

  Result<Caller> authenticated(const World& world, const Asked& asked) {
    return authenticate(asked.request, world, pepper, clock.at);
  }
  Result<Grant> authorized(const World& world, const Asked& asked) {
    const auto caller = authenticated(world, asked);
    if (!caller) return std::unexpected(caller.error());
    return authorize(*caller, asked.request, world, *ledger, clock.at);
  }
  // Authorize's verdict over a chat of this key.
  std::string_view chat_verdict(const Known& key, std::string_view body = kChat) {
    const auto pinned = world();
    return verdict(authorized(*pinned, *chat(*pinned, key.token, body)));
  }
  Result<Admission> admitted(const World& world, const Asked& asked, Docket& docket) {
    return admit(asked.request, world, pepper, *ledger, clock.at, docket);
  }

  // The body as it would go upstream.
  static std::string outgoing(const Asked& asked, const Grant& grant) {
    std::string out;
    for (const std::string_view piece : provider::gather(asked.request.body, grant.edits.splices))
      out += piece;
    return out;
  }

  std::unique_ptr<journal::Writer> open_journal(std::string producer = "gate0") {
    return journal::Writer::open(folder, std::move(producer), 1, {clock.at, "test", "process"}).value();
  }
  // Records of the journal that say what became of requests, in their order.
  std::vector<Json> records() {
    std::vector<Json> out;
    const auto read = journal::export_lines(folder, {}, [&](std::string_view line) {
      Json record = Json::parse(line);
      const std::string kind = record["t"];
      if (kind == "intent" || kind == "receipt" || kind == "refusal") out.push_back(std::move(record));
      return journal::Next::more;
    });
    EXPECT_TRUE(read && read->unreadable == 0);
    return out;
  }

  SeededRng rng{42};
  FixedClock clock;
  SecretArena arena{64 * 1024};
  const crypto::HmacSha256 pepper{as_bytes("pepper")};
  MemoryFolder folder;
  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open({}).value();
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<identity::Keys> keys;
  std::unique_ptr<ledger::Ledger> ledger;
  std::shared_ptr<const provider::Catalog> catalog;
  std::map<std::string, std::shared_ptr<const KeyEntry>> entries;
  std::map<std::string, policy::Scope> scopes;
  std::vector<CredentialEntry> credentials;
  std::optional<std::int64_t> default_max_output;
  std::uint64_t generation = 0;
  int budgets = 0;
};

}  // namespace claviger::gate
