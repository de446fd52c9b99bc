// What a revision names: an id, a ref, and the way from there to a parent.
#include <fmt/format.h>

#include <charconv>

#include "scan/git_commit.hpp"
#include "scan/git_repository.hpp"

namespace claviger::scan {

namespace {

std::unexpected<Error> unknown(std::string_view revision, std::string_view why) {
  const std::string say = fmt::format("{} names no commit: {}.", revision, why);
  return fail(Code::invalid_input, say, say);
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// All objects whose id begins so, at most two: one is an answer, two are not.
std::vector<ObjectId> with_prefix(const ObjectDatabase& database, std::string prefix) {
  for (char& c : prefix) c = static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c);
  std::vector<ObjectId> found;
  const auto add = [&](const ObjectId& id) {
    if (found.size() < 2 && id.hex().starts_with(prefix) && (found.empty() || found[0] != id))
      found.push_back(id);
  };
  for (const auto& pack : database.packs()) {
    const PackIndex& index = pack->index();
    // Binary search for the first id not below the prefix.
    std::uint32_t low = 0;
    std::uint32_t high = index.count();
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (index.id(middle).hex() < prefix) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (std::uint32_t nth = low; nth < index.count() && nth < low + 2; ++nth) add(index.id(nth));
  }
  GitProblems ignored;
  database.each_loose(ignored, add);
  return found;
}

// "3" of "~3"; nothing means 1.
Result<unsigned> take_number(std::string_view& rest, std::string_view revision) {
  unsigned number = 1;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (parsed.ec == std::errc::result_out_of_range) return unknown(revision, "a number in it is too large");
  rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
  return number;
}

Result<ObjectId> peel(ObjectReader& reader, ObjectId id, std::string_view revision) {
  for (unsigned depth = 0; depth < 16; ++depth) {
    TRY(const Object object, reader.read(id));
    if (object.type == ObjectType::commit) return id;
    const auto tag = object.type == ObjectType::tag ? parse_tag(*object.bytes) : std::nullopt;
    if (!tag) return unknown(revision, "it is no commit");
    id = tag->target;
  }
  return unknown(revision, "it is a tag of a tag of a tag, and so on");
}

Result<ObjectId> parent(ObjectReader& reader, const ObjectId& id, unsigned nth, std::string_view revision) {
  TRY(const Object object, reader.read(id));
  const auto commit = parse_commit(*object.bytes, id.kind);
  if (!commit || nth > commit->parents.size()) return unknown(revision, "there is no such parent");
  return commit->parents[nth - 1];
}

}  // namespace

Result<ObjectId> resolve(const GitRepository& repository, ObjectReader& reader,
                         const ObjectDatabase& database, std::string_view revision) {
  const std::size_t end = revision.find_first_of("~^");
  const std::string_view base = revision.substr(0, end);
  std::optional<ObjectId> id = ObjectId::parse(base);
  if (!id || id->kind != repository.hash()) id = repository.find_ref(base);
  if (!id && base.size() >= 4 && is_hex(base)) {
    const auto found = with_prefix(database, std::string(base));
    if (found.size() > 1) return unknown(revision, "more than one object begins so");
    if (found.size() == 1) id = found[0];
  }
  if (!id) return unknown(revision, "there is no such ref or object");
  TRY(ObjectId at, peel(reader, *id, revision));
  std::string_view rest = revision.substr(base.size());
  while (!rest.empty()) {
    const char step = rest[0];
    rest.remove_prefix(1);
    if (step == '^' && rest.starts_with("{}")) {
      rest.remove_prefix(2);
      continue;
    }
    if (step == '^' && rest.starts_with("{commit}")) {
      rest.remove_prefix(8);
      continue;
    }
    if (step != '^' && step != '~')
      return unknown(revision, "only ~N, ^N and ^{} are understood behind a name");
    TRY(const unsigned number, take_number(rest, revision));
    if (step == '^') {
      if (number > 0) {
        TRY(at, parent(reader, at, number, revision));
      }
      continue;
    }
    for (unsigned i = 0; i < number; ++i) {
      TRY(at, parent(reader, at, 1, revision));
    }
  }
  return at;
}

}  // namespace claviger::scan
