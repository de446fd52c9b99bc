// Parses the index file.
#include "scan/git_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/limits.hpp"

namespace claviger::scan {

namespace {

std::unexpected<Error> damaged(std::string_view what) {
  return fail(Code::corrupt, fmt::format("the index is damaged: {}", what));
}

// A bitmap in EWAH compression; false when it is cut off or names more than `most` bits.
bool read_bitmap(ByteView& in, std::size_t most, std::vector<bool>& bits) {
  if (in.size() < 8) return false;
  const std::size_t words = read_be32(in.data() + 4);
  if ((in.size() - 8) / 8 < words || in.size() - 8 - 8 * words < 4) return false;
  const std::uint8_t* at = in.data() + 8;
  const std::uint8_t* const end = at + 8 * words;
  bits.clear();
  while (at < end) {
    const std::uint64_t run = read_be64(at);
    at += 8;
    const std::uint64_t repeated = 64 * ((run >> 1) & 0xffffffffU);
    const std::uint64_t literals = run >> 33;
    if (repeated > most + 64 - std::min(most, bits.size()) ||
        literals > static_cast<std::uint64_t>(end - at) / 8)
      return false;
    bits.insert(bits.end(), repeated, (run & 1) != 0);
    for (std::uint64_t i = 0; i < literals; ++i, at += 8) {
      if (bits.size() > most) return false;
      const std::uint64_t word = read_be64(at);
      for (unsigned bit = 0; bit < 64; ++bit) bits.push_back((word >> bit & 1) != 0);
    }
  }
  in = in.subspan(12 + 8 * words);
  return true;
}

}  // namespace

// Goes through the file from its head to its extensions.
class IndexParser {
 public:
  IndexParser(GitIndex& index, HashKind kind) : index_(index), kind_(kind), hash_(hash_size(kind)) {}

  Result<void> parse();

 private:
  Result<void> entry();
  Result<std::string_view> name(std::size_t begin);
  Result<std::string_view> shortened_name();
  Result<void> extension(std::string_view signature, ByteView content);
  Result<void> link(ByteView content);
  bool cached(std::string_view& text, CachedTree& tree, unsigned depth);
  std::size_t left() const { return end_ - at_; }
  const std::uint8_t* here() const { return index_.file_.data() + at_; }

  GitIndex& index_;
  HashKind kind_;
  std::size_t hash_;
  std::uint32_t version_ = 0;
  std::size_t at_ = 12;
  std::size_t end_ = 0;
};

Result<void> IndexParser::parse() {
  const ByteView file = index_.file_.view();
  if (file.size() < 12 + hash_ || as_text(file.first(4)) != "DIRC") return damaged("it has no head");
  version_ = read_be32(file.data() + 4);
  if (version_ < 2 || version_ > 4) return damaged(fmt::format("version {} is not known", version_));
  end_ = file.size() - hash_;
  const std::size_t count = read_be32(file.data() + 8);
  if (count > left() / (hash_ + 42)) return damaged("it is cut off");
  index_.entries_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    TRY_VOID(entry());
  }
  while (left() >= 8) {
    const std::size_t size = read_be32(here() + 4);
    const std::string_view signature = as_text({here(), 4});
    at_ += 8;
    if (size > left()) return damaged("an extension is cut off");
    TRY_VOID(extension(signature, file.subspan(at_, size)));
    at_ += size;
  }
  return {};
}

Result<void> IndexParser::entry() {
  const std::size_t begin = at_;
  if (left() < 40 + hash_ + 2) return damaged("it is cut off");
  IndexEntry entry;
  entry.mode = read_be32(here() + 24);
  entry.id = ObjectId::of(here() + 40, kind_);
  const std::uint32_t flags = static_cast<std::uint32_t>(here()[40 + hash_]) << 8 | here()[41 + hash_];
  entry.stage = static_cast<std::uint8_t>(flags >> 12 & 3);
  at_ += 42 + hash_;
  if ((flags & 0x4000) != 0) {
    if (version_ < 3 || left() < 2) return damaged("an entry's flags are wrong");
    entry.intent_to_add = (here()[0] & 0x20) != 0;
    at_ += 2;
  }
  auto path = version_ == 4 ? shortened_name() : name(begin);
  if (!path) return std::unexpected(path.error());
  entry.path = *path;
  if (entry.path.starts_with('/') && !entry.path.empty()) return damaged("a path in it begins with /");
  if (!index_.entries_.empty()) {
    const IndexEntry& last = index_.entries_.back();
    if (!entry.path.empty() && !last.path.empty() && entry.path < last.path)
      return damaged("it is not sorted");
  }
  index_.entries_.push_back(entry);
  return {};
}

// Ends with 1 to 8 zero bytes, so that the entry's length is a multiple of 8.
Result<std::string_view> IndexParser::name(std::size_t begin) {
  const std::string_view rest = as_text({here(), left()});
  const std::size_t size = rest.find('\0');
  if (size == std::string_view::npos) return damaged("it is cut off");
  const std::size_t length = (at_ + size - begin + 8) / 8 * 8;
  if (length > end_ - begin) return damaged("it is cut off");
  at_ = begin + length;
  return rest.substr(0, size);
}

// Tells how many bytes of the last name fall off its end, and what comes in their place.
Result<std::string_view> IndexParser::shortened_name() {
  std::uint64_t drop = 0;
  for (unsigned groups = 0;; ++groups) {
    if (left() == 0 || groups > 4) return damaged("it is cut off");
    const std::uint8_t byte = index_.file_.data()[at_++];
    drop = (drop << 7) | (byte & 0x7fU);
    if ((byte & 0x80) == 0) break;
    ++drop;
  }
  const std::string_view last = index_.entries_.empty() ? std::string_view() : index_.entries_.back().path;
  const std::string_view rest = as_text({here(), left()});
  const std::size_t size = rest.find('\0');
  if (size == std::string_view::npos || drop > last.size()) return damaged("a name in it is wrong");
  if (last.size() - drop + size > limits::kGitPath) return damaged("a name in it is too long");
  at_ += size + 1;
  index_.names_.push_back(std::make_unique<std::string>(last.substr(0, last.size() - drop)));
  index_.names_.back()->append(rest.substr(0, size));
  return std::string_view(*index_.names_.back());
}

Result<void> IndexParser::extension(std::string_view signature, ByteView content) {
  if (signature == "link") return link(content);
  if (signature == "TREE") {
    CachedTree tree;
    std::string_view text = as_text(content);
    if (cached(text, tree, 0)) index_.cached_ = std::move(tree);
    return {};  // it only saves time
  }
  // Lower-case names are those that must be understood.
  if (signature[0] >= 'a' && signature != "sdir")
    return damaged(fmt::format("its extension {} is not known", claviger::hex(as_bytes(signature))));
  return {};
}

Result<void> IndexParser::link(ByteView content) {
  if (content.size() < hash_) return damaged("its link to a shared index is cut off");
  GitIndex::Link link;
  link.base = ObjectId::of(content.data(), kind_);
  content = content.subspan(hash_);
  if (!content.empty() && (!read_bitmap(content, limits::kGitIndexEntries, link.deleted) ||
                           !read_bitmap(content, limits::kGitIndexEntries, link.replaced)))
    return damaged("its link to a shared index is cut off");
  index_.link_ = std::move(link);
  return {};
}

bool IndexParser::cached(std::string_view& text, CachedTree& tree, unsigned depth) {
  const std::size_t zero = text.find('\0');
  if (zero == std::string_view::npos || depth > limits::kGitTreeDepth) return false;
  tree.name = text.substr(0, zero);
  text.remove_prefix(zero + 1);
  std::uint32_t below = 0;
  const char* const end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, tree.entries);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ' ') return false;
  parsed = std::from_chars(parsed.ptr + 1, end, below);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != '\n') return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr + 1 - text.data()));
  if (tree.entries >= 0) {
    if (text.size() < hash_) return false;
    tree.id = ObjectId::of(as_bytes(text).data(), kind_);
    text.remove_prefix(hash_);
  }
  for (std::uint32_t i = 0; i < below; ++i)
    if (!cached(text, tree.below.emplace_back(), depth + 1)) return false;
  return true;
}

Result<GitIndex> GitIndex::parse(Mapping file, HashKind kind) {
  GitIndex index;
  index.file_ = std::move(file);
  TRY_VOID(IndexParser(index, kind).parse());
  if (!index.link_)
    for (const IndexEntry& entry : index.entries_)
      if (entry.path.empty()) return damaged("an entry has no name");
  return index;
}

Result<GitIndex> GitIndex::read(const GitFolder& folder, std::string_view name, HashKind kind) {
  auto file = folder.map(name);
  if (!file && file.error().code == Code::not_found) return GitIndex();
  if (!file) return std::unexpected(file.error());
  TRY(GitIndex index, parse(std::move(*file), kind));
  if (!index.link_ || index.link_->base.is_null()) return index;
  TRY(Mapping shared, folder.map("sharedindex." + index.link_->base.hex()));
  TRY(GitIndex base, parse(std::move(shared), kind));
  TRY_VOID(index.join(std::move(base)));
  return index;
}

// Puts a split index and its base together: the base's entries that are neither deleted nor replaced, the
// replacements, which have no name of their own, and what was added.
Result<void> GitIndex::join(GitIndex base) {
  base_ = std::make_unique<GitIndex>(std::move(base));
  std::vector<IndexEntry> joined;
  std::size_t next = 0;
  const auto is_set = [](const std::vector<bool>& bits, std::size_t i) { return i < bits.size() && bits[i]; };
  for (std::size_t i = 0; i < base_->entries_.size(); ++i) {
    IndexEntry entry = base_->entries_[i];
    if (is_set(link_->replaced, i)) {
      if (next == entries_.size() || !entries_[next].path.empty())
        return damaged("a replacement in it is missing");
      const std::string_view path = entry.path;
      entry = entries_[next++];
      entry.path = path;
    }
    if (!is_set(link_->deleted, i)) joined.push_back(entry);
  }
  for (; next < entries_.size(); ++next) {
    if (entries_[next].path.empty()) return damaged("an entry has no name");
    joined.push_back(entries_[next]);
  }
  std::ranges::sort(joined, {}, [](const IndexEntry& entry) { return std::pair(entry.path, entry.stage); });
  entries_ = std::move(joined);
  return {};
}

}  // namespace claviger::scan
