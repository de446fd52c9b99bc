// Compares the index with HEAD; folders that the index remembers as unchanged are passed over.
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "base/limits.hpp"
#include "scan/git_commit.hpp"
#include "scan/git_index.hpp"

namespace claviger::scan {

namespace {

class StagedWalk {
 public:
  StagedWalk(const GitIndex& index, ObjectReader& reader, HashKind kind)
      : entries_(index.entries()), reader_(reader), kind_(kind) {}

  // Entries [begin, end), which lie in the folder that is the first `prefix` bytes of their paths. `head` is
  // that folder's tree in HEAD, `cached` what the index remembers of it.
  Result<void> walk(std::size_t begin, std::size_t end, std::size_t prefix,
                    const std::optional<ObjectId>& head, const CachedTree* cached, unsigned depth);
  std::vector<StagedFile> take() { return std::move(staged_); }

 private:
  struct HeadEntry {
    ObjectId id;
    std::uint32_t mode = 0;
  };
  using Head = std::map<std::string, HeadEntry, std::less<>>;

  Result<Head> read_head(const std::optional<ObjectId>& tree);
  void file(const IndexEntry& entry, const HeadEntry* head);
  std::size_t end_of_folder(std::size_t begin, std::size_t end, std::string_view folder) const;

  const std::vector<IndexEntry>& entries_;
  ObjectReader& reader_;
  HashKind kind_;
  std::vector<StagedFile> staged_;
};

Result<StagedWalk::Head> StagedWalk::read_head(const std::optional<ObjectId>& tree) {
  Head head;
  if (!tree) return head;
  const auto object = reader_.read(*tree);
  if (!object)
    return fail(object.error().code,
                fmt::format("HEAD's tree {} cannot be read: {}", tree->hex(), object.error().detail));
  TreeCursor cursor(*object->bytes, kind_);
  TreeEntry entry;
  while (cursor.next(entry))
    head.insert_or_assign(std::string(entry.name), HeadEntry{ObjectId::of(entry.id, kind_), entry.mode});
  if (cursor.damaged()) return fail(Code::corrupt, fmt::format("HEAD's tree {} is damaged", tree->hex()));
  return head;
}

void StagedWalk::file(const IndexEntry& entry, const HeadEntry* head) {
  if (entry.is_submodule() || entry.intent_to_add || entry.is_tree()) return;
  if (head != nullptr && head->id == entry.id) return;
  if (!staged_.empty() && staged_.back().path == entry.path && staged_.back().id == entry.id) return;
  const bool is_new = head == nullptr || head->mode == 040000 || head->mode == 0160000;
  staged_.push_back(
      {std::string(entry.path), entry.id, is_new ? StagedChange::added : StagedChange::modified});
}

std::size_t StagedWalk::end_of_folder(std::size_t begin, std::size_t end, std::string_view folder) const {
  while (begin < end && entries_[begin].path.starts_with(folder)) ++begin;
  return begin;
}

Result<void> StagedWalk::walk(std::size_t begin, std::size_t end, std::size_t prefix,
                              const std::optional<ObjectId>& head_tree, const CachedTree* cached,
                              unsigned depth) {
  if (depth > limits::kGitTreeDepth) return fail(Code::corrupt, "folders in the index are nested too deeply");
  TRY(const Head head, read_head(head_tree));
  for (std::size_t at = begin; at < end;) {
    const IndexEntry& entry = entries_[at];
    const std::string_view rest = entry.path.substr(prefix);
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    const auto found = head.find(name);
    const HeadEntry* in_head = found == head.end() ? nullptr : &found->second;
    // A folder that a sparse index keeps whole ends with its slash and holds what HEAD holds.
    if (slash == std::string_view::npos || entry.is_tree()) {
      file(entry, in_head);
      ++at;
      continue;
    }
    const std::string_view folder = entry.path.substr(0, prefix + slash + 1);
    const CachedTree* below = nullptr;
    if (cached != nullptr)
      for (const CachedTree& tree : cached->below)
        if (tree.name == name) below = &tree;
    const bool is_folder = in_head != nullptr && in_head->mode == 040000;
    if (below != nullptr && below->entries > 0 && is_folder && below->id == in_head->id &&
        static_cast<std::size_t>(below->entries) <= end - at &&
        entries_[at + static_cast<std::size_t>(below->entries) - 1].path.starts_with(folder)) {
      at += static_cast<std::size_t>(below->entries);
      continue;
    }
    const std::size_t after = end_of_folder(at, end, folder);
    TRY_VOID(walk(at, after, folder.size(), is_folder ? std::optional(in_head->id) : std::nullopt, below,
                  depth + 1));
    at = after;
  }
  return {};
}

}  // namespace

Result<std::vector<StagedFile>> staged_files(const GitRepository& repository, ObjectReader& reader,
                                             const std::string& index_file) {
  GitIndex index;
  if (index_file.empty()) {
    TRY(index, GitIndex::read(repository.git_folder(), "index", repository.hash()));
  } else {
    const std::filesystem::path path(index_file);
    TRY(const GitFolder folder,
        GitFolder::open(path.has_parent_path() ? path.parent_path().string() : std::string(".")));
    TRY(index, GitIndex::read(folder, path.filename().string(), repository.hash()));
  }
  std::optional<ObjectId> head;
  if (const auto commit_id = repository.head()) {
    TRY(const Object object, reader.read(*commit_id));
    const auto commit = parse_commit(*object.bytes, repository.hash());
    if (!commit) return fail(Code::corrupt, fmt::format("HEAD's commit {} is damaged", commit_id->hex()));
    head = commit->tree;
  }
  const auto& cached = index.cached_tree();
  if (cached && head && cached->entries >= 0 && cached->id == *head) return std::vector<StagedFile>();
  StagedWalk walk(index, reader, repository.hash());
  TRY_VOID(walk.walk(0, index.entries().size(), 0, head, cached ? &*cached : nullptr, 0));
  return walk.take();
}

}  // namespace claviger::scan
