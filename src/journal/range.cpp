// The text form of ranges, and the way from a range to its lines.
#include "journal/range.hpp"

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "wire/json.hpp"

namespace claviger::journal {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

}  // namespace

void append_range(std::string& out, const Range& range) {
  JsonWriter json(out);
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  json.open('{');
  json.field("first", number(range.first)).field("count", number(range.count));
  json.field("p", range.segment.producer).field("e", number(range.segment.epoch));
  json.field("segment", number(range.segment.number)).field("offset", number(range.offset));
  json.field("bytes", number(range.bytes)).field("n", number(range.seq));
  json.close('}');
  out.push_back('\n');
}

Result<Range> read_range(std::string_view line) {
  wire::Json json;
  bool good = wire::scan(line, json).has_value();
  const auto take = [&](std::string_view name, std::uint64_t& value) {
    const auto number = json.root()[name].integer();
    good = good && number && *number >= 0;
    value = static_cast<std::uint64_t>(number.value_or(0));
  };
  Range range;
  std::uint64_t segment = 0;
  take("first", range.first);
  take("count", range.count);
  take("e", range.segment.epoch);
  take("segment", segment);
  take("offset", range.offset);
  take("bytes", range.bytes);
  take("n", range.seq);
  const std::string producer = json.root()["p"].text().value_or("");
  good = good && segment <= UINT32_MAX;
  range.segment.producer = producer;
  range.segment.number = static_cast<std::uint32_t>(segment);
  // A name that would not come back must not reach the file system either.
  if (!good || parse_segment(name_of(range.segment)) != range.segment || producer.contains('/') ||
      producer.contains(".."))
    return fail(Code::corrupt, "not a range of lines");
  return range;
}

Result<std::uint64_t> read_ranges(Folder& audit, std::uint64_t offset,
                                  const std::function<Next(const Range&)>& take) {
  std::string held;
  for (;;) {
    const Result<std::string> chunk = audit.read(kRangesFile, offset + held.size(), kChunk);
    if (!chunk && chunk.error().code == Code::not_found) return offset;
    if (!chunk) return std::unexpected(chunk.error());
    if (chunk->empty()) return offset;
    held += *chunk;
    std::size_t begin = 0;
    for (std::size_t end; (end = held.find('\n', begin)) != std::string::npos; begin = end + 1) {
      TRY(const Range range, read_range(std::string_view(held).substr(begin, end - begin)));
      if (take(range) == Next::enough) return offset + end + 1;
    }
    held.erase(0, begin);
    offset += begin;
  }
}

Result<void> read_range_lines(Folder& journal, const Range& range,
                              const std::function<void(std::string_view line)>& take) {
  const std::string name = name_of(range.segment);
  const auto bad = [&](std::string_view what) {
    return fail(Code::corrupt, fmt::format("{}: {} (lines {} to {} of the tree)", name, what, range.first,
                                           range.first + range.count));
  };
  const std::uint64_t end = range.offset + range.bytes;
  std::uint64_t offset = range.offset;
  std::uint64_t count = 0;
  std::string held;
  while (offset < end) {
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, end - offset));
    const Result<std::string> chunk = journal.read(name, offset, want);
    if (!chunk && chunk.error().code == Code::not_found) return bad("the segment is missing");
    if (!chunk) return std::unexpected(chunk.error());
    if (chunk->size() < want) return bad("the segment is too short");
    offset += chunk->size();
    held += *chunk;
    std::size_t begin = 0;
    for (std::size_t newline; (newline = held.find('\n', begin)) != std::string::npos; begin = newline + 1) {
      ++count;
      take(std::string_view(held).substr(begin, newline - begin));
    }
    held.erase(0, begin);
  }
  if (!held.empty() || count != range.count) return bad("it does not hold as many lines as were derived");
  return {};
}

}  // namespace claviger::journal
