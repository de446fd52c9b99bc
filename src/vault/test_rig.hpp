// A vault for the unit tests: its own store, clock and passkey.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "base/injector_test.hpp"
#include "store/faulty.hpp"
#include "store/sqlite.hpp"
#include "vault/vault.hpp"

namespace claviger::vault {

class StillClock final : public Clock {
 public:
  Time now() const override { return time; }
  std::int64_t monotonic_ns() const override { return time.ns; }
  Time time{1'700'000'000'000'000'000};
};

inline Secret secret_of(std::string text) { return Secret::take(text); }

inline constexpr std::string_view kPassphrase = "correct horse battery staple";
inline constexpr std::string_view kSecret = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP";
inline constexpr std::string_view kOrigin = "https://api.openai.com:443";

inline Recipients by_passphrase(std::string_view text = kPassphrase) {
  Recipients made;
  made.passphrase = secret_of(std::string(text));
  made.cost = {1, 64};  // of no use against anybody, and fast
  return made;
}

inline Unlock with_passphrase(std::string_view text = kPassphrase) {
  Unlock made;
  made.passphrase = secret_of(std::string(text));
  return made;
}

inline NewCredential openai(std::string name = "openai-prod") {
  NewCredential made;
  made.name = std::move(name);
  made.provider = "openai";
  made.environment = "prod";
  made.base_url = "https://api.openai.com/v1";
  return made;
}

class VaultRig : public testing::Test {
 protected:
  VaultRig() {
    std::string name = testing::TempDir() + "claviger_vault_XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~VaultRig() override {
    vault.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }
  void SetUp() override {
    auto opened = store::SqliteStore::open({.path = database()});
    ASSERT_TRUE(opened);
    store = std::move(*opened);
    ASSERT_TRUE(store::install(*store, {kSchema}));
    ASSERT_TRUE(Vault::init(*store, rng, by_passphrase()));
    reopen();
  }

  std::string database() const { return folder + "/claviger.db"; }
  // A new process, as far as the vault can tell: nothing is cached.
  void reopen() {
    vault.reset();
    auto opened = Vault::open(faulty(), rng, clock, with_passphrase(), arena);
    ASSERT_TRUE(opened) << opened.error().detail;
    vault = std::move(*opened);
  }
  store::FaultyStore& faulty() {
    if (!wrapper) wrapper = std::make_unique<store::FaultyStore>(*store);
    return *wrapper;
  }
  void run(std::string_view sql, std::vector<store::Value> params = {}) {
    const auto done = store->write([&](store::Tx& tx) -> Result<void> {
      TRY_VOID(tx.run(sql, params));
      return {};
    });
    ASSERT_TRUE(done) << done.error().detail;
  }
  Credential added(const NewCredential& asked, std::string_view secret = kSecret) {
    auto made = vault->add(asked, secret_of(std::string(secret)));
    EXPECT_TRUE(made) << made.error().say << made.error().detail;
    return made ? *made : Credential{};
  }
  // The secret that goes out, or the name of the refusal.
  std::string sent(std::string_view id, std::string_view origin = kOrigin) {
    std::string out = "Bearer ";
    const auto done = vault->append_secret(id, origin, out, gate::Injector::access());
    if (done) return out.substr(7);
    EXPECT_EQ(out, "Bearer ") << "a refusal leaves the buffer alone";
    return std::string(code_name(done.error().code));
  }
  // Does any 8 bytes of `secret` stand in a file of the store?
  bool at_rest(std::string_view secret) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(file), {});
      for (std::size_t i = 0; i + 8 <= secret.size(); ++i)
        if (bytes.contains(secret.substr(i, 8))) return true;
    }
    return false;
  }

  std::string folder;
  SeededRng rng{42};
  StillClock clock;
  SecretArena arena;
  std::unique_ptr<store::SqliteStore> store;
  std::unique_ptr<store::FaultyStore> wrapper;
  std::unique_ptr<Vault> vault;
};

template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "ok" : code_name(result.error().code);
}

}  // namespace claviger::vault
