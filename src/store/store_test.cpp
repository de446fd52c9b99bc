// The embedded store: all or nothing, from several threads, and honest about damage and versions.
#include "store/store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "store/faulty.hpp"
#include "store/sqlite.hpp"

namespace claviger::store {
namespace {

constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB) STRICT;"
    "CREATE TABLE IF NOT EXISTS part (thing INTEGER NOT NULL REFERENCES thing (id)) STRICT;"
    "CREATE TRIGGER IF NOT EXISTS no_nine BEFORE INSERT ON thing WHEN NEW.id = 9 "
    "BEGIN SELECT RAISE(ABORT, 'nine is refused'); END;";

std::string temporary_folder() {
  std::string name = testing::TempDir() + "claviger_store_XXXXXX";
  return ::mkdtemp(name.data());
}

std::int64_t count(Store& store) {
  std::int64_t found = -1;
  EXPECT_TRUE(store.read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT count(*) FROM thing"));
    found = rows.front().integer(0);
    return {};
  }));
  return found;
}

Result<void> insert(Tx& tx, std::int64_t id) {
  TRY_VOID(tx.run("INSERT INTO thing (id, name) VALUES (?1, ?2)", {id, std::to_string(id)}));
  return {};
}

// Both kinds: in memory with one connection, in a file with two.
class AnyStore : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    folder = temporary_folder();
    auto opened = SqliteStore::open({.path = GetParam() ? folder + "/claviger.db" : ":memory:"});
    ASSERT_TRUE(opened) << opened.error().detail;
    store = std::move(*opened);
    ASSERT_TRUE(install(*store, {kTable, kTable}));
  }
  void TearDown() override {
    store.reset();
    std::filesystem::remove_all(folder);
  }
  Code code_of(const Work& work) {
    const auto done = store->write(work);
    return done ? Code::not_found : done.error().code;  // not_found: no store gives it by itself
  }

  std::string folder;
  std::unique_ptr<SqliteStore> store;
};

TEST_P(AnyStore, KeepsNothingOfWorkThatRefuses) {
  EXPECT_EQ(code_of([](Tx& tx) -> Result<void> {
              TRY_VOID(insert(tx, 1));
              return refuse(Code::invalid_input);
            }),
            Code::invalid_input);
  EXPECT_EQ(count(*store), 0);
}

TEST_P(AnyStore, KeepsNothingOfWorkThatThrows) {
  const auto throwing = [](Tx& tx) -> Result<void> {
    TRY_VOID(insert(tx, 1));
    throw std::runtime_error("bug");
  };
  EXPECT_THROW(static_cast<void>(store->write(throwing)), std::runtime_error);
  EXPECT_EQ(count(*store), 0);
  EXPECT_TRUE(store->write([](Tx& tx) { return insert(tx, 2); }));
}

TEST_P(AnyStore, ReportsConstraintsAndTriggersAsConflict) {
  EXPECT_EQ(code_of([](Tx& tx) -> Result<void> {
              TRY_VOID(insert(tx, 1));
              return insert(tx, 1);
            }),
            Code::conflict);
  const auto refused = store->write([](Tx& tx) { return insert(tx, 9); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_TRUE(refused.error().detail.contains("nine is refused"));
  EXPECT_EQ(code_of([](Tx& tx) -> Result<void> {
              TRY_VOID(tx.run("INSERT INTO part (thing) VALUES (?1)", {77}));
              return {};
            }),
            Code::conflict)
      << "foreign keys are on";
}

TEST_P(AnyStore, GoesOnInTheTransactionAfterAConstraintRefused) {
  EXPECT_TRUE(store->write([](Tx& tx) -> Result<void> {
    TRY_VOID(insert(tx, 1));
    EXPECT_FALSE(insert(tx, 1));
    return insert(tx, 2);
  }));
  EXPECT_EQ(count(*store), 2);
}

TEST_P(AnyStore, RefusesToChangeAnythingInARead) {
  for (const std::string_view sql : {"DELETE FROM thing", "INSERT INTO thing (id) VALUES (1)"}) {
    const auto done = store->read([&](Tx& tx) -> Result<void> {
      TRY_VOID(tx.run(sql));
      return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::internal);
    EXPECT_FALSE(store->read([&](Tx& tx) -> Result<void> {
      TRY_VOID(tx.query(sql));
      return {};
    }));
  }
  EXPECT_FALSE(store->read([&](Tx& tx) { return tx.script("DELETE FROM thing"); }));
}

TEST_P(AnyStore, ReportsWrongStatementsAsInternal) {
  for (const std::string_view sql : {"SELEC 1", "", "SELECT 1; SELECT 2", "SELECT ?1", "SELECT 1.5"})
    EXPECT_EQ(code_of([&](Tx& tx) -> Result<void> {
                TRY_VOID(tx.query(sql));
                return {};
              }),
              Code::internal)
        << sql;
}

TEST_P(AnyStore, ReportsAColumnOfAnotherTypeAsCorrupt) {
  for (const std::string_view sql : {"SELECT 'text'", "SELECT NULL", "SELECT 1 WHERE 1"})
    EXPECT_EQ(code_of([&](Tx& tx) -> Result<void> {
                TRY(const auto rows, tx.query(sql));
                static_cast<void>(rows.front().blob(0));
                return {};
              }),
              Code::corrupt);
}

TEST_P(AnyStore, GivesBackEveryTypeAsItWas) {
  const std::string text("zero\0inside", 11);
  const Bytes blob{0, 1, 255};
  EXPECT_TRUE(store->write([&](Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT ?1, ?2, ?3, ?4, ?5, ?6", {INT64_MIN, text, blob, Value(), std::string(), Bytes()}));
    const Row& row = rows.at(0);
    EXPECT_EQ(row.integer(0), INT64_MIN);
    EXPECT_EQ(row.text(1), text);
    EXPECT_EQ(row.blob(2), blob);
    EXPECT_TRUE(row.null(3));
    EXPECT_EQ(row.text(4), "");
    EXPECT_TRUE(row.blob(5).empty());
    EXPECT_FALSE(row.null(5));
    return {};
  }));
}

TEST_P(AnyStore, CountsTheRowsAStatementChanged) {
  EXPECT_TRUE(store->write([](Tx& tx) -> Result<void> {
    for (int i = 1; i <= 3; ++i) TRY_VOID(insert(tx, i));
    TRY(const auto some, tx.run("UPDATE thing SET data = x'00' WHERE id > ?1", {1}));
    TRY(const auto none, tx.run("UPDATE thing SET data = x'00' WHERE id > ?1", {7}));
    EXPECT_EQ(some, 2);
    EXPECT_EQ(none, 0);
    return {};
  }));
}

TEST_P(AnyStore, ServesManyThreadsWithoutLosingAWrite) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([this, t] {
      for (int i = 0; i < 25; ++i) {
        EXPECT_TRUE(store->write([&](Tx& tx) { return insert(tx, 100 + t * 25 + i); }));
        EXPECT_GT(count(*store), 0);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count(*store), 100);
}

TEST_P(AnyStore, SurvivesMoreStatementsThanItKeeps) {
  for (int i = 0; i < 600; ++i) {
    const std::string sql = "SELECT " + std::to_string(i);
    EXPECT_TRUE(store->read([&](Tx& tx) -> Result<void> {
      TRY(const auto rows, tx.query(sql));
      EXPECT_EQ(rows.front().integer(0), i);
      return {};
    }));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, AnyStore, testing::Bool());

class StoreFile : public testing::Test {
 protected:
  ~StoreFile() override { std::filesystem::remove_all(folder); }
  std::string folder = temporary_folder();
  std::string path = folder + "/claviger.db";
};

TEST_F(StoreFile, OfAnotherVersionIsNotOpened) {
  ASSERT_TRUE(SqliteStore::open({.path = path}));
  const auto other = SqliteStore::open({.path = path, .data_version = kDataVersion + 1});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::data_version);
  EXPECT_TRUE(other.error().say.contains("restore a backup"));
  EXPECT_TRUE(SqliteStore::open({.path = path})) << "and was not changed by the attempt";
}

TEST_F(StoreFile, ThatIsNoDatabaseIsCorrupt) {
  std::ofstream(path) << std::string(8192, 'x');
  const auto opened = SqliteStore::open({.path = path});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
}

TEST_F(StoreFile, ThatCannotBeMadeIsUnavailable) {
  const auto opened = SqliteStore::open({.path = folder + "/missing/claviger.db"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::store_unavailable);
}

TEST_F(StoreFile, LockedByAnotherWriterIsUnavailableAndThenRecovers) {
  auto one = SqliteStore::open({.path = path});
  auto other = SqliteStore::open({.path = path});
  ASSERT_TRUE(one && other);
  EXPECT_TRUE((*one)->write([&](Tx&) -> Result<void> {
    const auto blocked = (*other)->write([](Tx&) -> Result<void> { return {}; });
    EXPECT_EQ(blocked ? Code::internal : blocked.error().code, Code::store_unavailable);
    return {};
  }));
  EXPECT_TRUE((*other)->write([](Tx&) -> Result<void> { return {}; }));
}

TEST_F(StoreFile, AndItsLogAreForTheOwnerAlone) {
  auto store = SqliteStore::open({.path = path});
  ASSERT_TRUE(store);
  ASSERT_TRUE(install(**store, {kTable}));
  for (const std::string& name : {path, path + "-wal", path + "-shm"}) {
    struct stat facts{};
    ASSERT_EQ(::stat(name.c_str(), &facts), 0) << name;
    EXPECT_EQ(facts.st_mode & 0777, 0600U) << name;
  }
}

TEST_F(StoreFile, KeepsWhatWasCommitted) {
  {
    auto store = SqliteStore::open({.path = path, .durability = Durability::disk});
    ASSERT_TRUE(store);
    ASSERT_TRUE(install(**store, {kTable}));
    ASSERT_TRUE((*store)->write([](Tx& tx) { return insert(tx, 1); }));
  }
  auto store = SqliteStore::open({.path = path});
  ASSERT_TRUE(store);
  EXPECT_EQ(count(**store), 1);
  EXPECT_TRUE((*store)->check_integrity());
}

TEST_F(StoreFile, ReadsWhileAWriteIsUnderWay) {
  auto store = SqliteStore::open({.path = path});
  ASSERT_TRUE(store);
  ASSERT_TRUE(install(**store, {kTable}));
  EXPECT_TRUE((*store)->write([&](Tx& tx) -> Result<void> {
    TRY_VOID(insert(tx, 1));
    std::thread reader([&] { EXPECT_EQ(count(**store), 0); });
    reader.join();
    return {};
  }));
  EXPECT_EQ(count(**store), 1);
}

TEST_F(StoreFile, HoldsNothingDeletedAfterAScrub) {
  const std::string marker = "a-marker-that-is-long-enough";
  auto store = SqliteStore::open({.path = path});
  ASSERT_TRUE(store);
  ASSERT_TRUE(install(**store, {kTable}));
  const auto found = [&] {
    for (const std::string& name : {path, path + "-wal"}) {
      std::ifstream file(name, std::ios::binary);
      if (std::string(std::istreambuf_iterator<char>(file), {}).contains(marker)) return true;
    }
    return false;
  };
  ASSERT_TRUE((*store)->write([&](Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("INSERT INTO thing (id, name) VALUES (1, ?1)", {marker}));
    return {};
  }));
  EXPECT_TRUE(found());
  ASSERT_TRUE((*store)->write([&](Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("DELETE FROM thing"));
    return {};
  }));
  EXPECT_TRUE(found()) << "still in the log: the scrub has something to do";
  EXPECT_TRUE((*store)->scrub());
  EXPECT_FALSE(found());
}

class Faulty : public testing::Test {
 protected:
  void SetUp() override {
    inner = SqliteStore::open({}).value();
    ASSERT_TRUE(install(*inner, {kTable}));
  }
  std::unique_ptr<SqliteStore> inner;
};

TEST_F(Faulty, FailsThePlannedWritesAndNoOther) {
  FaultyStore store(*inner);
  store.fail_write(1, Fault::before);
  store.fail_write(3, Fault::rolled_back);
  store.fail_write(4, Fault::after_commit);
  int ran = 0;
  const auto write = [&](std::int64_t id) {
    return store.write([&](Tx& tx) {
      ++ran;
      return insert(tx, id);
    });
  };
  EXPECT_EQ(write(1).error().code, Code::store_unavailable);
  EXPECT_EQ(ran, 0);
  EXPECT_TRUE(write(2));
  EXPECT_FALSE(write(3));
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(count(store), 1) << "the third was rolled back";
  EXPECT_FALSE(write(4));
  EXPECT_EQ(count(store), 2) << "the fourth was kept";
  EXPECT_TRUE(write(5));
  EXPECT_EQ(store.writes(), 5U);
}

TEST_F(Faulty, IsDownUntilItIsUp) {
  FaultyStore store(*inner);
  store.set_down();
  EXPECT_FALSE(store.write([](Tx& tx) { return insert(tx, 1); }));
  EXPECT_FALSE(store.read([](Tx&) -> Result<void> { return {}; }));
  EXPECT_FALSE(store.scrub());
  store.set_up();
  EXPECT_TRUE(store.write([](Tx& tx) { return insert(tx, 1); }));
  EXPECT_TRUE(store.scrub());
}

}  // namespace
}  // namespace claviger::store
