// Tests of a history scan: every form in which git keeps objects gives the findings of a slow scan through
// git.
#include "scan/git_history.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "scan/git_rig_test.hpp"

namespace claviger::scan {
namespace {

namespace fs = std::filesystem;

// A history with branches, a merge, renames, removals, comebacks, large files, equal secrets at many places.
void live(GitRig& rig) {
  rig.write("README", prose(500, 1));
  rig.commit();
  std::string large = prose(200'000, 2);
  rig.write("src/large.txt", large);
  rig.write("src/deep/er/still/config.py", "key = '" + token(1) + "'\n");
  rig.commit();
  for (std::uint64_t i = 0; i < 12; ++i) {
    large.insert(17'000 * i + 65'536 % (i + 1), "\nx = \"" + token(100 + i) + "\"\n");
    rig.write("src/large.txt", large);
    rig.write("notes/" + std::to_string(i) + ".md", prose(3000 + 50 * i, i / 3) + token(200 + i / 2) + "\n");
    rig.commit();
  }
  rig.git("checkout -q -b side HEAD~4");
  rig.write("side.env", "TOKEN=" + token(2) + "\nOTHER=" + token(2) + "\n");
  rig.commit();
  rig.git("checkout -q main");
  rig.git("mv src/deep/er/still/config.py src/config.py");
  rig.commit();
  rig.tick();
  rig.git("merge -q -m merged side");
  rig.git("rm -q side.env notes/3.md");
  rig.commit();
  rig.write("notes/3.md", prose(3000, 9) + token(201) + "\n");  // comes back
  rig.commit();
  rig.git("checkout -q -b other HEAD~2");
  rig.write("only/other.txt", token(3));
  rig.commit();
  rig.git("tag -a -m annotated v1");
  rig.git("checkout -q main");
  rig.write("src/config.py", "key = 'none'\n");
  rig.commit();
}

void expect_same(const GitRig& rig, const std::string& where, HistoryOptions options = {}) {
  const HistoryReport report = scan(where, std::move(options));
  EXPECT_EQ(told_of(report), slowly(rig, where));
  EXPECT_EQ(report.problem_count, 0U) << report.problems[0].what << ": " << report.problems[0].why;
}

TEST(GitHistory, loose_objects_give_what_a_slow_scan_gives) {
  GitRig rig;
  live(rig);
  expect_same(rig, rig.path());
  const HistoryReport report = scan(rig.path());
  EXPECT_GE(report.places.size(), 20U);
}

TEST(GitHistory, packs_of_every_form_give_what_a_slow_scan_gives) {
  GitRig rig;
  live(rig);
  const std::set<Told> expected = slowly(rig, rig.path());
  for (const char* form : {"gc -q", "repack -q -a -d -f --depth=4000 --window=100",
                           "-c repack.useDeltaBaseOffset=false repack -q -a -d -f",
                           "-c pack.indexVersion=1 repack -q -a -d -f", "repack -q -a -d -f --depth=0"}) {
    SCOPED_TRACE(form);
    rig.git(form);
    ASSERT_TRUE(lines_of(rig.git("count-objects -v"))[0] == "count: 0");
    const HistoryReport report = scan(rig.path());
    EXPECT_EQ(told_of(report), expected);
    EXPECT_EQ(report.problem_count, 0U);
  }
}

TEST(GitHistory, a_secret_at_any_offset_of_any_chain_of_deltas_is_found) {
  GitRig rig;
  std::string text = prose(150'000, 5);
  rig.write("file", text);
  rig.commit();
  // Around the 64 KiB at which git splits copies, at both ends, and where the last insertion begins and ends.
  std::vector<std::size_t> offsets{0, text.size()};
  for (const std::size_t at : {65'496U, 65'516U, 65'535U, 65'536U, 65'537U, 131'052U, 131'072U})
    offsets.push_back(at);
  for (std::size_t i = 0; i < 14; ++i) offsets.push_back(offsets[i % offsets.size()] + i * 41 + i % 3);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    text.insert(std::min(offsets[i], text.size()), " " + token(300 + i) + "\n");
    if (i % 4 == 3) text.erase(30'000, 2'000);
    rig.write("file", text);
    rig.commit();
  }
  const auto secrets = [&] {
    std::set<std::string> found;
    for (const HistoryPlace& place : scan(rig.path()).places) found.insert(place.hit.secret);
    return found;
  };
  std::set<std::string> planted;
  for (std::size_t i = 0; i < offsets.size(); ++i) planted.insert(token(300 + i));
  EXPECT_EQ(secrets(), planted);
  for (const char* depth : {"1", "4", "4000"}) {
    rig.git(std::string("repack -q -a -d -f --window=40 --depth=") + depth);
    EXPECT_EQ(secrets(), planted) << "depth " << depth;
  }
}

TEST(GitHistory, large_objects_lie_in_files_and_bases_that_were_dropped_are_made_again) {
  GitRig rig;
  std::string text = prose(30'000'000, 6);
  rig.write("large", text + "\n" + token(1) + "\n");
  rig.commit();
  text.insert(1'000, "\n" + token(2) + "\n");
  rig.write("large", text);
  rig.write("other", prose(90'000, 7));
  rig.commit();
  for (std::uint64_t i = 0; i < 30; ++i) {  // all near to one text, so that bases have several children
    rig.write("other", prose(90'000, 7).insert(3'000 * i, "\n" + token(400 + i) + "\n"));
    rig.commit();
  }
  rig.git("repack -q -a -d -f --window=60 --depth=4000");
  HistoryOptions tight;
  tight.memory = 512 * 1024;  // holds a few bases of `other` only
  const std::set<Told> told = told_of(scan(rig.path(), tight));
  EXPECT_EQ(told, told_of(scan(rig.path())));
  EXPECT_EQ(told.size(), 32U);
}

TEST(GitHistory, packs_under_a_multi_pack_index_are_read_without_their_own) {
  GitRig rig;
  rig.write("a", token(1));
  rig.commit();
  rig.git("repack -q -d");
  rig.write("b", prose(70'000, 3) + token(2));
  rig.commit();
  rig.git("repack -q -d");
  rig.git("multi-pack-index write");
  rig.write("c", token(3));  // and one loose object beside them
  rig.commit();
  expect_same(rig, rig.path());
  const std::set<Told> expected = slowly(rig, rig.path());
  std::size_t removed = 0;
  for (const auto& file : fs::directory_iterator(rig.path() + "/.git/objects/pack"))
    if (file.path().extension() == ".idx") removed += fs::remove(file.path()) ? 1 : 0;
  EXPECT_EQ(removed, 2U);
  EXPECT_EQ(told_of(scan(rig.path())), expected);
}

TEST(GitHistory, sha256_repositories_give_what_a_slow_scan_gives) {
  GitRig rig("init -q -b main --object-format=sha256");
  live(rig);
  expect_same(rig, rig.path());
  rig.git("gc -q");
  expect_same(rig, rig.path());
  rig.git("multi-pack-index write");
  expect_same(rig, rig.path());
}

TEST(GitHistory, alternates_bare_clones_and_work_trees_are_read) {
  GitRig rig;
  live(rig);
  rig.git("gc -q");
  rig.git("clone -q --shared . ../shared");
  expect_same(rig, rig.folder() / "shared");
  rig.git("clone -q --mirror . ../bare.git");
  expect_same(rig, rig.folder() / "bare.git");
  rig.git("worktree add -q ../tree side");
  const HistoryReport report = scan(rig.folder() / "tree");
  EXPECT_EQ(told_of(report), slowly(rig, rig.folder() / "tree"));
  EXPECT_EQ(told_of(scan(rig.folder() / "tree/notes")), told_of(report));  // from a folder inside
}

TEST(GitHistory, a_shallow_clone_is_scanned_and_says_that_it_is_shallow) {
  GitRig rig;
  live(rig);
  rig.git("clone -q --depth 4 --no-single-branch file://" + rig.path() + " ../shallow");
  const HistoryReport report = scan(rig.folder() / "shallow");
  EXPECT_EQ(told_of(report), slowly(rig, rig.folder() / "shallow"));
  EXPECT_EQ(report.problem_count, 0U);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("shallow"), std::string::npos);
}

TEST(GitHistory, a_partial_clone_counts_what_it_lacks_and_fails_only_when_asked_to) {
  GitRig rig;
  live(rig);
  rig.git("config uploadpack.allowFilter true");
  rig.git("clone -q --filter=blob:limit=1k file://" + rig.path() + " ../partial");
  HistoryReport report = scan(rig.folder() / "partial");
  EXPECT_GT(report.missing, 5U);
  EXPECT_EQ(report.problem_count, 0U);
  EXPECT_GT(report.places.size(), 3U);  // what is here is scanned
  HistoryOptions strict;
  strict.promised_is_error = true;
  EXPECT_EQ(scan(rig.folder() / "partial", strict).problem_count, report.missing);
}

TEST(GitHistory, submodules_are_repositories_of_their_own) {
  GitRig inner;
  inner.write("in", token(7));
  inner.commit();
  GitRig rig;
  rig.git("submodule --quiet add " + inner.path() + " sub/module");
  rig.commit();
  expect_same(rig, rig.path());
  const auto repository = GitRepository::open(rig.path());
  ASSERT_TRUE(repository.has_value());
  GitProblems problems;
  const std::vector<std::string> submodules = repository->submodules(problems);
  ASSERT_EQ(submodules.size(), 1U);
  EXPECT_EQ(told_of(scan(submodules[0])).size(), 1U);
  EXPECT_EQ(told_of(scan(rig.path() + "/sub/module")), told_of(scan(submodules[0])));
}

TEST(GitHistory, ranges_branches_and_dates_restrict_what_counts) {
  GitRig rig;
  rig.write("a", token(1));
  const std::string first = rig.commit();
  rig.write("b", token(2));
  const std::string second = rig.commit();
  rig.write("a", prose(40, 1) + "\n" + token(1));  // changed, nothing new
  rig.write("c", token(3));
  const std::string third = rig.commit();
  rig.git("checkout -q -b side " + first);
  rig.write("d", token(4));
  rig.commit();
  rig.git("checkout -q main");
  const auto paths = [&](HistoryOptions options) {
    std::set<std::string> out;
    for (const HistoryPlace& place : scan(rig.path(), std::move(options)).places) out.insert(place.path);
    return out;
  };
  using Paths = std::set<std::string>;
  EXPECT_EQ(paths({}), (Paths{"a", "b", "c", "d"}));
  EXPECT_EQ(paths({.range = "HEAD~1..HEAD"}), (Paths{"c"}));
  EXPECT_EQ(paths({.range = first.substr(0, 8) + ".."}), (Paths{"b", "c"}));
  EXPECT_EQ(paths({.range = "main..side"}), (Paths{"d"}));
  EXPECT_EQ(paths({.range = "side..side"}), Paths());
  EXPECT_EQ(paths({.branches = {"side"}}), (Paths{"a", "d"}));
  EXPECT_EQ(paths({.since_s = 1'700'000'000 + 120}), (Paths{"b", "c", "d"}));
  EXPECT_EQ(paths({.since_s = 1'800'000'000}), Paths());
  const HistoryReport part = scan(rig.path(), {.range = "HEAD~2..HEAD~1"});
  EXPECT_EQ(part.commits, 1U);
  EXPECT_EQ(part.places.at(0).first->id.hex(), second);
  for (const char* range : {"HEAD", "a...b", "HEAD~9..HEAD", "nobody..HEAD", "HEAD@{1}..HEAD"}) {
    SCOPED_TRACE(range);
    HistoryProgress progress;
    const auto refused = scan_history(*GitRepository::open(rig.path()), {.range = range}, engine(), progress);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::invalid_input);
  }
}

TEST(GitHistory, unreachable_objects_and_reflogs_are_told_only_with_all_objects) {
  GitRig rig;
  rig.write("a", "nothing");
  rig.commit();
  rig.write("dropped", token(1));
  const std::string dropped = rig.commit();
  rig.git("reset -q --hard HEAD~1");
  rig.write("staged_once", token(2));
  rig.git("add -A");
  rig.git("rm -q -f --cached staged_once");
  for (const bool packed : {false, true}) {
    SCOPED_TRACE(packed);
    if (packed) rig.git("repack -q -a -d -k");
    EXPECT_TRUE(scan(rig.path()).places.empty());
    HistoryOptions all;
    all.all_objects = true;
    const HistoryReport report = scan(rig.path(), all);
    ASSERT_EQ(report.places.size(), 2U);
    EXPECT_EQ(report.places[0].kind, HistoryKind::loose_end);
    EXPECT_EQ(report.places[0].hit.secret, token(2));
    EXPECT_EQ(report.places[1].path, "dropped");
    EXPECT_EQ(report.places[1].first->id.hex(), dropped);
    EXPECT_FALSE(report.places[1].still_in_head);
  }
}

TEST(GitHistory, messages_of_commits_and_tags_are_scanned) {
  GitRig rig;
  const std::string commit = rig.commit("see\n\nthe key is " + token(1));
  rig.git("tag -a -m 'tagged with " + token(2) + "' v1");
  const HistoryReport report = scan(rig.path());
  ASSERT_EQ(report.places.size(), 2U);
  for (const HistoryPlace& place : report.places) {
    if (place.kind == HistoryKind::commit_message) {
      EXPECT_EQ(place.hit.secret, token(1));
      EXPECT_EQ(place.first->id.hex(), commit);
      EXPECT_EQ(place.at.line, 3);
      EXPECT_EQ(place.at.column, 12);
      EXPECT_TRUE(place.still_in_head);
    } else {
      EXPECT_EQ(place.kind, HistoryKind::tag_message);
      EXPECT_EQ(place.hit.secret, token(2));
    }
  }
}

TEST(GitHistory, a_place_tells_who_when_and_where) {
  GitRig rig;
  rig.write("dir/file name", "one\ntwo = " + token(1) + "\n");
  const std::string first = rig.commit();
  rig.write("dir/file name", "zero\none\ntwo = " + token(1) + "\n");  // the line moves, the place stays
  const std::string second = rig.commit();
  rig.git("rm -q 'dir/file name'");
  rig.commit();
  const HistoryReport report = scan(rig.path());
  ASSERT_EQ(report.places.size(), 1U);
  const HistoryPlace& place = report.places[0];
  EXPECT_EQ(place.path, "dir/file name");
  EXPECT_EQ(place.at.line, 2);
  EXPECT_EQ(place.at.column, 7);
  EXPECT_EQ(place.at.end_line, 2);
  EXPECT_EQ(place.first->id.hex(), first);
  EXPECT_EQ(place.first->author, "Ada Author");
  EXPECT_EQ(place.first->email, "ada@example.org");
  EXPECT_EQ(date_text(*place.first), "2023-11-15T00:14:20+02:00");
  EXPECT_EQ(place.last->id.hex(), second);
  EXPECT_FALSE(place.still_in_head);
}

TEST(GitHistory, names_with_newlines_and_strange_bytes_are_told_as_they_are) {
  GitRig rig;
  rig.write("new\nline/\xff\x01.txt", token(1));
  rig.commit();
  const HistoryReport report = scan(rig.path());
  ASSERT_EQ(report.places.size(), 1U);
  EXPECT_EQ(report.places[0].path, "new\nline/\xff\x01.txt");
}

TEST(GitHistory, reftable_and_unknown_formats_are_refused_with_a_sentence) {
  GitRig rig;
  rig.commit();
  rig.git("config core.repositoryformatversion 1");
  rig.git("config extensions.refStorage reftable");
  const auto reftable = GitRepository::open(rig.path());
  ASSERT_FALSE(reftable.has_value());
  EXPECT_EQ(reftable.error().code, Code::invalid_input);
  EXPECT_NE(reftable.error().say.find("reftable"), std::string::npos);
  const auto nothing = GitRepository::open("/");
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, Code::not_found);
}

TEST(GitHistory, archives_are_opened_when_asked) {
  GitRig rig;
  const auto pack = [&](const std::string& inner, const std::string& outer) {
    std::filesystem::create_directories(rig.path() + "/dist");
    shell("cd '" + rig.path() + "' && tar czf dist/" + outer + " " + inner + " && rm " + inner);
  };
  rig.write("app.env", "A=1\nTOKEN=" + token(1) + "\nOLD=" + token(4) + "  # claviger:allow\n");
  pack("app.env", "app.tgz");
  rig.write("plain.env", "TOKEN=" + token(2) + "\n");
  const std::string first = rig.commit();
  const std::string second = rig.commit();
  rig.git("rm -q dist/app.tgz");
  rig.commit();
  rig.write("lost.env", "TOKEN=" + token(3) + "\n");
  pack("lost.env", "lost.tgz");
  rig.git("hash-object -w dist/lost.tgz");
  for (const char* form : {"", "repack -q -a -d -k"}) {
    if (*form != '\0') rig.git(form);
    EXPECT_EQ(scan(rig.path()).places.size(), 1U) << "packed bytes tell nothing";
    HistoryOptions options;
    options.archives = Archives::opened;
    const HistoryReport report = scan(rig.path(), options);
    ASSERT_EQ(report.places.size(), 2U);
    const HistoryPlace& place = report.places[0];
    EXPECT_EQ(place.path, "dist/app.tgz!/app.env");
    EXPECT_EQ(place.hit.secret, token(1));
    EXPECT_EQ(std::pair(place.at.line, place.at.column), std::pair(std::int64_t{2}, std::int64_t{7}));
    EXPECT_EQ(std::pair(place.first->id.hex(), place.last->id.hex()), std::pair(first, second));
    EXPECT_FALSE(place.still_in_head);
    EXPECT_EQ(report.allowed, 1U);
    options.all_objects = true;
    const HistoryReport all = scan(rig.path(), options);
    ASSERT_EQ(all.places.size(), 3U);
    const auto lost = std::ranges::find(all.places, HistoryKind::loose_end, &HistoryPlace::kind);
    ASSERT_NE(lost, all.places.end());
    EXPECT_EQ(lost->path, "!/lost.env");
    EXPECT_EQ(lost->hit.secret, token(3));
    EXPECT_EQ(all.problem_count, 0U);
  }
}

TEST(GitHistory, what_a_comment_allows_is_counted_once_a_version_of_its_file) {
  GitRig rig;
  const std::string allowed = "OLD=" + token(4) + "  # claviger:allow\n";
  for (const std::string& text : {allowed, allowed + "TOKEN=" + token(1) + "\n"}) {
    rig.write("app.env", text);
    rig.commit();
  }
  rig.git("gc -q");
  const HistoryReport report = scan(rig.path());
  EXPECT_EQ(report.places.size(), 1U);
  EXPECT_EQ(report.allowed, 2U);
}

TEST(GitHistory, an_archive_that_cannot_be_read_is_told_by_its_blob) {
  GitRig rig;
  rig.write("broken.gz", "\x1f\x8b\x08" + std::string(60, 'x'));
  rig.commit();
  HistoryOptions options;
  options.archives = Archives::opened;
  const HistoryReport report = scan(rig.path(), options);
  ASSERT_EQ(report.problem_count, 1U);
  EXPECT_TRUE(report.problems[0].what.starts_with("blob:")) << report.problems[0].what;
}

}  // namespace
}  // namespace claviger::scan
