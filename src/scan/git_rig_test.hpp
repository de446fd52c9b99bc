// What tests of git reading share: repositories made by the real git, planted tokens, and the slow way to
// find them again.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/encoding.hpp"
#include "detect/engine.hpp"
#include "scan/git_history.hpp"

namespace claviger::scan {

inline std::shared_ptr<const detect::Engine> engine() {
  static const auto made = detect::Engine::built_in();
  return made.value();
}

// A GitHub token that proves itself by its checksum; every number gives another one.
inline std::string token(std::uint64_t number) {
  static constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string body;
  std::uint64_t state = number * 0x9e3779b97f4a7c15ULL + 12345;
  for (int i = 0; i < 30; ++i) {
    state ^= state >> 31;
    state *= 0xbf58476d1ce4e5b9ULL;
    state ^= state >> 27;
    body += kLetters[state % 62];
  }
  const std::uint32_t sum = crc32(body);
  const std::uint8_t bytes[] = {static_cast<std::uint8_t>(sum >> 24), static_cast<std::uint8_t>(sum >> 16),
                                static_cast<std::uint8_t>(sum >> 8), static_cast<std::uint8_t>(sum)};
  return "ghp_" + body + base62(bytes, 6);
}

// Text that holds no secret and differs for every number.
inline std::string prose(std::size_t size, std::uint64_t number) {
  static constexpr const char* kWords[] = {"lorem ", "ipsum ", "dolor ", "sit ",
                                           "amet\n", "elit ",  "sed ",   "do\n"};
  std::string text;
  std::uint64_t state = number + 1;
  while (text.size() < size) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += kWords[state >> 61];
  }
  text.resize(size);
  return text;
}

// A folder that goes away with the object.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "claviger-git-XXXXXX").string();
    path_ = std::filesystem::canonical(::mkdtemp(name.data())).string();
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What a shell command prints; the test fails when it does.
inline std::string shell(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  char buffer[65536];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, got);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return out;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  return lines;
}

// A repository driven by the real git, with dates that rise by a minute a commit.
class GitRig {
 public:
  explicit GitRig(const std::string& init = "init -q -b main") {
    std::filesystem::create_directory(folder_ / "work");
    git(init + " .");
  }

  std::string path() const { return folder_ / "work"; }
  const TempFolder& folder() const { return folder_; }

  std::string git(const std::string& arguments) const { return git_in(path(), arguments); }
  std::string git_in(const std::string& where, const std::string& arguments) const {
    const std::string date = std::to_string(1'700'000'000 + 60 * clock_) + " +0200";
    return shell(
        "cd '" + where + "' && HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME='Ada Author'" +
        " GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Carl GIT_COMMITTER_EMAIL=carl@example.org" +
        " GIT_AUTHOR_DATE='" + date + "' GIT_COMMITTER_DATE='" + date + "' git -c gc.auto=0" +
        " -c protocol.file.allow=always " + arguments + " 2>&1");
  }
  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path where = path() + "/" + file;
    std::filesystem::create_directories(where.parent_path());
    std::ofstream(where, std::ios::binary) << text;
  }
  // Commits everything; the commit's id.
  std::string commit(const std::string& message = "change") {
    ++clock_;
    git("add -A");
    git("commit -q --allow-empty -m '" + message + "'");
    return lines_of(git("rev-parse HEAD"))[0];
  }
  void tick() { ++clock_; }

 private:
  TempFolder folder_;
  int clock_ = 0;
};

// path, secret, first commit, last commit, still in HEAD
using Told = std::tuple<std::string, std::string, std::string, std::string, bool>;

// What the scan tells of files.
inline std::set<Told> told_of(const HistoryReport& report) {
  std::set<Told> told;
  for (const HistoryPlace& place : report.places)
    if (place.kind == HistoryKind::file)
      told.emplace(place.path, place.hit.secret, place.first->id.hex(), place.last->id.hex(),
                   place.still_in_head);
  return told;
}

inline HistoryReport scan(const std::string& path, HistoryOptions options = {}) {
  const auto repository = GitRepository::open(path);
  EXPECT_TRUE(repository.has_value()) << (repository ? "" : repository.error().detail);
  if (options.threads == 1) options.threads = 2;
  HistoryProgress progress;
  auto report = scan_history(*repository, options, engine(), progress);
  EXPECT_TRUE(report.has_value()) << (report ? "" : report.error().detail);
  return report ? std::move(*report) : HistoryReport();
}

// The same, the slow way: every commit of `revisions`, every file of its tree, every byte of it through git.
inline std::set<Told> slowly(const GitRig& rig, const std::string& where,
                             const std::string& revisions = "--all") {
  detect::Engine::Scanner scanner(engine());
  std::map<std::string, std::vector<std::string>> secrets;  // by blob
  std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>> seen;
  std::set<std::pair<std::string, std::string>> in_head;
  const auto look = [&](const std::string& commit, auto&& each) {
    for (const std::string& line :
         lines_of(rig.git_in(where, "-c core.quotePath=false ls-tree -r " + commit))) {
      if (line.substr(7, 4) != "blob") continue;  // a submodule
      const std::string blob = line.substr(12, line.find('\t') - 12);
      const std::string path = line.substr(line.find('\t') + 1);
      if (!secrets.contains(blob)) {
        secrets[blob];
        const std::string text = rig.git_in(where, "cat-file blob " + blob);
        scanner.scan(text, {.path = path},
                     [&](const detect::Hit& hit) { secrets[blob].push_back(hit.secret); });
      }
      for (const std::string& secret : secrets[blob]) each(path, secret);
    }
  };
  for (const std::string& commit :
       lines_of(rig.git_in(where, "rev-list --reverse --date-order " + revisions)))
    look(commit, [&](const std::string& path, const std::string& secret) {
      auto& [first, last] = seen[{path, secret}];
      if (first.empty()) first = commit;
      last = commit;
    });
  look("HEAD", [&](const std::string& path, const std::string& secret) { in_head.emplace(path, secret); });
  std::set<Told> told;
  for (const auto& [place, commits] : seen)
    told.emplace(place.first, place.second, commits.first, commits.second, in_head.contains(place));
  return told;
}

}  // namespace claviger::scan
