// Bounds of archives: depth, names, numbers and sizes, each at its edge.
#include "scan/archive.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/limits.hpp"

namespace claviger::scan {
namespace {

std::string tar_header(std::string_view name, std::uint64_t size, char type = '0') {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  block.replace(100, 7, "0000644");
  block.replace(124, 11, fmt::format("{:011o}", size));
  block[156] = type;
  block.replace(257, 8,
                std::string_view("ustar\0"
                                 "00",
                                 8));
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  block.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block;
}

std::string tar_of(std::string_view name, std::string_view content, char type = '0') {
  std::string out = tar_header(name, content.size(), type).append(content);
  out.resize((out.size() + 511) / 512 * 512, '\0');
  return out;
}

std::string ended(std::string tar) { return tar.append(1024, '\0'); }

class Found final : public Members {
 public:
  void member(const std::string& path, Source& content) override {
    std::vector<char> piece(64 * 1024);
    while (read_full(content, piece).value_or(0) > 0) {
    }
    paths.push_back(path);
  }
  void problem(const std::string& path, const std::string& why) override {
    problems.push_back(path + ": " + why);
  }
  std::vector<std::string> paths, problems;
};

Found opened(const Extent& file, ArchiveKind kind = ArchiveKind::tar) {
  Found found;
  open_archive(kind, file, "t", found);
  return found;
}

TEST(Archive, one_in_another_is_opened_to_a_depth_and_told_beyond) {
  std::string text = "in the middle of it";
  for (int depth = 1; depth <= limits::kArchiveDepth + 1; ++depth) {
    text = ended(tar_of("inner", text));
    const Found found = opened(MemoryExtent(text));
    if (depth <= limits::kArchiveDepth) {
      ASSERT_EQ(found.paths.size(), 1U) << depth;
      EXPECT_EQ(std::ranges::count(found.paths[0], '!'), depth);
      EXPECT_TRUE(found.problems.empty());
    } else {
      EXPECT_TRUE(found.paths.empty());
      ASSERT_EQ(found.problems.size(), 1U);
      EXPECT_TRUE(found.problems[0].contains("nested deeper")) << found.problems[0];
    }
  }
}

TEST(Archive, names_are_cut_at_the_bound) {
  for (const std::size_t size : {limits::kArchiveName - 1, limits::kArchiveName, limits::kArchiveName + 1}) {
    const std::string name(size, 'n');
    const std::string text = ended(tar_of("././@LongLink", name, 'L') + tar_of("short", "x"));
    const Found found = opened(MemoryExtent(text));
    ASSERT_EQ(found.paths.size(), 1U);
    EXPECT_EQ(found.paths[0].size(), std::string_view("t!/").size() + std::min(size, limits::kArchiveName));
  }
}

TEST(ArchiveBudget, so_many_files_are_read_of_one) {
  ArchiveBudget budget(1);
  for (std::size_t i = 0; i < limits::kArchiveEntries; ++i) ASSERT_TRUE(budget.entry()) << i;
  EXPECT_FALSE(budget.spent());
  EXPECT_FALSE(budget.entry());
  EXPECT_TRUE(budget.spent());
}

TEST(ArchiveBudget, so_many_bytes_are_unpacked_of_one) {
  ArchiveBudget budget(limits::kArchiveTotal);
  EXPECT_TRUE(budget.unpacked(limits::kArchiveTotal - 1));
  EXPECT_TRUE(budget.unpacked(1));
  EXPECT_FALSE(budget.unpacked(1));
  EXPECT_TRUE(budget.spent());
}

// A tar of one member of `size` bytes that begins like a zip, without the memory for it.
class InnerZip final : public Extent {
 public:
  explicit InnerZip(std::uint64_t size) : head_(tar_header("inner.zip", size) + "PK\3\4"), size_(size) {}
  std::uint64_t size() const override { return 512 + (size_ + 511) / 512 * 512 + 1024; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    const std::uint64_t left = offset < size() ? size() - offset : 0;
    const auto got = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left));
    std::memset(into.data(), 0, got);
    if (offset < head_.size())
      head_.copy(into.data(), std::min(got, head_.size()), static_cast<std::size_t>(offset));
    return got;
  }

 private:
  std::string head_;
  std::uint64_t size_;
};

TEST(Archive, an_inner_zip_is_held_in_memory_up_to_the_bound) {
  for (const std::size_t more : {0U, 1U}) {
    const Found found = opened(InnerZip(limits::kArchiveMember + more));
    ASSERT_EQ(found.problems.size(), 1U) << "zeros are no zip";
    EXPECT_EQ(found.problems[0].contains("an inner zip of more than"), more == 1) << found.problems[0];
  }
}

}  // namespace
}  // namespace claviger::scan
