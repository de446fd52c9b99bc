// Torn writes: whatever is cut off or flipped in the last transaction of the store's log, what was committed
// before it opens, and what was not whole is not there.
#include <cstdlib>
#include <vector>

#include "vault/test_rig.hpp"

namespace claviger::vault {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), std::ssize(bytes));
}

// All rows of all tables, as one text.
std::string rows_of(store::Store& store) {
  std::string all;
  const auto done = store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto tables, tx.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"));
    for (const store::Row& table : tables) {
      TRY(const auto columns, tx.query("SELECT group_concat('quote(' || name || ')', ' || '','' || ') FROM "
                                       "pragma_table_info(?1)",
                                       {table.text(0)}));
      TRY(const auto rows, tx.query("SELECT " + columns.at(0).text(0) + " FROM " + table.text(0)));
      all += table.text(0) + "\n";
      for (const store::Row& row : rows) all += row.text(0) + "\n";
    }
    return {};
  });
  EXPECT_TRUE(done) << done.error().detail;
  return all;
}

class TornWriteTest : public VaultRig {
 protected:
  // Lays the last transaction down: two credentials were there before it, another is what it adds.
  void SetUp() override {
    VaultRig::SetUp();
    one = added(openai("one"), "secret-of-one").id;
    ASSERT_TRUE(store->scrub());  // what follows is in the log
    two = added(openai("two"), "secret-of-two").id;
    begin = std::filesystem::file_size(database() + "-wal");
    rows_before = rows_of(*store);
    three = added(openai("three"), "secret-of-three").id;
    rows_after = rows_of(*store);
    data = read_file(database());
    log = read_file(database() + "-wal");
    ASSERT_GT(log.size(), begin);
    ASSERT_NE(rows_before, rows_after);
    std::string name =
        std::filesystem::exists("/dev/shm") ? "/dev/shm/claviger_torn_XXXXXX" : folder + "/XXXXXX";
    copy_folder = ::mkdtemp(name.data());
    copy = copy_folder + "/claviger.db";
  }
  void TearDown() override { std::filesystem::remove_all(copy_folder); }

  // Every offset of the transaction when CLAVIGER_EVERY_OFFSET is set. Otherwise each of the frames' headers
  // (a frame is 24 bytes and a page), and some of the pages between.
  std::vector<std::size_t> offsets() const {
    constexpr std::size_t kLogHeader = 32, kFrameHeader = 24, kPage = 4096, kStride = 61;
    std::vector<std::size_t> out;
    const bool every = std::getenv("CLAVIGER_EVERY_OFFSET") != nullptr;
    for (std::size_t at = begin; at < log.size(); ++at) {
      const std::size_t in_frame = (at - kLogHeader) % (kFrameHeader + kPage);
      if (every || in_frame < kFrameHeader || in_frame % kStride == 0 || in_frame + 1 == kFrameHeader + kPage)
        out.push_back(at);
    }
    return out;
  }

  // The store with this log, as a new process finds it after the machine came back: all that it held before
  // the transaction, or all that it held after it. Of the first, the last and some between, the vault itself
  // is asked.
  void check_with(std::string_view bytes, std::size_t at) {
    for (const char* tail : {"-wal", "-shm"}) std::filesystem::remove(copy + tail);
    write_file(copy, data);
    write_file(copy + "-wal", bytes);
    auto opened = store::SqliteStore::open({.path = copy});
    ASSERT_TRUE(opened) << at << ": " << opened.error().detail;
    const std::string rows = rows_of(**opened);
    ASSERT_TRUE(rows == rows_before || rows == rows_after) << at << "\n" << rows;
    whole += rows == rows_after ? 1 : 0;
    if (at % 97 == 0 || at == begin || at + 1 >= log.size()) check_vault(**opened, at, rows == rows_after);
  }
  void check_vault(store::SqliteStore& opened, std::size_t at, bool has_last) {
    auto found = Vault::open(opened, rng, clock, with_passphrase(), arena);
    ASSERT_TRUE(found) << at << ": " << found.error().detail;
    EXPECT_EQ(opens(**found, one), "secret-of-one") << at;
    EXPECT_EQ(opens(**found, two), "secret-of-two") << at;
    EXPECT_EQ(opens(**found, three), has_last ? "secret-of-three" : "credential_unavailable") << at;
    EXPECT_EQ((*found)->list()->size(), has_last ? 3U : 2U) << at;
    EXPECT_TRUE((*found)->damaged_rows()->empty()) << at;
    EXPECT_TRUE(opened.check_integrity()) << at;
    EXPECT_TRUE((*found)->add(openai("four"), secret_of("secret-of-four"))) << at << ": and it goes on";
  }
  static std::string opens(Vault& vault, std::string_view id) {
    std::string out;
    const auto done = vault.append_secret(id, kOrigin, out, gate::Injector::access());
    return done ? out : std::string(code_name(done.error().code));
  }

  std::string one, two, three, rows_before, rows_after, data, log, copy_folder, copy;
  std::size_t begin = 0;
  std::size_t whole = 0;  // checks that found the last transaction
};

TEST_F(TornWriteTest, ALogCutOffAnywhereInItsLastTransactionLosesNothingThatWasCommittedBefore) {
  for (const std::size_t at : offsets()) {
    check_with(std::string_view(log).substr(0, at), at);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(whole, 0U) << "half of a transaction is none";
}

TEST_F(TornWriteTest, AByteFlippedAnywhereInItsLastTransactionLosesNothingThatWasCommittedBefore) {
  for (const std::size_t at : offsets()) {
    std::string bent = log;
    bent[at] = static_cast<char>(bent[at] ^ 0x20);
    check_with(bent, at);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(whole, 0U) << "a transaction that is not what was written is none";
}

TEST_F(TornWriteTest, AWholeLogHasItAll) {
  check_with(log, log.size());
  EXPECT_EQ(whole, 1U);
}

// Of one row's sealed secret and wrapped key, any byte: that credential is corrupt, the others open.
TEST_F(TornWriteTest, AFlippedByteOfARowHarmsThatRowAlone) {
  const auto flip = [&](std::string_view table, std::string_view column, std::size_t at) {
    const auto done = store->write([&](store::Tx& tx) -> Result<void> {
      TRY(const auto rows,
          tx.query("SELECT " + std::string(column) + " FROM " + std::string(table) + " WHERE credential = ?1",
                   {two}));
      Bytes bytes = rows.at(0).blob(0);
      bytes.at(at) ^= 1;
      TRY_VOID(tx.run(
          "UPDATE " + std::string(table) + " SET " + std::string(column) + " = ?2 WHERE credential = ?1",
          {two, bytes}));
      return {};
    });
    return done.has_value();
  };
  for (const auto& [table, column] :
       {std::pair{"credential_version", "sealed"}, std::pair{"vault_dek", "wrapped"}}) {
    std::size_t at = 0;
    for (; flip(table, column, at); ++at) {
      reopen();
      EXPECT_EQ(sent(two), "corrupt") << table << " byte " << at;
      EXPECT_EQ(sent(one), "secret-of-one");
      EXPECT_EQ(sent(three), "secret-of-three");
      ASSERT_TRUE(flip(table, column, at));
    }
    EXPECT_GT(at, 28U) << "nonce, text and tag were all walked";
  }
}

}  // namespace
}  // namespace claviger::vault
