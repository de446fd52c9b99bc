// Tests with repositories that lie: each lie ends in a problem with a reason, and what is sound beside it is
// scanned.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "scan/git_maker_test.hpp"
#include "scan/git_rig_test.hpp"

namespace claviger::scan {
namespace {

constexpr unsigned kOffsetDelta = 6;
constexpr unsigned kIdDelta = 7;

ObjectId some_id(char letter) { return *ObjectId::parse(std::string(40, letter)); }

std::string delta_entry(std::uint64_t back, const std::string& delta) {
  return entry_head(kOffsetDelta, delta.size()) + back_to(back) + deflate(delta);
}

HistoryReport scan_all(const std::string& path) {
  HistoryOptions options;
  options.all_objects = true;
  return scan(path, options);
}

// Adds a sound blob with a secret beside the lie, writes, scans; the reasons given.
std::vector<std::string> reasons(RepositoryMaker& maker, std::size_t cut = 0) {
  if (cut == 0) maker.add_blob("sound " + token(99) + "\n");
  maker.write(cut);
  const HistoryReport report = scan_all(maker.path());
  if (cut == 0) {
    EXPECT_EQ(report.places.size(), 1U);
    for (const HistoryPlace& place : report.places) EXPECT_EQ(place.hit.secret, token(99));
  }
  std::vector<std::string> out;
  for (const GitProblem& problem : report.problems) out.push_back(problem.why);
  EXPECT_EQ(report.problem_count, out.size());
  return out;
}

void expect_reason(RepositoryMaker& maker, const std::string& part) {
  SCOPED_TRACE(part);
  const auto told = reasons(maker);
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::ranges::any_of(told, [&](const std::string& why) { return why.contains(part); }))
      << told[0];
}

TEST(GitMalice, a_file_that_is_cut_off_under_its_mapping_reads_as_zeros_and_is_counted) {
  RepositoryMaker maker;
  const std::string name = maker.path() + "/long";
  const std::string text(3 * 65536, 'x');
  std::ofstream(name, std::ios::binary) << text;
  const auto folder = GitFolder::open(maker.path());
  ASSERT_TRUE(folder.has_value());
  const auto mapping = folder->map("long");
  ASSERT_TRUE(mapping.has_value());
  outlive_lost_pages();
  const std::uint64_t before = lost_pages();
  ASSERT_EQ(::truncate(name.c_str(), 65536), 0);
  EXPECT_EQ(mapping->data()[65535], 'x');
  EXPECT_EQ(lost_pages(), before);
  EXPECT_EQ(mapping->data()[2 * 65536], 0);
  EXPECT_EQ(lost_pages(), before + 1);
}

TEST(GitMalice, deltas_in_a_circle_are_told_and_left) {
  RepositoryMaker maker;
  const std::string delta = delta_size(5) + delta_size(5) + copy_op(0, 5);
  for (const auto& [self, base] : {std::pair('a', 'b'), std::pair('b', 'c'), std::pair('c', 'a')})
    maker.add(some_id(self), entry_head(kIdDelta, delta.size()) + std::string(as_text(some_id(base).view())) +
                                 deflate(delta));
  expect_reason(maker, "circle");
}

TEST(GitMalice, a_delta_that_stands_on_itself_or_on_nothing_is_told) {
  const std::string delta = delta_size(5) + delta_size(5) + copy_op(0, 5);
  RepositoryMaker itself;
  itself.add(some_id('a'),
             entry_head(kIdDelta, delta.size()) + std::string(as_text(some_id('a').view())) + deflate(delta));
  expect_reason(itself, "circle");
  RepositoryMaker nothing;
  nothing.add(some_id('a'), entry_head(kIdDelta, delta.size()) + std::string(as_text(some_id('b').view())) +
                                deflate(delta));
  expect_reason(nothing, "missing");
  RepositoryMaker outside;
  outside.add(some_id('a'), delta_entry(5000, delta));
  expect_reason(outside, "outside its pack");
  RepositoryMaker between;
  between.add_blob("12345");
  between.add(some_id('a'), delta_entry(3, delta));
  expect_reason(between, "where no object begins");
}

TEST(GitMalice, lying_sizes_are_told) {
  RepositoryMaker shorter;
  shorter.add(some_id('a'), entry_head(3, 3) + deflate("four"));
  expect_reason(shorter, "longer than the 3 bytes");
  RepositoryMaker longer;
  longer.add(some_id('a'), entry_head(3, 9) + deflate("four"));
  expect_reason(longer, "states 9 bytes and has 4");
  RepositoryMaker bomb;
  bomb.add(some_id('a'), entry_head(3, std::uint64_t{1} << 40) + deflate("four"));
  expect_reason(bomb, "cannot have them");
  RepositoryMaker endless;
  endless.add(some_id('a'), std::string(12, '\xb0'));
  expect_reason(endless, "cut off");
}

TEST(GitMalice, lying_deltas_are_told) {
  const auto with = [](const std::string& delta) {
    auto maker = std::make_unique<RepositoryMaker>();
    const std::uint64_t base = maker->add_blob("0123456789");
    maker->add(some_id('a'), delta_entry(maker->next() - base, delta));
    return maker;
  };
  expect_reason(*with(delta_size(11) + delta_size(5) + copy_op(0, 5)), "states a base of 11 bytes");
  expect_reason(*with(delta_size(10) + delta_size(5) + copy_op(6, 5)), "outside its base");
  expect_reason(*with(delta_size(10) + delta_size(4) + copy_op(0, 5)), "more than it states");
  expect_reason(*with(delta_size(10) + delta_size(2) + insert_op("abc")), "more than it states");
  expect_reason(*with(delta_size(10) + delta_size(9) + copy_op(0, 5)), "gives 5 bytes, not the 9");
  expect_reason(*with(delta_size(10) + delta_size(9) + std::string(1, '\0')), "unknown instruction");
  expect_reason(*with(delta_size(10) + delta_size(9) + "\x7fonly"), "cut off");
  expect_reason(*with(delta_size(10) + delta_size(9) + "\xff"), "cut off");
  expect_reason(*with(delta_size(10) + delta_size(std::uint64_t{1} << 40) + copy_op(0, 5)), "at most");
  expect_reason(*with("\xff"), "has no sizes");
}

TEST(GitMalice, what_stands_on_a_damaged_object_is_told_too) {
  RepositoryMaker maker;
  const std::uint64_t base = maker.add(blob_id("0123456789"), entry_head(3, 10) + "damaged");
  const std::string delta = delta_size(10) + delta_size(5) + copy_op(0, 5);
  const std::uint64_t child = maker.next();
  maker.add(some_id('a'), delta_entry(child - base, delta));
  maker.add(some_id('b'), delta_entry(maker.next() - child, delta));
  EXPECT_EQ(reasons(maker).size(), 3U);
}

TEST(GitMalice, unknown_types_truncation_and_wrong_checksums_are_told) {
  for (const unsigned type : {0U, 5U}) {
    RepositoryMaker maker;
    maker.add(some_id('a'), entry_head(type, 4) + deflate("four"));
    expect_reason(maker, "type");
  }
  RepositoryMaker cut;
  cut.add_blob(prose(1000, 1));
  EXPECT_EQ(reasons(cut, 25).size(), 1U);
  RepositoryMaker spoilt;
  spoilt.add_blob(token(1));
  spoilt.write(0, 1);
  const HistoryReport report = scan_all(spoilt.path());
  EXPECT_EQ(report.problem_count, 1U);
  EXPECT_EQ(report.places.size(), 1U);  // it could be read, so it was
}

TEST(GitMalice, an_object_under_a_wrong_name_is_told_when_it_holds_a_secret) {
  RepositoryMaker maker;
  const std::string text = token(1);
  const std::string tree = "100644 file" + std::string(1, '\0') + std::string(as_text(some_id('a').view()));
  const ObjectId tree_id = name_of(HashKind::sha1, ObjectType::tree, as_bytes(tree));
  const std::string commit =
      "tree " + tree_id.hex() + "\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nm\n";
  const ObjectId commit_id = name_of(HashKind::sha1, ObjectType::commit, as_bytes(commit));
  maker.add(some_id('a'), entry_head(3, text.size()) + deflate(text));
  maker.add(tree_id, entry_head(2, tree.size()) + deflate(tree));
  maker.add(commit_id, entry_head(1, commit.size()) + deflate(commit));
  maker.put("refs/heads/main", commit_id.hex() + "\n");
  maker.write();
  const HistoryReport report = scan(maker.path());
  EXPECT_EQ(report.places.size(), 1U);
  ASSERT_EQ(report.problem_count, 1U);
  EXPECT_TRUE(report.problems[0].why.contains("does not fit its name"));
}

TEST(GitMalice, a_tree_that_holds_itself_is_told) {
  RepositoryMaker maker;
  const std::string blob = token(1);
  maker.add_blob(blob);
  const std::string tree = "40000 again" + std::string(1, '\0') + std::string(as_text(some_id('a').view())) +
                           "100644 file" + std::string(1, '\0') + std::string(as_text(blob_id(blob).view()));
  const std::string commit = "tree " + some_id('a').hex() + "\n\nm\n";
  const ObjectId commit_id = name_of(HashKind::sha1, ObjectType::commit, as_bytes(commit));
  maker.add(some_id('a'), entry_head(2, tree.size()) + deflate(tree));
  maker.add(commit_id, entry_head(1, commit.size()) + deflate(commit));
  maker.put("refs/heads/main", commit_id.hex() + "\n");
  maker.write();
  const HistoryReport report = scan(maker.path());
  EXPECT_GE(report.places.size(), 1U);
  EXPECT_TRUE(std::ranges::any_of(
      report.problems, [](const GitProblem& problem) { return problem.why.contains("nested too deeply"); }));
}

TEST(GitMalice, an_index_that_lies_is_told) {
  RepositoryMaker maker;
  maker.add_blob("x");
  maker.write();
  std::ifstream file(maker.path() + "/objects/pack/pack-1.idx", std::ios::binary);
  const std::string index(std::istreambuf_iterator<char>(file), {});
  const auto problem_of = [&](const std::string& bytes) {
    maker.put("objects/pack/pack-1.idx", bytes);
    const HistoryReport report = scan_all(maker.path());
    return report.problems.empty() ? std::string() : report.problems[0].why;
  };
  EXPECT_EQ(problem_of(index), "");
  EXPECT_TRUE(problem_of(index.substr(0, 500)).contains("cut off"));
  EXPECT_TRUE(problem_of(index.substr(0, index.size() - 60)).contains("cut off"));
  std::string more = index;
  more.replace(8 + 1020, 4, big_endian(0xffffffff, 4));
  EXPECT_TRUE(problem_of(more).contains("cut off"));
  std::string falling = index;
  falling.replace(8, 4, big_endian(9, 4));
  EXPECT_TRUE(problem_of(falling).contains("counts its objects wrongly"));
  std::string version = index;
  version[7] = 3;
  EXPECT_TRUE(problem_of(version).contains("version 3"));
  std::string offset = index;
  offset.replace(8 + 1024 + 24, 4, big_endian(0x7fffffff, 4));
  EXPECT_TRUE(problem_of(offset).contains("outside its pack"));
  offset.replace(8 + 1024 + 24, 4, big_endian(0x80000007, 4));
  EXPECT_TRUE(problem_of(offset).contains("outside its pack"));
}

TEST(GitMalice, links_out_of_the_repository_are_not_followed) {
  RepositoryMaker outside;
  outside.add_blob(token(1));
  outside.write();
  RepositoryMaker maker;
  maker.add_blob("nothing");
  maker.write();
  for (const char* name : {"pack-2.pack", "pack-2.idx"})
    std::filesystem::create_symlink(outside.path() + "/objects/pack/pack-1" + std::string(name + 6),
                                    maker.path() + "/objects/pack/" + name);
  std::filesystem::create_directory_symlink(outside.path() + "/objects/pack", maker.path() + "/objects/ab");
  maker.put("objects/pack/pack-3.idx", "x");
  ::mkfifo((maker.path() + "/objects/pack/pack-3.pack").c_str(), 0600);  // would wait for ever
  std::filesystem::create_symlink("/etc/passwd", maker.path() + "/packed-refs.lock");
  const HistoryReport report = scan_all(maker.path());
  EXPECT_TRUE(report.places.empty());
  EXPECT_GE(report.problem_count, 2U);
  EXPECT_TRUE(std::ranges::any_of(report.problems, [](const GitProblem& problem) {
    return problem.why.contains("leads out of the repository");
  }));
  std::filesystem::create_symlink("/etc/passwd", maker.path() + "/packed-refs");
  EXPECT_FALSE(GitRepository::open(maker.path()).has_value());
}

TEST(GitMalice, alternates_that_name_each_other_or_nothing_end) {
  RepositoryMaker one;
  RepositoryMaker two;
  two.add_blob(token(1));
  two.write();
  std::filesystem::create_directories(one.path() + "/objects/info");
  std::filesystem::create_directories(two.path() + "/objects/info");
  one.put("objects/info/alternates", two.path() + "/objects\n");
  two.put("objects/info/alternates", one.path() + "/objects\n/nonexistent/objects\n");
  const HistoryReport report = scan_all(one.path());
  EXPECT_EQ(report.places.size(), 1U);
  ASSERT_EQ(report.problem_count, 1U);
  EXPECT_TRUE(report.problems[0].why.contains("alternate"));
}

TEST(GitMalice, loose_objects_that_lie_are_told) {
  RepositoryMaker maker;
  const auto loose = [&](char letter, const std::string& bytes) {
    std::filesystem::create_directories(maker.path() + "/objects/" + std::string(2, letter));
    maker.put("objects/" + std::string(2, letter) + "/" + std::string(38, letter), bytes);
  };
  loose('a', deflate(std::string("blob 5\0four", 11)));
  loose('b', deflate("no head at all"));
  loose('c', "not compressed");
  loose('d', deflate(std::string("blub 4\0four", 11)));
  loose('e', "");
  loose('f', deflate(std::string("blob 46\0", 8) + token(1) + "123456"));
  const HistoryReport report = scan_all(maker.path());
  EXPECT_EQ(report.places.size(), 0U);  // f has another name than its content, and a wrong token
  EXPECT_EQ(report.problem_count, 5U);
}

}  // namespace
}  // namespace claviger::scan
