// Looking at what changes.
#include "app/watch.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/command.hpp"
#include "app/scan_command.hpp"
#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "scan/git_repository.hpp"

namespace claviger::app {
namespace {

constexpr int kRest = 30;                        // looks left out after a failure
constexpr std::size_t kFiles = 10'000;           // of one folder
constexpr std::size_t kMarks = 4 * 1024 * 1024;  // bytes of what is remembered of a watch

// "name\tmark" lines.
std::map<std::string, std::string> read_marks(std::string_view text) {
  std::map<std::string, std::string> marks;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t tab = line.rfind('\t');
    if (tab != std::string_view::npos) marks.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return marks;
}

std::string write_marks(const std::map<std::string, std::string>& marks) {
  std::string text;
  for (const auto& [name, mark] : marks) text += fmt::format("{}\t{}\n", name, mark);
  return text;
}

std::string file_of(const WatchConfig& watch) {
  return hex(crypto::sha256(watch.repository + "\n" + watch.folder));
}

// "INODE:BYTES"; nothing for what is no regular file.
std::optional<std::pair<std::string, std::uint64_t>> identity_of(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return std::pair(std::to_string(info.st_ino), static_cast<std::uint64_t>(info.st_size));
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

struct Watcher::Finding {
  std::string sha256, place;
};

Watcher::Watcher(std::string data, std::vector<WatchConfig> watches)
    : data_(std::move(data)), watches_(std::move(watches)) {
  thread_ = std::thread([this] { run(); });
}

Watcher::~Watcher() {
  {
    const std::scoped_lock lock(lock_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Watcher::adopt(std::vector<WatchConfig> watches) {
  const std::scoped_lock lock(lock_);
  watches_ = std::move(watches);
}

void Watcher::run() {
  for (;;) {
    std::vector<WatchConfig> watches;
    {
      std::unique_lock lock(lock_);
      wake_.wait_for(lock, std::chrono::milliseconds(limits::kWatchMs), [this] { return stopping_; });
      if (stopping_) return;
      watches = watches_;
    }
    for (const WatchConfig& watch : watches) {
      int& rest = resting_[watch.name];
      if (rest > 0) {
        --rest;
        continue;
      }
      if (!look(watch)) rest = kRest;
    }
  }
}

// How far it was is kept after the report was taken: a crash in between reports again, which changes nothing.
bool Watcher::look(const WatchConfig& watch) {
  const auto folder = PosixFolder::open(data_ + "/watch");
  if (!folder) return false;
  const auto text = (*folder)->read(file_of(watch), 0, kMarks);
  const bool first = !text.has_value();
  Marks marks = first ? Marks{} : read_marks(*text);
  const Marks before = marks;
  const auto looked = watch.repository.empty() ? look_at_folder(watch, marks, first)
                                               : look_at_repository(watch, marks, first);
  if (first || marks != before) (void)(*folder)->replace(file_of(watch), write_marks(marks), Sync::no);
  if (looked) return true;
  spdlog::warn("watch {}: {}; looking again later", watch.name, told(looked.error()));
  return false;
}

Result<void> Watcher::look_at_repository(const WatchConfig& watch, Marks& marks, bool first) {
  TRY(const scan::GitRepository repository, scan::GitRepository::open(watch.repository));
  scan::GitProblems problems;
  Marks now;
  for (const scan::GitRef& ref : repository.refs(problems)) now[ref.name] = ref.id.hex();
  std::string known;  // some commit that was scanned before
  for (const auto& [name, id] : marks) known = id;
  for (const auto& [name, id] : now) {
    const auto before = marks.find(name);
    if (first || (before != marks.end() && before->second == id)) continue;
    bool seen = false;
    for (const auto& [other, scanned] : marks) seen |= scanned == id;
    if (!seen) TRY_VOID(scan_commits(watch, name, before != marks.end() ? before->second : known, id));
    marks[name] = id;
  }
  marks = std::move(now);
  return {};
}

// The scanner itself, reporting to the server over its own socket. A commit to begin from that is gone (a
// rewritten branch) means all of the branch.
Result<void> Watcher::scan_commits(const WatchConfig& watch, const std::string& ref, const std::string& from,
                                   const std::string& to) {
  for (const bool whole : {from.empty(), true}) {
    ScanAsked asked;
    asked.path = watch.repository;
    asked.history = true;
    asked.no_progress = true;
    asked.report_leaks = true;
    asked.match = data_;
    asked.threads = 1;
    if (whole)
      asked.branches = {ref};
    else
      asked.range = from + ".." + to;
    std::ostringstream out, err;
    Terminal terminal{out, err, 0, {}, {}};
    const int code = run_scan(asked, terminal);
    if (code == kOk || code == kNegative) return {};
    if (whole) return fail(Code::io_failed, err.str(), fmt::format("{} could not be scanned.", ref));
  }
  return {};
}

Result<void> Watcher::look_at_folder(const WatchConfig& watch, Marks& marks, bool first) {
  std::error_code error;
  std::size_t files = 0;
  Marks now;
  const auto options = std::filesystem::directory_options::skip_permission_denied;
  for (auto at = std::filesystem::recursive_directory_iterator(watch.folder, options, error);
       !error && at != std::filesystem::recursive_directory_iterator() && files < kFiles;
       at.increment(error)) {
    const std::string path = at->path().string();
    const auto identity = identity_of(path);
    if (!identity || path.find('\n') != std::string::npos || path.find('\t') != std::string::npos) continue;
    ++files;
    const auto& [inode, size] = *identity;
    const auto before = marks.find(path);
    std::uint64_t read = first ? size : 0;
    if (before != marks.end() && before->second.starts_with(inode + ":"))
      read = number_of(std::string_view(before->second).substr(inode.size() + 1));
    if (read > size) read = 0;  // cut, and written anew
    if (read < size) TRY_VOID(scan_file(watch, path, read, size));
    now[path] = fmt::format("{}:{}", inode, size);
  }
  if (error) return fail(Code::io_failed, error.message(), fmt::format("{} cannot be read.", watch.folder));
  marks = std::move(now);
  return {};
}

// The bytes from `from` on, with as many before them as a secret that stands across may take.
Result<void> Watcher::scan_file(const WatchConfig& watch, const std::string& path, std::uint64_t from,
                                std::uint64_t size) {
  if (!engine_) {
    TRY(engine_, detect::Engine::built_in());
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<Finding> found;
  detect::Engine::Scanner scanner(engine_);
  std::uint64_t at = from > detect::kSeam ? from - detect::kSeam : 0;
  std::string window(limits::kReadWindow, '\0');
  while (at < size) {
    file.clear();
    file.seekg(static_cast<std::streamoff>(at));
    file.read(window.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(window.size(), size - at)));
    const auto got = static_cast<std::size_t>(file.gcount());
    if (got == 0) break;
    scanner.scan(std::string_view(window).substr(0, got), {path}, [&](const detect::Hit& hit) {
      found.push_back({hex(crypto::sha256(hit.secret)), fmt::format("{} at byte {}", path, at + hit.begin)});
    });
    if (at + got >= size) break;
    at += got > detect::kSeam ? got - detect::kSeam : got;
  }
  crypto::wipe(window);
  return report(watch, found);
}

Result<void> Watcher::report(const WatchConfig& watch, const std::vector<Finding>& found) {
  if (found.empty()) return {};
  TRY(const auto door, open_door({data_, "", {}}));
  for (std::size_t first = 0; first < found.size(); first += limits::kMatchBatch) {
    Json hashes = Json::array(), places = Json::array();
    for (std::size_t i = first; i < std::min(found.size(), first + limits::kMatchBatch); ++i) {
      hashes.push_back(found[i].sha256);
      places.push_back(found[i].place);
    }
    const Json body{
        {"sha256", std::move(hashes)}, {"source", "watch " + watch.name}, {"places", std::move(places)}};
    TRY(const console::ApiResponse answer, door->ask(request("POST", "/api/v1/leaks", body)));
    if (answer.status >= 300) return std::unexpected(error_of(answer));
  }
  return {};
}

}  // namespace claviger::app
