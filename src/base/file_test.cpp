// Files: both folders keep the promises of the seam, and the simulated one fails as it is told to.
#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/file_memory.hpp"

namespace claviger {
namespace {

class FileTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    char name[] = "/tmp/claviger_file_XXXXXX";
    path_ = ::mkdtemp(name);
    if (GetParam()) {
      folder_ = PosixFolder::open(path_ + "/data").value();
    } else {
      folder_ = std::make_unique<MemoryFolder>();
    }
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::string path_;
  std::unique_ptr<Folder> folder_;
};

TEST_P(FileTest, an_absent_file_is_not_found) {
  EXPECT_EQ(folder_->read("a", 0, 10).error().code, Code::not_found);
  EXPECT_EQ(folder_->size("a").error().code, Code::not_found);
  EXPECT_EQ(folder_->remove("a").error().code, Code::not_found);
}

TEST_P(FileTest, appended_bytes_are_read_from_any_offset) {
  auto file = folder_->open_append("a").value();
  ASSERT_TRUE(file->append("hello "));
  ASSERT_TRUE(file->append("world"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size(), 11U);
  EXPECT_EQ(folder_->size("a").value(), 11U);
  EXPECT_EQ(folder_->read("a", 0, 100).value(), "hello world");
  EXPECT_EQ(folder_->read("a", 6, 3).value(), "wor");
  EXPECT_EQ(folder_->read("a", 11, 3).value(), "");
  EXPECT_EQ(folder_->read("a", 99, 3).value(), "");
}

TEST_P(FileTest, a_reopened_file_goes_on_at_its_end) {
  ASSERT_TRUE(folder_->open_append("a").value()->append("one"));
  auto file = folder_->open_append("a").value();
  EXPECT_EQ(file->size(), 3U);
  ASSERT_TRUE(file->append("two"));
  EXPECT_EQ(folder_->read("a", 0, 100).value(), "onetwo");
}

TEST_P(FileTest, a_shortened_file_goes_on_at_its_new_end) {
  auto file = folder_->open_append("a").value();
  ASSERT_TRUE(file->append("0123456789"));
  ASSERT_TRUE(file->truncate(4));
  ASSERT_TRUE(file->append("x"));
  EXPECT_EQ(folder_->read("a", 0, 100).value(), "0123x");
}

TEST_P(FileTest, a_replaced_file_has_the_new_content_only) {
  ASSERT_TRUE(folder_->replace("tile/0/x001/000", "a longer text", Sync::no));
  ASSERT_TRUE(folder_->replace("tile/0/x001/000", "short", Sync::yes));
  EXPECT_EQ(folder_->read("tile/0/x001/000", 0, 100).value(), "short");
}

TEST_P(FileTest, listing_names_files_of_folders_below_in_order) {
  ASSERT_TRUE(folder_->replace("tile/0/000", "a", Sync::no));
  ASSERT_TRUE(folder_->open_append("b"));
  ASSERT_TRUE(folder_->open_append("a"));
  ASSERT_TRUE(folder_->remove("b"));
  EXPECT_EQ(folder_->list().value(), (std::vector<std::string>{"a", "tile/0/000"}));
}

INSTANTIATE_TEST_SUITE_P(both, FileTest, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "posix" : "memory"; });

TEST(posix_folder, its_files_are_for_the_owner_alone) {
  char name[] = "/tmp/claviger_mode_XXXXXX";
  const std::string path = ::mkdtemp(name);
  auto folder = PosixFolder::open(path + "/data/").value();
  ASSERT_TRUE(folder->open_append("a"));
  ASSERT_TRUE(folder->replace("b/c", "x", Sync::yes));
  struct stat status{};
  ASSERT_EQ(::stat((path + "/data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  for (const char* file : {"/data/a", "/data/b/c"}) {
    ASSERT_EQ(::stat((path + file).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
  }
  std::filesystem::remove_all(path);
}

TEST(posix_folder, a_folder_that_cannot_be_made_is_io_failed) {
  EXPECT_EQ(PosixFolder::open("/dev/null/x").error().code, Code::io_failed);
}

TEST(memory_folder, a_full_disk_takes_what_fits_and_the_next_append_covers_it) {
  MemoryFolder folder;
  auto file = folder.open_append("a").value();
  ASSERT_TRUE(file->append("0123"));
  folder.set_capacity(6);
  EXPECT_EQ(file->append("abcdef").error().code, Code::io_failed);
  EXPECT_EQ(file->size(), 4U);
  EXPECT_EQ(folder.content("a"), "0123ab");
  folder.set_capacity(std::nullopt);
  ASSERT_TRUE(file->append("abcdef"));
  EXPECT_EQ(folder.content("a"), "0123abcdef");
}

TEST(memory_folder, death_in_an_append_tears_it_and_refuses_until_restart) {
  MemoryFolder folder;
  auto file = folder.open_append("a").value();
  folder.die_in_append(2, 3);
  ASSERT_TRUE(file->append("first\n"));
  EXPECT_FALSE(file->append("second\n"));
  EXPECT_TRUE(folder.dead());
  EXPECT_FALSE(folder.list());
  folder.restart();
  EXPECT_EQ(folder.content("a"), "first\nsec");
  EXPECT_FALSE(file->append("x"));  // of the old process
  EXPECT_TRUE(folder.open_append("a").value()->append("x"));
}

TEST(memory_folder, a_power_loss_takes_nothing_that_was_synced) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    MemoryFolder folder;
    auto file = folder.open_append("a").value();
    ASSERT_TRUE(file->append("kept"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->append("perhaps"));
    SeededRng rng(seed);
    folder.restart_after_power_loss(rng);
    const std::string content = folder.content("a");
    EXPECT_TRUE(std::string("keptperhaps").starts_with(content) && content.starts_with("kept")) << content;
  }
}

}  // namespace
}  // namespace claviger
