// A data directory into one file and back: what is damaged is told, and nothing half-made is left.
#include "app/backup.hpp"

#include <fstream>
#include <iterator>

#include "app/rig_test.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/rng.hpp"

namespace claviger::app {
namespace {

namespace fs = std::filesystem;

class BackupTest : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    init();
    ASSERT_EQ(add_credential().code, kOk);
    key = create_key();
    archive = folder + "/backup.tar";
  }
  Ran back_up(const std::string& output) {
    return run({"backup", "--data", data, "--output", output, "--json"});
  }
  Ran put_back(const std::string& input, const std::string& to, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"restore", "--input", input, "--data", to, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(std::move(arguments));
  }
  static std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  bool nothing_at(const std::string& path) { return !fs::exists(path) && !fs::exists(path + ".restoring"); }

  std::string key, archive;
};

TEST_F(BackupTest, WhatWasBackedUpComesBackAndOpensWithTheSameRootKey) {
  const Ran made = back_up(archive);
  ASSERT_EQ(made.code, kOk) << made.err;
  EXPECT_EQ(fs::status(archive).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const std::string copy = folder + "/copy";
  const Ran back = put_back(archive, copy);
  ASSERT_EQ(back.code, kOk) << back.err;
  EXPECT_EQ(back.json()["tree_size"], made.json()["tree_size"]);
  EXPECT_FALSE(fs::exists(copy + "/root.key")) << "the root key is no part of it";
  const Ran sealed = run({"key", "list", "--data", copy, "--json"});
  EXPECT_EQ(sealed.code, kFailure) << "nothing opens without it";
  fs::copy_file(data + "/root.key", copy + "/root.key");
  const Ran keys = run({"key", "list", "--data", copy, "--json"});
  ASSERT_EQ(keys.code, kOk) << keys.err;
  EXPECT_EQ(keys.json()["keys"][0]["id"], key);
  EXPECT_EQ(run({"doctor", "--data", copy}).code, kOk);
  const Ran told = run({"journal", "tail", "--data", copy, "--kind", "admin"});
  EXPECT_NE(told.out.find("data.restored"), std::string::npos) << told.out;
  EXPECT_EQ(run({"journal", "verify", "--data", copy}).code, kOk);
  EXPECT_FALSE(fs::exists(copy + "/restored")) << "it is on record once";
}

TEST_F(BackupTest, NoSecretStandsInItInClear) {
  ASSERT_EQ(back_up(archive).code, kOk);
  const std::string bytes = content(archive);
  for (std::size_t i = 0; i + 8 <= kProviderSecret.size(); ++i)
    EXPECT_EQ(bytes.find(kProviderSecret.substr(i, 8)), std::string::npos) << i;
  EXPECT_EQ(bytes.find(content(data + "/root.key").substr(0, 64)), std::string::npos);
}

TEST_F(BackupTest, AnotherFileIsNeverOverwritten) {
  write(archive, "mine");
  EXPECT_EQ(back_up(archive).code, kNegative);
  EXPECT_EQ(content(archive), "mine");
  fs::remove(archive);
  ASSERT_EQ(back_up(archive).code, kOk);
  EXPECT_EQ(put_back(archive, data).code, kNegative) << "nor another data directory";
}

TEST_F(BackupTest, NoByteOfItCanBeChangedUnseen) {
  ASSERT_EQ(back_up(archive).code, kOk);
  const std::string whole = content(archive);
  const std::string copy = folder + "/copy", bad = folder + "/bad.tar";
  SeededRng rng(11);
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole;
    const std::size_t at = static_cast<std::size_t>(rng.below(bytes.size() - 1024));
    bytes[at] = static_cast<char>(bytes[at] ^ (1 + static_cast<int>(rng.below(255))));
    write(bad, bytes);
    const Ran back = put_back(bad, copy);
    if (back.code == kOk) {  // padding behind a file says nothing
      EXPECT_EQ(whole[at], '\0') << at;
      fs::remove_all(copy);
      continue;
    }
    EXPECT_NE(back.err.find("backup"), std::string::npos) << back.err;
    EXPECT_TRUE(nothing_at(copy)) << at;
  }
}

TEST_F(BackupTest, AnArchiveThatWasCutOffIsRefusedAtEveryLength) {
  ASSERT_EQ(back_up(archive).code, kOk);
  const std::string whole = content(archive);
  const std::string copy = folder + "/copy", bad = folder + "/bad.tar";
  for (std::size_t length = 0; length + 1024 < whole.size(); length += whole.size() / 40 + 1) {
    write(bad, whole.substr(0, length));
    EXPECT_NE(put_back(bad, copy).code, kOk) << length;
    EXPECT_TRUE(nothing_at(copy)) << length;
  }
}

TEST_F(BackupTest, ABackupOlderThanAKeptCheckpointIsARollback) {
  ASSERT_EQ(back_up(archive).code, kOk);
  const std::string old = content(data + "/audit/checkpoint");
  create_key();
  const std::string kept = folder + "/kept.txt";
  write(kept, content(data + "/audit/checkpoint"));
  ASSERT_NE(content(kept), old);
  const std::string copy = folder + "/copy";
  const Ran back = put_back(archive, copy, {"--checkpoint", kept});
  EXPECT_EQ(back.code, kNegative);
  EXPECT_NE(back.err.find("rollback"), std::string::npos) << back.err;
  EXPECT_TRUE(nothing_at(copy));
  // Without the checkpoint it comes back, and the proof finds the rollback out afterwards too.
  ASSERT_EQ(put_back(archive, copy).code, kOk);
  EXPECT_EQ(run({"journal", "verify", "--data", copy, "--checkpoint", kept}).code, kNegative);
  write(kept, old);
  EXPECT_EQ(run({"journal", "verify", "--data", copy, "--checkpoint", kept}).code, kOk);
}

TEST_F(BackupTest, WhatIsNoBackupIsRefused) {
  const std::string copy = folder + "/copy";
  EXPECT_EQ(put_back(folder + "/nothing.tar", copy).code, kFailure);
  write(archive, std::string(10'240, '\0'));
  EXPECT_EQ(put_back(archive, copy).code, kFailure) << "an empty archive";
  EXPECT_EQ(run({"backup", "--data", folder + "/elsewhere", "--output", folder + "/x.tar"}).code, kNegative);
  EXPECT_TRUE(nothing_at(copy));
}

TEST_F(BackupTest, SharesOpenWhatHasLostItsRootKey) {
  const Ran split =
      run({"vault", "recipient", "split", "--data", data, "--shares", "3", "--threshold", "2", "--json"});
  ASSERT_EQ(split.code, kOk) << split.err;
  fs::remove(data + "/root.key");
  EXPECT_EQ(run({"key", "list", "--data", data}).code, kFailure);
  std::string lines = split.json()["lines"][2].get<std::string>() + "\n\n" +
                      split.json()["lines"][0].get<std::string>() + "\n";
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], lines.data(), lines.size()), static_cast<ssize_t>(lines.size()));
  ::close(ends[1]);
  const Ran added = run({"vault", "recipient", "add", "--data", data, "--shares-fd", std::to_string(ends[0]),
                         "--key-file", data + "/root.key", "--json"});
  ::close(ends[0]);
  ASSERT_EQ(added.code, kOk) << added.err;
  const Ran status = run({"vault", "status", "--data", data, "--json"});
  ASSERT_EQ(status.code, kOk) << status.err;
  EXPECT_EQ(status.json()["recipients"].size(), 3U);
  EXPECT_EQ(run({"vault", "recipient", "remove", "--data", data, "1"}).code, kOk);
  EXPECT_EQ(run({"vault", "rekey", "--data", data, "--json"}).json()["rewrapped"], 1);
  EXPECT_EQ(run({"key", "list", "--data", data}).code, kOk);
}

}  // namespace
}  // namespace claviger::app
