// Bounds of reading git: what lies at a bound is read, and what lies beyond it is told.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/limits.hpp"
#include "scan/git_buffer.hpp"
#include "scan/git_index.hpp"
#include "scan/git_maker_test.hpp"
#include "scan/git_objects.hpp"
#include "scan/git_repository.hpp"

namespace claviger::scan {
namespace {

TEST(GitBounds, so_many_problems_are_kept_and_all_are_counted) {
  GitProblems problems;
  for (std::size_t i = 1; i <= limits::kGitProblems + 1; ++i) problems.add(std::to_string(i), "why");
  EXPECT_EQ(problems.count(), limits::kGitProblems + 1);
  const auto kept = problems.take();
  ASSERT_EQ(kept.size(), limits::kGitProblems);
  EXPECT_EQ(kept.back().what, std::to_string(limits::kGitProblems));
}

TEST(GitBounds, a_file_of_refs_is_read_up_to_the_bound_of_small_files) {
  const RepositoryMaker maker;
  const std::string packed = maker.path() + "/packed-refs";
  for (const std::size_t more : {0U, 1U, 2U}) {
    std::ofstream(packed, std::ios::app).close();
    std::filesystem::resize_file(packed, limits::kGitSmallFile - 1 + more);  // sparse
    const auto opened = GitRepository::open(maker.path());
    EXPECT_EQ(opened.has_value(), more < 2) << more;
    if (!opened) EXPECT_EQ(opened.error().code, Code::corrupt);
  }
}

TEST(GitBounds, an_object_may_be_as_large_as_its_reader_says_and_no_larger) {
  constexpr std::size_t kLargest = 40;
  RepositoryMaker maker;
  std::vector<ObjectId> ids;
  for (const std::size_t size : {kLargest - 1, kLargest, kLargest + 1}) {
    const std::string text(size, 'x');
    maker.add_blob(text);
    ids.push_back(blob_id(text));
  }
  // A delta is told by what it makes, however small it and its base are.
  const std::string small(kLargest - 2, 'b');
  const std::uint64_t base = maker.add_blob(small);
  const auto grown = [&](const std::string& more) {
    const std::string delta = delta_size(small.size()) + delta_size(small.size() + more.size()) +
                              copy_op(0, static_cast<std::uint32_t>(small.size())) + insert_op(more);
    ids.push_back(blob_id(small + more));
    maker.add(ids.back(), entry_head(6, delta.size()) + back_to(maker.next() - base) + deflate(delta));
  };
  for (const char* more : {"1", "12", "123"}) grown(more);
  maker.write();
  GitProblems problems;
  const auto database = ObjectDatabase::open(maker.path() + "/objects", HashKind::sha1, problems).value();
  ObjectReader reader(*database, 1 << 20, kLargest);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto object = reader.read(ids[i]);
    EXPECT_EQ(object.has_value(), i % 3 < 2) << i;
    if (!object) EXPECT_EQ(object.error().code, Code::corrupt);
  }
}

TEST(GitBounds, no_buffer_is_larger_than_the_largest_object) {
  EXPECT_EQ(GitBuffer().prepare(limits::kGitObject + 1).error().code, Code::corrupt);
  EXPECT_TRUE(GitBuffer().prepare(1));
}

TEST(GitBounds, refs_in_folders_too_deep_are_told) {
  const RepositoryMaker maker;
  std::string folder = "refs";
  for (unsigned depth = 1; depth <= limits::kGitRefDepth + 1; ++depth) {
    folder += "/d";
    std::filesystem::create_directories(maker.path() + "/" + folder);
    if (depth + 1 >= limits::kGitRefDepth) maker.put(folder + "/leaf", std::string(40, 'a') + "\n");
  }
  const auto repository = GitRepository::open(maker.path());
  ASSERT_TRUE(repository);
  GitProblems problems;
  EXPECT_EQ(repository->refs(problems).size(), 2U) << "those one below the bound and at it";
  const auto told = problems.take();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].what.ends_with(folder)) << told[0].what;
}

TEST(GitBounds, so_many_submodules_are_scanned_and_the_next_is_told) {
  const RepositoryMaker maker;
  const auto add = [&](std::size_t number) {
    const std::string folder = maker.path() + "/modules/" + std::to_string(number);
    std::filesystem::create_directories(folder + "/objects");
    std::ofstream(folder + "/HEAD") << "ref: refs/heads/main\n";
  };
  for (std::size_t i = 1; i < limits::kGitSubmodules; ++i) add(i);
  const auto repository = GitRepository::open(maker.path());
  ASSERT_TRUE(repository);
  GitProblems problems;
  EXPECT_EQ(repository->submodules(problems).size(), limits::kGitSubmodules - 1);
  add(limits::kGitSubmodules);
  EXPECT_EQ(repository->submodules(problems).size(), limits::kGitSubmodules);
  EXPECT_EQ(problems.count(), 0U);
  add(limits::kGitSubmodules + 1);
  EXPECT_EQ(repository->submodules(problems).size(), limits::kGitSubmodules);
  EXPECT_EQ(problems.count(), 1U);
}

std::string index_file(unsigned version, std::size_t entries, const std::string& content) {
  return "DIRC" + big_endian(version, 4) + big_endian(entries, 4) + content + std::string(20, 'h');
}

TEST(GitBounds, a_name_in_the_index_may_be_as_long_as_the_bound_and_no_longer) {
  for (const std::size_t more : {0U, 1U, 2U}) {
    const std::string name(limits::kGitPath - 1 + more, 'n');
    const std::string file =
        index_file(4, 1,
                   std::string(24, '\0') + big_endian(0100644, 4) + std::string(12, '\0') +
                       std::string(20, 'i') + big_endian(0xfff, 2) + std::string(1, '\0') + name + '\0');
    const auto index = GitIndex::parse(Mapping::borrowed(as_bytes(file)), HashKind::sha1);
    EXPECT_EQ(index.has_value(), more < 2) << more;
    if (index) EXPECT_EQ(index->entries().at(0).path.size(), name.size());
  }
}

// Bits come in words of 64, and so does the bound.
TEST(GitBounds, a_split_index_names_no_more_entries_than_the_bound) {
  const auto link = [](std::size_t words) {
    const std::string one_run = big_endian(words << 1, 8);
    const std::string bitmap = big_endian(64 * words, 4) + big_endian(1, 4) + one_run + big_endian(0, 4);
    const std::string none = big_endian(0, 4) + big_endian(0, 4) + big_endian(0, 4);
    const std::string content = std::string(20, 'b') + bitmap + none;
    return index_file(2, 0, "link" + big_endian(content.size(), 4) + content);
  };
  constexpr std::size_t kWords = limits::kGitIndexEntries / 64;
  for (const std::size_t words : {kWords - 1, kWords, kWords + 2}) {
    const std::string file = link(words);
    EXPECT_EQ(GitIndex::parse(Mapping::borrowed(as_bytes(file)), HashKind::sha1).has_value(), words <= kWords)
        << words;
  }
}

}  // namespace
}  // namespace claviger::scan
