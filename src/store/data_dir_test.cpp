// The data directory: private, versioned, and used by one process at a time.
#include "store/data_dir.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "store/store.hpp"

namespace claviger::store {
namespace {

namespace fs = std::filesystem;

class DataDirTest : public testing::Test {
 protected:
  DataDirTest() {
    std::string name = testing::TempDir() + "claviger_data_XXXXXX";
    outer = ::mkdtemp(name.data());
    path = outer + "/data";
  }
  ~DataDirTest() override { fs::remove_all(outer); }
  static Code code_of(const Result<DataDir>& result) { return result ? Code::internal : result.error().code; }
  void write_version(std::string_view text) { std::ofstream(path + "/version") << text; }

  std::string outer;
  std::string path;
};

TEST_F(DataDirTest, ThatDoesNotExistIsNotFound) { EXPECT_EQ(code_of(DataDir::open(path)), Code::not_found); }

TEST_F(DataDirTest, WithoutAVersionIsNotFound) {
  fs::create_directory(path);
  fs::permissions(path, fs::perms::owner_all);
  EXPECT_EQ(code_of(DataDir::open(path)), Code::not_found);
}

TEST_F(DataDirTest, InUseNamesTheProcess) {
  const auto held = DataDir::create(path);
  ASSERT_TRUE(held);
  const auto second = DataDir::open(path);
  ASSERT_EQ(code_of(second), Code::data_in_use);
  EXPECT_TRUE(second.error().say.contains("process " + std::to_string(::getpid())));
}

TEST_F(DataDirTest, OpenToOthersIsRefused) {
  ASSERT_TRUE(DataDir::create(path));
  fs::permissions(path, fs::perms::owner_all | fs::perms::group_read);
  EXPECT_EQ(code_of(DataDir::open(path)), Code::configuration);
}

TEST_F(DataDirTest, OfAnotherVersionSaysTheWayOut) {
  ASSERT_TRUE(DataDir::create(path));
  write_version(std::to_string(kDataVersion + 1) + "\n");
  const auto opened = DataDir::open(path);
  ASSERT_EQ(code_of(opened), Code::data_version);
  EXPECT_TRUE(opened.error().say.contains("restore a backup"));
}

TEST_F(DataDirTest, WithADamagedVersionIsCorrupt) {
  ASSERT_TRUE(DataDir::create(path));
  for (const std::string_view text : {"one\n", "1", "1x\n", "1\n\n"}) {
    write_version(text);
    EXPECT_EQ(code_of(DataDir::open(path)), Code::corrupt) << text;
  }
}

TEST_F(DataDirTest, IsNotMadeTwiceNorAmongOtherFiles) {
  ASSERT_TRUE(DataDir::create(path));
  EXPECT_EQ(code_of(DataDir::create(path)), Code::already_exists);
  const std::string other = outer + "/other";
  fs::create_directory(other);
  fs::permissions(other, fs::perms::owner_all);
  std::ofstream(other + "/notes.txt") << "mine";
  EXPECT_EQ(code_of(DataDir::create(other)), Code::configuration);
  EXPECT_EQ(code_of(DataDir::create(outer + "/no/parent")), Code::io_failed);
}

TEST_F(DataDirTest, IsPrivateAndWhole) {
  const auto made = DataDir::create(path);
  ASSERT_TRUE(made);
  for (const std::string& folder : {path, made->journal(), made->audit()}) {
    struct stat facts{};
    ASSERT_EQ(::stat(folder.c_str(), &facts), 0) << folder;
    EXPECT_EQ(facts.st_mode & 0777, 0700U);
  }
  EXPECT_EQ(made->database(), path + "/claviger.db");
  EXPECT_EQ(made->root_key(), path + "/root.key");
  EXPECT_EQ(made->socket(), path + "/claviger.sock");
}

TEST_F(DataDirTest, IsFreeAgainWhenDropped) {
  {
    auto first = DataDir::create(path);
    ASSERT_TRUE(first);
    const DataDir moved = std::move(*first);
    EXPECT_EQ(code_of(DataDir::open(path)), Code::data_in_use) << "the lock moved along";
  }
  EXPECT_TRUE(DataDir::open(path));
}

TEST_F(DataDirTest, GoesOnFromACreationThatWasInterrupted) {
  ASSERT_TRUE(DataDir::create(path));
  fs::remove(path + "/version");
  EXPECT_TRUE(DataDir::create(path));
  EXPECT_TRUE(DataDir::open(path));
}

}  // namespace
}  // namespace claviger::store
