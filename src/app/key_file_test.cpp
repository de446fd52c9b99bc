// Key files: replaced whole and privately, and the operator's command run afterwards.
#include "app/key_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace claviger::app {
namespace {

class KeyFileTest : public testing::Test {
 protected:
  KeyFileTest() {
    std::string name = testing::TempDir() + "claviger_keys_XXXXXX";
    folder = ::mkdtemp(name.data());
    file.path = folder + "/keys";
  }
  ~KeyFileTest() override { std::filesystem::remove_all(folder); }
  std::string text(const std::string& path) const {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string folder;
  steward::KeyFile file;
};

TEST_F(KeyFileTest, a_file_is_replaced_whole_and_for_its_owner_only) {
  std::ofstream(file.path) << "something longer that was there before\n";
  ASSERT_TRUE(replace_key_file(file, "a\nb\n"));
  EXPECT_EQ(text(file.path), "a\nb\n");
  struct stat now{};
  ASSERT_EQ(::stat(file.path.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "nothing else is left";
}

TEST_F(KeyFileTest, the_command_runs_after_the_file_is_there) {
  file.reload = {"/bin/cp", file.path, folder + "/seen"};
  ASSERT_TRUE(replace_key_file(file, "a\n"));
  EXPECT_EQ(text(folder + "/seen"), "a\n");
}

TEST_F(KeyFileTest, a_command_that_does_not_end_is_ended_and_told) {
  file.reload = {"/bin/sleep", "600"};
  const auto done = replace_key_file(file, "a\n", 50);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().say, "The reload command took too long.");
  EXPECT_EQ(text(file.path), "a\n");
}

TEST_F(KeyFileTest, a_folder_that_is_not_there_and_a_command_that_fails_are_told) {
  file.reload = {"/bin/false"};
  EXPECT_EQ(replace_key_file(file, "a\n").error().code, Code::io_failed);
  file.reload = {"/nowhere/reload"};
  EXPECT_EQ(replace_key_file(file, "a\n").error().code, Code::io_failed);
  file.path = folder + "/none/keys";
  EXPECT_EQ(replace_key_file(file, "a\n").error().code, Code::io_failed);
}

}  // namespace
}  // namespace claviger::app
