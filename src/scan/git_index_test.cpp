// Tests of the index: what is staged, told as git tells it, in every version of the file.
#include "scan/git_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "scan/git_rig_test.hpp"

namespace claviger::scan {
namespace {

// "A path" and "M path", as `git diff --cached` has them.
std::vector<std::string> staged(const std::string& path, const std::string& index_file = {}) {
  const auto repository = GitRepository::open(path);
  if (!repository) return {repository.error().detail};
  GitProblems problems;
  const auto database = repository->objects(problems);
  ObjectReader reader(**database, 1 << 20, 1 << 20);
  const auto files = staged_files(*repository, reader, index_file);
  if (!files) return {files.error().detail};
  std::vector<std::string> out;
  for (const StagedFile& file : *files)
    out.push_back((file.change == StagedChange::added ? "A\t" : "M\t") + file.path);
  return out;
}

std::vector<std::string> staged_by_git(const GitRig& rig) {
  return lines_of(
      rig.git("-c core.quotePath=false diff --cached --no-renames --name-status --diff-filter=AM"));
}

void stage_some(const GitRig& rig) {
  rig.write("dir/changed.txt", "changed");
  rig.write("dir/new.txt", "new");
  rig.write("another/deep/folder/new.txt", "new");
  rig.write("zz", "new");
  rig.git("rm -q dir/gone.txt");
  rig.git("add -A");
  rig.write("dir/changed.txt", "only in the work tree");
  rig.write("untracked", "x");
}

void fill(GitRig& rig) {
  for (const char* name : {"a", "dir/changed.txt", "dir/gone.txt", "dir/same.txt", "other/x/y/z", "other/w"})
    rig.write(name, name);
  rig.commit();
}

TEST(GitIndex, staged_files_are_those_git_names_in_every_version) {
  for (const char* version : {"2", "3", "4"}) {
    SCOPED_TRACE(version);
    GitRig rig;
    fill(rig);
    rig.git(std::string("update-index --index-version ") + version);
    EXPECT_EQ(staged(rig.path()), std::vector<std::string>());
    rig.git("read-tree HEAD");  // now with cached trees
    stage_some(rig);
    rig.write("intended", "later");
    rig.git("add -N intended");  // stages nothing, and needs the flags of version 3
    EXPECT_EQ(staged(rig.path()), staged_by_git(rig));
    EXPECT_EQ(staged(rig.path()).size(), 4U);
  }
}

TEST(GitIndex, a_split_index_is_put_together) {
  GitRig rig;
  fill(rig);
  rig.git("config splitIndex.maxPercentChange 100");
  rig.git("update-index --split-index");
  stage_some(rig);
  bool shared = false;
  for (const auto& file : std::filesystem::directory_iterator(rig.path() + "/.git"))
    shared |= file.path().filename().string().starts_with("sharedindex.");
  ASSERT_TRUE(shared);
  EXPECT_EQ(staged(rig.path()), staged_by_git(rig));
}

TEST(GitIndex, a_sparse_index_and_sha256_are_read) {
  GitRig sparse;
  fill(sparse);
  sparse.git("sparse-checkout init --cone --sparse-index");
  sparse.git("sparse-checkout set dir");
  sparse.write("dir/new.txt", "new");
  sparse.git("add dir/new.txt");
  EXPECT_EQ(staged(sparse.path()), (std::vector<std::string>{"A\tdir/new.txt"}));
  GitRig sha256("init -q -b main --object-format=sha256");
  fill(sha256);
  stage_some(sha256);
  EXPECT_EQ(staged(sha256.path()), staged_by_git(sha256));
}

TEST(GitIndex, before_the_first_commit_everything_is_added) {
  GitRig rig;
  EXPECT_EQ(staged(rig.path()), std::vector<std::string>());
  rig.write("first", "x");
  rig.git("add -A");
  EXPECT_EQ(staged(rig.path()), (std::vector<std::string>{"A\tfirst"}));
}

TEST(GitIndex, the_index_that_git_names_to_a_hook_is_read_instead) {
  GitRig rig;
  fill(rig);
  rig.write("a", "other");
  const std::string other = rig.path() + "/.git/next-index";
  std::filesystem::copy_file(rig.path() + "/.git/index", other);
  shell("cd " + rig.path() + " && GIT_INDEX_FILE=" + other + " git add a");
  EXPECT_EQ(staged(rig.path()), std::vector<std::string>());
  EXPECT_EQ(staged(rig.path(), other), (std::vector<std::string>{"M\ta"}));
}

TEST(GitIndex, staged_content_is_read_and_not_the_work_tree) {
  GitRig rig;
  fill(rig);
  rig.write("dir/new.txt", token(1));
  rig.git("add -A");
  rig.write("dir/new.txt", "clean");
  const auto repository = GitRepository::open(rig.path());
  GitProblems problems;
  const auto database = repository->objects(problems);
  ObjectReader reader(**database, 1 << 20, 1 << 20);
  const auto files = staged_files(*repository, reader, {});
  ASSERT_TRUE(files && files->size() == 1);
  EXPECT_EQ(as_text(*reader.read(files->at(0).id)->bytes), token(1));
}

TEST(GitIndex, a_damaged_index_is_refused_at_every_length) {
  GitRig rig;
  fill(rig);
  const std::string path = rig.path() + "/.git/index";
  std::ifstream file(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(file), {});
  std::size_t refused = 0;
  for (std::size_t size = 0; size < 200; ++size) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    const auto repository = GitRepository::open(rig.path());
    refused += GitIndex::read(repository->git_folder(), "index", HashKind::sha1) ? 0 : 1;
  }
  EXPECT_EQ(refused, 200U);
}

}  // namespace
}  // namespace claviger::scan
