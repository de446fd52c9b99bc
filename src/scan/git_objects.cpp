// Opens an object database with its alternates.
#include "scan/git_objects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/limits.hpp"

namespace claviger::scan {

namespace {

namespace fs = std::filesystem;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string loose_name(const ObjectId& id) {
  std::string name = id.hex();
  name.insert(2, 1, '/');
  return name;
}

bool absent(const Error& error) { return error.code == Code::not_found; }

}  // namespace

Result<std::unique_ptr<ObjectDatabase>> ObjectDatabase::open(const std::string& path, HashKind kind,
                                                             GitProblems& problems) {
  std::unique_ptr<ObjectDatabase> database(new ObjectDatabase(kind));
  TRY_VOID(database->add_folder(path, 0, problems));
  return database;
}

std::unique_ptr<ObjectDatabase> ObjectDatabase::of(std::vector<std::unique_ptr<Pack>> packs, HashKind kind) {
  std::unique_ptr<ObjectDatabase> database(new ObjectDatabase(kind));
  database->packs_ = std::move(packs);
  return database;
}

Result<void> ObjectDatabase::add_folder(std::string path, unsigned depth, GitProblems& problems) {
  std::error_code error;
  if (const fs::path real = fs::canonical(path, error); !error) path = real.string();
  // Alternates may point at each other.
  if (std::ranges::find(folders_, path, &GitFolder::path) != folders_.end()) return {};
  TRY(GitFolder folder, GitFolder::open(path));
  add_packs(folder, problems);
  folders_.push_back(std::move(folder));
  add_alternates(path, folders_.back(), depth, problems);
  return {};
}

void ObjectDatabase::add_packs(const GitFolder& folder, GitProblems& problems) {
  const auto entries = folder.list("pack");
  if (!entries) {
    if (!absent(entries.error())) problems.add(folder.path() + "/pack", entries.error());
    return;
  }
  std::set<std::string, std::less<>> names;
  for (const FolderEntry& entry : *entries) names.insert(entry.name);
  MultiPackIndex many;
  if (names.contains("multi-pack-index")) {
    auto file = folder.map("pack/multi-pack-index");
    auto read = file ? MultiPackIndex::read(file->view(), kind_) : std::unexpected(file.error());
    if (read) many = std::move(*read);
    // Without it nothing is lost as long as each pack has an index of its own.
  }
  for (const std::string& name : names) {
    if (name.ends_with(".promisor")) has_promisor_ = true;
    if (!name.ends_with(".pack")) continue;
    const std::string stem = name.substr(0, name.size() - 5);
    const std::string shown = fmt::format("{}/pack/{}", folder.path(), name);
    auto part = std::ranges::find(many.parts, stem, &MultiPackIndex::Part::pack);
    Result<PackIndex> index =
        fail(Code::not_found, "it has no index (git index-pack makes one); it is not read");
    if (names.contains(stem + ".idx")) {
      auto file = folder.map(fmt::format("pack/{}.idx", stem));
      index = file ? PackIndex::open(std::move(*file), kind_) : std::unexpected(file.error());
    }
    if (!index && part != many.parts.end()) index = PackIndex::of(std::move(part->objects), kind_);
    if (!index) {
      problems.add(shown, index.error());
      continue;
    }
    auto file = folder.map("pack/" + name);
    auto pack =
        file ? Pack::open(std::move(*file), std::move(*index), name, kind_) : std::unexpected(file.error());
    if (pack) {
      packs_.push_back(std::move(*pack));
    } else {
      problems.add(shown, pack.error());
    }
  }
}

void ObjectDatabase::add_alternates(const std::string& path, const GitFolder& folder, unsigned depth,
                                    GitProblems& problems) {
  const auto text = folder.read("info/alternates", limits::kGitSmallFile);
  if (!text) {
    if (!absent(text.error())) problems.add(path + "/info/alternates", text.error());
    return;
  }
  std::size_t begin = 0;
  while (begin < text->size()) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string line = text->substr(begin, end - begin);
    begin = end + 1;
    if (line.empty() || line.starts_with('#')) continue;
    const std::string other = line.starts_with('/') ? line : path + "/" + line;
    if (depth >= limits::kGitAlternatesDepth) {
      problems.add(other, "alternates are nested too deeply; it is not read");
      continue;
    }
    if (const auto added = add_folder(other, depth + 1, problems); !added)
      problems.add(other, "this alternate cannot be opened: " + added.error().detail);
  }
}

std::optional<ObjectDatabase::Place> ObjectDatabase::find_packed(const ObjectId& id) const {
  for (std::size_t i = 0; i < packs_.size(); ++i)
    if (const auto nth = packs_[i]->index().find(id)) return Place{static_cast<std::uint32_t>(i), *nth};
  return std::nullopt;
}

Result<Mapping> ObjectDatabase::map_loose(const ObjectId& id) const {
  const std::string name = loose_name(id);
  for (const GitFolder& folder : folders_) {
    auto file = folder.map(name);
    if (file || !absent(file.error())) return file;
  }
  return fail(Code::not_found, "it is missing");
}

void ObjectDatabase::each_loose(GitProblems& problems,
                                const std::function<void(const ObjectId&)>& each) const {
  for (const GitFolder& folder : folders_) {
    const auto fans = folder.list("");
    if (!fans) {
      problems.add(folder.path(), fans.error());
      continue;
    }
    for (const FolderEntry& fan : *fans) {
      if (fan.name.size() != 2 || !is_hex(fan.name)) continue;
      const auto files = folder.list(fan.name);
      if (!files) {
        problems.add(fmt::format("{}/{}", folder.path(), fan.name), files.error());
        continue;
      }
      for (const FolderEntry& file : *files)
        if (file.name.size() == 2 * hash_size(kind_) - 2 && is_hex(file.name))
          each(*ObjectId::parse(fan.name + file.name));
    }
  }
}

Result<LooseHead> loose_head(ByteView inflated) {
  const auto damaged = [] { return fail(Code::corrupt, "it has no head that tells its type and size"); };
  const std::string_view text = as_text(inflated.first(std::min<std::size_t>(inflated.size(), 64)));
  const std::size_t end = text.find('\0');
  const std::size_t space = text.find(' ');
  if (end == std::string_view::npos || space == std::string_view::npos || space + 1 >= end) return damaged();
  LooseHead head;
  const auto type = parse_type(text.substr(0, space));
  if (!type) return fail(Code::corrupt, "its type is not known");
  head.type = *type;
  head.length = end + 1;
  for (const char digit : text.substr(space + 1, end - space - 1)) {
    if (digit < '0' || digit > '9' || head.size > (std::uint64_t{1} << 60)) return damaged();
    head.size = 10 * head.size + static_cast<std::uint64_t>(digit - '0');
  }
  return head;
}

}  // namespace claviger::scan
