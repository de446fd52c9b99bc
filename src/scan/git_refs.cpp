// Refs, reflogs, and what a revision names.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/limits.hpp"
#include "scan/git_repository.hpp"

namespace claviger::scan {

namespace {

constexpr unsigned kSymbolicDepth = 5;  // as git has it

std::string_view first_line(std::string_view text) { return text.substr(0, text.find_first_of("\r\n")); }

// Names of all regular files below `name`, relative to `folder`.
void list_files(const GitFolder& folder, const std::string& name, unsigned depth, GitProblems& problems,
                std::vector<std::string>& out) {
  const auto entries = folder.list(name);
  if (!entries) {
    if (entries.error().code != Code::not_found)
      problems.add(fmt::format("{}/{}", folder.path(), name), entries.error());
    return;
  }
  for (const FolderEntry& entry : *entries) {
    const std::string below = fmt::format("{}/{}", name, entry.name);
    if (entry.kind == EntryKind::folder && depth < limits::kGitRefDepth) {
      list_files(folder, below, depth + 1, problems, out);
    } else if (entry.kind == EntryKind::folder) {
      problems.add(below, fmt::format("folders more than {} deep are not looked into", limits::kGitRefDepth));
    } else if (entry.kind == EntryKind::file || entry.kind == EntryKind::link) {
      if (!entry.name.ends_with(".lock")) out.push_back(below);
    }
  }
}

void read_reflog(std::string_view text, std::vector<ObjectId>& ids) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    for (int i = 0; i < 2; ++i) {
      const std::size_t space = line.find(' ');
      const auto id = ObjectId::parse(line.substr(0, space));
      if (id && !id->is_null()) ids.push_back(*id);
      line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
    }
  }
}

}  // namespace

std::optional<ObjectId> GitRepository::packed_ref(std::string_view name) const {
  const auto found = std::ranges::lower_bound(packed_, name, {},
                                              [](const GitRef& ref) -> std::string_view { return ref.name; });
  if (found == packed_.end() || found->name != name) return std::nullopt;
  return found->id;
}

std::optional<ObjectId> GitRepository::read_ref(const GitFolder& folder, const std::string& name,
                                                unsigned depth) const {
  const auto text = folder.read(name, 64 * 1024);
  if (!text) return packed_ref(name);
  const std::string_view line = first_line(*text);
  if (!line.starts_with("ref:")) return ObjectId::parse(line);
  if (depth >= kSymbolicDepth) return std::nullopt;
  const std::size_t begin = line.find_first_not_of(" \t", 4);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string target(line.substr(begin));
  if (!target.starts_with("refs/")) return std::nullopt;
  return read_ref(common_dir_, target, depth + 1);
}

std::optional<ObjectId> GitRepository::head() const { return read_ref(git_dir_, "HEAD", 0); }

std::vector<GitRef> GitRepository::refs(GitProblems& problems) const {
  std::vector<GitRef> out;
  std::set<std::string> seen;
  const auto add = [&](const GitFolder& folder, const std::string& name, const std::string& shown) {
    if (!seen.insert(shown).second) return;
    if (const auto id = read_ref(folder, name, 0)) {
      out.push_back({shown, *id});
    } else if (shown.starts_with("refs/") && !shown.ends_with("/HEAD")) {
      problems.add(shown, "this ref cannot be read");
    }  // an unborn HEAD, or a remote's HEAD whose branch is gone, names nothing
  };
  add(git_dir_, "HEAD", "HEAD");
  std::vector<std::string> names;
  list_files(common_dir_, "refs", 0, problems, names);
  for (const std::string& name : names) add(common_dir_, name, name);
  for (const GitRef& ref : packed_)
    if (seen.insert(ref.name).second) out.push_back(ref);
  const auto trees = common_dir_.list("worktrees");
  if (!trees) return out;
  for (const FolderEntry& tree : *trees) {
    if (tree.kind != EntryKind::folder) continue;
    add(common_dir_, fmt::format("worktrees/{}/HEAD", tree.name),
        fmt::format("worktrees/{}/HEAD", tree.name));
    std::vector<std::string> own;
    list_files(common_dir_, fmt::format("worktrees/{}/refs", tree.name), 0, problems, own);
    for (const std::string& name : own) add(common_dir_, name, name);
  }
  return out;
}

std::vector<ObjectId> GitRepository::remembered(GitProblems& problems) const {
  std::vector<std::string> logs;
  list_files(common_dir_, "logs", 0, problems, logs);
  if (const auto trees = common_dir_.list("worktrees")) {
    for (const FolderEntry& tree : *trees) logs.push_back(fmt::format("worktrees/{}/logs/HEAD", tree.name));
  }
  std::vector<ObjectId> ids;
  for (const std::string& log : logs) {
    const auto text = common_dir_.read(log, limits::kGitSmallFile);
    if (text) {
      read_reflog(*text, ids);
    } else if (text.error().code != Code::not_found) {
      problems.add(log, text.error());
    }
  }
  for (const char* name : {"ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"})
    if (const auto text = git_dir_.read(name, limits::kGitSmallFile))
      if (const auto id = ObjectId::parse(first_line(*text).substr(0, 2 * hash_size(hash_))))
        ids.push_back(*id);
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<ObjectId> GitRepository::shallow(GitProblems& problems) const {
  std::vector<ObjectId> ids;
  const auto text = common_dir_.read("shallow", limits::kGitSmallFile);
  if (!text) {
    if (text.error().code != Code::not_found) problems.add("shallow", text.error());
    return ids;
  }
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    if (const auto id = ObjectId::parse(std::string_view(*text).substr(begin, end - begin)))
      ids.push_back(*id);
    begin = end + 1;
  }
  return ids;
}

std::optional<ObjectId> GitRepository::find_ref(std::string_view name) const {
  if (name.empty() || name.find("..") != std::string_view::npos || name.starts_with('/')) return std::nullopt;
  if (name == "HEAD" || name == "@") return head();
  for (const char* form :
       {"{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD"}) {
    const std::string full = fmt::format(fmt::runtime(form), name);
    if (full.starts_with("refs/"))
      if (const auto id = read_ref(common_dir_, full, 0)) return id;
  }
  // ORIG_HEAD and its like
  const bool special = std::ranges::all_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
  return special ? read_ref(git_dir_, std::string(name), 0) : std::nullopt;
}

}  // namespace claviger::scan
