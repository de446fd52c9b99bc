// Finds the parts of a repository and reads its configuration.
#include "scan/git_repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/limits.hpp"

namespace claviger::scan {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// A path that a file of the repository names, relative to `from`.
std::string absolute(const std::string& from, std::string_view named) {
  const fs::path path = named.starts_with('/') ? fs::path(named) : fs::path(from) / named;
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? path.lexically_normal().string() : real.string();
}

bool is_git_dir(const fs::path& path) {
  std::error_code error;
  if (fs::symlink_status(path / "HEAD", error).type() == fs::file_type::not_found) return false;
  return fs::is_directory(path / "objects", error) || fs::is_regular_file(path / "commondir", error);
}

struct Found {
  std::string git_dir;
  std::string work_tree;
};

// What stands at `path` itself; nullopt when that is no repository.
Result<std::optional<Found>> look_at(const fs::path& path) {
  std::error_code error;
  const fs::path dot = path.filename() == ".git" ? path : path / ".git";
  const std::string tree = dot.parent_path().string();
  if (fs::is_regular_file(dot, error)) {
    TRY(const GitFolder folder, GitFolder::open(tree));
    TRY(const std::string text, folder.read(".git", 64 * 1024));
    if (!text.starts_with("gitdir:"))
      return fail(Code::corrupt, fmt::format("{} does not say where its repository lies", dot.string()));
    return Found{absolute(tree, trim(std::string_view(text).substr(7))), tree};
  }
  if (is_git_dir(dot)) return Found{dot.string(), tree};
  if (is_git_dir(path)) return Found{path.string(), {}};
  return std::nullopt;
}

Result<Found> discover(const std::string& path) {
  std::error_code error;
  fs::path at = fs::absolute(path, error);
  // The folder itself may be a link; a .git that is one leads to the repository, as with git.
  if (const fs::path real = fs::canonical(at, error); !error) at = real;
  while (true) {
    TRY(auto found, look_at(at));
    if (found) return std::move(*found);
    if (!at.has_relative_path()) break;
    at = at.parent_path();
  }
  return fail(Code::not_found, fmt::format("{} is not in a git repository", path),
              fmt::format("{} is not in a git repository.", path));
}

struct Setting {
  std::string section, subsection, name, value;
};

// The lines "name = value" of a configuration under their sections; comments and what is not understood fall
// out.
std::vector<Setting> settings(std::string_view text) {
  std::vector<Setting> out;
  std::string section, subsection;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trim(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.starts_with('[')) {
      const std::string_view head = line.substr(1, line.find(']') - 1);
      const std::size_t quote = head.find('"');
      section = lower(trim(head.substr(0, quote)));
      subsection = quote == std::string_view::npos
                       ? std::string()
                       : std::string(head.substr(quote + 1, head.rfind('"') - quote - 1));
      continue;
    }
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    const std::size_t equals = line.find('=');
    const std::string_view value = equals == std::string_view::npos ? "true" : trim(line.substr(equals + 1));
    out.push_back({section, subsection, lower(trim(line.substr(0, equals))), std::string(value)});
  }
  return out;
}

}  // namespace

Result<GitRepository> GitRepository::open(const std::string& path) {
  TRY(Found found, discover(path));
  TRY(GitFolder git_dir, GitFolder::open(found.git_dir));
  std::string common = found.git_dir;
  if (const auto text = git_dir.read("commondir", 64 * 1024)) {
    common = absolute(found.git_dir, trim(*text));
  } else if (text.error().code != Code::not_found) {
    return std::unexpected(text.error());
  }
  TRY(GitFolder common_dir, GitFolder::open(common));
  GitRepository repository(std::move(git_dir), std::move(common_dir));
  repository.work_tree_ = std::move(found.work_tree);
  TRY_VOID(repository.read_config());
  if (const auto text = repository.common_dir_.read("packed-refs", limits::kGitSmallFile)) {
    for (std::size_t begin = 0; begin < text->size();) {
      const std::size_t end = std::min(text->find('\n', begin), text->size());
      const std::string_view line = std::string_view(*text).substr(begin, end - begin);
      begin = end + 1;
      const std::size_t space = line.find(' ');
      if (line.empty() || line[0] == '#' || line[0] == '^' || space == std::string_view::npos) continue;
      if (const auto id = ObjectId::parse(line.substr(0, space)))
        repository.packed_.push_back({std::string(line.substr(space + 1)), *id});
    }
    std::ranges::sort(repository.packed_, {}, &GitRef::name);
  } else if (text.error().code != Code::not_found) {
    return std::unexpected(text.error());
  }
  return repository;
}

Result<void> GitRepository::read_config() {
  const auto text = common_dir_.read("config", limits::kGitSmallFile);
  if (!text) return text.error().code == Code::not_found ? Result<void>() : std::unexpected(text.error());
  const auto unsupported = [&](std::string_view what) {
    const std::string say = fmt::format("{}: {}", common_dir_.path(), what);
    return fail(Code::invalid_input, say, say);
  };
  for (const Setting& setting : settings(*text)) {
    const std::string value = lower(setting.value);
    if (setting.section == "remote" && setting.name == "promisor") is_partial_ |= value != "false";
    if (setting.section == "core" && setting.name == "repositoryformatversion" && value != "0" &&
        value != "1")
      return unsupported(fmt::format("repository format version {} is not known to this program.", value));
    if (setting.section != "extensions") continue;
    if (setting.name == "partialclone") is_partial_ = true;
    if (setting.name == "objectformat") {
      if (value != "sha1" && value != "sha256")
        return unsupported(fmt::format("the object format {} is not known to this program.", value));
      hash_ = value == "sha256" ? HashKind::sha256 : HashKind::sha1;
    }
    if (setting.name == "refstorage" && value != "files")
      return unsupported(
          fmt::format("its refs are stored as {}, which this program does not read; "
                      "`git refs migrate --ref-format=files` changes that.",
                      value));
  }
  return {};
}

std::vector<std::string> GitRepository::submodules(GitProblems& problems) const {
  std::vector<std::string> found;
  std::vector<std::string> folders{"modules"};
  while (!folders.empty()) {
    const std::string at = std::move(folders.back());
    folders.pop_back();
    if (common_dir_.holds(at + "/HEAD") && common_dir_.holds(at + "/objects")) {
      if (found.size() == limits::kGitSubmodules) {
        problems.add(at, fmt::format("more than {} submodules: the rest is not scanned", found.size()));
        break;
      }
      found.push_back(fmt::format("{}/{}", common_dir_.path(), at));
      folders.push_back(at + "/modules");  // a submodule's own
      continue;
    }
    const auto entries = common_dir_.list(at);
    if (!entries) continue;
    for (const FolderEntry& entry : *entries)
      if (entry.kind == EntryKind::folder) folders.push_back(fmt::format("{}/{}", at, entry.name));
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace claviger::scan
