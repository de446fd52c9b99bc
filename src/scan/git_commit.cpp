// Parses commits, tags and trees.
#include "scan/git_commit.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace claviger::scan {

namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// "Name <email> 1700000000 +0100"
Person parse_person(std::string_view line) {
  Person person;
  const std::size_t close = line.rfind('>');
  const std::size_t open = line.rfind('<', close);
  if (open == std::string_view::npos || close == std::string_view::npos) {
    person.name = line;
    return person;
  }
  person.name = line.substr(0, open);
  while (person.name.ends_with(' ')) person.name.remove_suffix(1);
  person.email = line.substr(open + 1, close - open - 1);
  std::string_view rest = line.substr(close + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const auto time = std::from_chars(rest.data(), rest.data() + rest.size(), person.time_s);
  rest.remove_prefix(static_cast<std::size_t>(time.ptr - rest.data()));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (rest.size() < 5) return person;
  int zone = 0;
  std::from_chars(rest.data() + 1, rest.data() + 5, zone);
  zone = zone / 100 * 60 + zone % 100;
  person.zone_minutes = rest[0] == '-' ? -zone : zone;
  return person;
}

}  // namespace

std::optional<Commit> parse_commit(ByteView bytes, HashKind kind) {
  Commit commit;
  commit.tree.kind = kind;
  std::string_view text = as_text(bytes);
  bool has_tree = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    if (line.starts_with("tree ")) {
      const auto id = ObjectId::parse(line.substr(5));
      if (!id || id->kind != kind) return std::nullopt;
      commit.tree = *id;
      has_tree = true;
    } else if (line.starts_with("parent ")) {
      const auto id = ObjectId::parse(line.substr(7));
      if (!id || id->kind != kind) return std::nullopt;
      commit.parents.push_back(*id);
    } else if (line.starts_with("author ")) {
      commit.author = parse_person(line.substr(7));
    } else if (line.starts_with("committer ")) {
      commit.committer = parse_person(line.substr(10));
    }
  }
  commit.message = text;
  if (!has_tree) return std::nullopt;
  return commit;
}

std::optional<Tag> parse_tag(ByteView bytes) {
  Tag tag;
  std::string_view text = as_text(bytes);
  bool has_target = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    if (line.starts_with("object ")) {
      const auto id = ObjectId::parse(line.substr(7));
      if (!id) return std::nullopt;
      tag.target = *id;
      has_target = true;
    } else if (line.starts_with("tagger ")) {
      tag.tagger = parse_person(line.substr(7));
    }
  }
  tag.message = text;
  if (!has_target) return std::nullopt;
  return tag;
}

bool TreeCursor::next(TreeEntry& entry) {
  if (at_ == end_) return false;
  damaged_ = true;  // until the entry is whole
  entry.mode = 0;
  while (at_ < end_ && *at_ >= '0' && *at_ <= '7' && entry.mode < 01000000)
    entry.mode = entry.mode * 8 + static_cast<std::uint32_t>(*at_++ - '0');
  if (at_ == end_ || *at_ != ' ') return false;
  ++at_;
  const auto* zero =
      static_cast<const std::uint8_t*>(std::memchr(at_, 0, static_cast<std::size_t>(end_ - at_)));
  if (zero == nullptr || static_cast<std::size_t>(end_ - zero - 1) < hash_) return false;
  entry.name = {reinterpret_cast<const char*>(at_), static_cast<std::size_t>(zero - at_)};
  entry.id = zero + 1;
  at_ = zero + 1 + hash_;
  damaged_ = false;
  return true;
}

}  // namespace claviger::scan
