// Segments, lines and filters.
#include "journal/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/limits.hpp"
#include "journal/writer.hpp"

namespace claviger::journal {
namespace {

constexpr std::size_t kChunk = 256 * 1024;  // stays in the cache between reading and parsing

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

// Where the bytes behind the last '\n' of a file begin.
Result<std::uint64_t> end_of_lines(Folder& folder, const std::string& name, std::uint64_t size) {
  std::uint64_t end = size;
  while (end > 0) {
    const std::uint64_t begin = end > limits::kJournalLine ? end - limits::kJournalLine : 0;
    TRY(const std::string bytes, folder.read(name, begin, static_cast<std::size_t>(end - begin)));
    const std::size_t newline = bytes.rfind('\n');
    if (newline != std::string::npos) return begin + newline + 1;
    end = begin;
  }
  return 0;
}

bool names_key(const Body& body, const std::string& key) {
  const auto is_subject = [&](std::string_view subject) {
    return subject == key || (subject.starts_with("key:") && subject.substr(4) == key);
  };
  if (const auto* intent = std::get_if<Intent>(&body)) return intent->key == key;
  if (const auto* receipt = std::get_if<Receipt>(&body)) return receipt->key == key;
  if (const auto* refusal = std::get_if<Refusal>(&body)) return refusal->key == key;
  if (const auto* admin = std::get_if<Admin>(&body)) return is_subject(admin->subject);
  if (const auto* alert = std::get_if<Alert>(&body)) return is_subject(alert->subject);
  return false;
}

}  // namespace

std::optional<Segment> parse_segment(std::string_view name) {
  Segment segment;
  constexpr std::string_view suffix = ".jsonl";
  const std::size_t first = name.find('-');
  if (!name.ends_with(suffix) || first == std::string_view::npos) return std::nullopt;
  const std::string_view numbers = name.substr(first + 1, name.size() - first - 1 - suffix.size());
  const std::size_t second = numbers.find('-');
  if (second == std::string_view::npos || !read_number(numbers.substr(0, second), segment.epoch) ||
      !read_number(numbers.substr(second + 1), segment.number))
    return std::nullopt;
  segment.producer = name.substr(0, first);
  if (name_of(segment) != name) return std::nullopt;
  return segment;
}

std::string name_of(const Segment& segment) {
  return segment_name(segment.producer, segment.epoch, segment.number);
}

Result<std::vector<Segment>> segments(Folder& folder) {
  TRY(const std::vector<std::string> names, folder.list());
  std::vector<Segment> found;
  for (const std::string& name : names)
    if (auto segment = parse_segment(name)) found.push_back(std::move(*segment));
  std::ranges::sort(found);
  return found;
}

Result<std::uint64_t> read_lines(Folder& folder, const Segment& segment, std::uint64_t offset,
                                 const std::function<Next(const Line&)>& take) {
  const std::string name = name_of(segment);
  std::string held;  // from `offset` on: lines not yet handed on
  for (;;) {
    TRY(std::string chunk, folder.read(name, offset + held.size(), kChunk));
    if (chunk.empty()) return offset;
    const std::size_t searched = held.size();
    if (held.empty()) {
      held.swap(chunk);
    } else {
      held += chunk;
    }
    std::size_t begin = 0;
    std::size_t newline = held.find('\n', searched);
    while (newline != std::string::npos) {
      const Line line{std::string_view(held).substr(begin, newline - begin), segment, offset + begin};
      begin = newline + 1;
      if (take(line) == Next::enough) return offset + begin;
      newline = held.find('\n', begin);
    }
    held.erase(0, begin);
    offset += begin;
  }
}

Result<std::vector<TornTail>> cut_torn_tails(Folder& folder, std::uint64_t current_epoch) {
  TRY(const std::vector<Segment> all, segments(folder));
  std::vector<TornTail> cut;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool last =
        i + 1 == all.size() || all[i + 1].producer != all[i].producer || all[i + 1].epoch != all[i].epoch;
    if (!last || all[i].epoch >= current_epoch) continue;
    const std::string name = name_of(all[i]);
    TRY(const std::uint64_t size, folder.size(name));
    TRY(const std::uint64_t end, end_of_lines(folder, name, size));
    if (end == size) continue;
    TRY(const std::unique_ptr<File> file, folder.open_append(name));
    TRY_VOID(file->truncate(end));
    TRY_VOID(file->sync());
    cut.push_back({all[i], end, size - end});
  }
  return cut;
}

Result<std::uint64_t> highest_epoch(Folder& folder) {
  TRY(const std::vector<Segment> all, segments(folder));
  std::uint64_t highest = 0;
  for (const Segment& segment : all) highest = std::max(highest, segment.epoch);
  return highest;
}

bool matches(const Filter& filter, const Record& record, std::string_view line) {
  if (filter.kind && record.envelope.kind != *filter.kind) return false;
  if (filter.from && record.envelope.at < *filter.from) return false;
  if (filter.to && record.envelope.at >= *filter.to) return false;
  if (!filter.key.empty() && !names_key(record.body, filter.key)) return false;
  return filter.text.empty() || line.contains(filter.text);
}

Result<Exported> export_lines(Folder& folder, const Filter& filter,
                              const std::function<Next(std::string_view line)>& take) {
  TRY(const std::vector<Segment> all, segments(folder));
  Exported exported;
  Parser parser;
  Next go = Next::more;
  const auto look = [&](const Line& line) {
    const Result<Record> record = parser.parse(line.text);
    if (!record) {
      ++exported.unreadable;
    } else if (matches(filter, *record, line.text)) {
      ++exported.lines;
      go = take(line.text);
    }
    return go;
  };
  for (const Segment& segment : all) {
    if (go == Next::enough) break;
    TRY_VOID(read_lines(folder, segment, 0, look));
  }
  return exported;
}

Tail::Tail(Folder& folder, Filter filter, std::size_t last)
    : folder_(folder), filter_(std::move(filter)), last_(last) {}

// The lines there already: skipped, except for the newest that were asked for.
Result<std::size_t> Tail::begin(const std::function<Next(std::string_view line)>& take) {
  TRY(const std::vector<Segment> all, segments(folder_));
  std::multimap<Time, std::string> newest;
  for (const Segment& segment : all) {
    std::uint64_t& offset = offsets_[segment];
    if (last_ == 0) {
      TRY(const std::uint64_t size, folder_.size(name_of(segment)));
      TRY(offset, end_of_lines(folder_, name_of(segment), size));
      continue;
    }
    const auto look = [&](const Line& line) {
      const Result<Record> record = parser_.parse(line.text);
      if (!record || !matches(filter_, *record, line.text)) return Next::more;
      newest.emplace(record->envelope.at, line.text);
      if (newest.size() > last_) newest.erase(newest.begin());
      return Next::more;
    };
    TRY(offset, read_lines(folder_, segment, 0, look));
  }
  std::size_t handed = 0;
  for (const auto& [at, line] : newest) {
    ++handed;
    if (take(line) == Next::enough) break;
  }
  return handed;
}

Result<std::size_t> Tail::poll(const std::function<Next(std::string_view line)>& take) {
  if (!started_) {
    TRY(const std::size_t handed, begin(take));
    started_ = true;
    return handed;
  }
  TRY(const std::vector<Segment> all, segments(folder_));
  std::size_t handed = 0;
  Next go = Next::more;
  const auto look = [&](const Line& line) {
    const Result<Record> record = parser_.parse(line.text);
    if (!record || !matches(filter_, *record, line.text)) return Next::more;
    ++handed;
    return go = take(line.text);
  };
  for (const Segment& segment : all) {
    if (go == Next::enough) break;
    std::uint64_t& offset = offsets_[segment];
    TRY(offset, read_lines(folder_, segment, offset, look));
  }
  return handed;
}

}  // namespace claviger::journal
