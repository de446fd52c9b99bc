// Reading back: torn tails at every byte, segments in order, filters, following.
#include "journal/reader.hpp"

#include <gtest/gtest.h>

#include "base/file_memory.hpp"
#include "journal/writer.hpp"

namespace claviger::journal {
namespace {

const Start kStart{{1}, "0.1.0", "process"};

Intent intent(std::string_view req, std::string_view key, std::int64_t at = 10) {
  Intent i;
  i.at = {at};
  i.req = req, i.key = key;
  return i;
}

std::vector<std::string> exported(Folder& folder, const Filter& filter) {
  std::vector<std::string> lines;
  EXPECT_TRUE(export_lines(folder, filter, [&](std::string_view line) {
    lines.emplace_back(line);
    return Next::more;
  }));
  return lines;
}

TEST(segment_names, others_are_not_segments) {
  for (const std::string_view name :
       {"", "gate0", "gate0-1-2.jsonl", "gate0-00000001-000000.json", "gate0-00000001-000000.jsonl.new",
        "-x-000000.jsonl", "gate0-0000000a-000000.jsonl", "gate0-00000001-0000-1.jsonl", "ranges.jsonl"})
    EXPECT_EQ(parse_segment(name), std::nullopt) << name;
}

TEST(segment_names, come_back_as_they_were_beyond_their_width_too) {
  const Segment wide{"steward", 123'456'789'012, 9'999'999};
  for (const Segment& segment : {Segment{"gate0", 3, 12}, wide})
    EXPECT_EQ(parse_segment(name_of(segment)), segment);
}

TEST(torn_tail, is_cut_wherever_the_last_line_breaks_off) {
  MemoryFolder whole;
  {
    auto writer = Writer::open(whole, "gate0", 1, kStart).value();
    writer->append(intent("a", "k"));
    writer->append(intent("b", "k"));
    ASSERT_TRUE(writer->flush());
  }
  const std::string name = "gate0-00000001-000000.jsonl";
  const std::string text = whole.content(name);
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  for (std::size_t end = last; end < text.size(); ++end) {
    MemoryFolder torn;
    torn.overwrite(name, text.substr(0, end));
    EXPECT_EQ(exported(torn, {}).size(), 2U);
    const auto cut = cut_torn_tails(torn, 2).value();
    EXPECT_EQ(torn.content(name), text.substr(0, last));
    ASSERT_EQ(cut.size(), end > last ? 1U : 0U);
    if (end == last) continue;
    EXPECT_EQ(cut[0].offset, last);
    EXPECT_EQ(cut[0].bytes, end - last);
  }
}

TEST(torn_tail, of_zero_bytes_is_cut_however_long) {
  MemoryFolder folder;
  folder.overwrite("gate0-00000001-000000.jsonl", "{}\n" + std::string(200'000, '\0'));
  folder.overwrite("gate1-00000001-000000.jsonl", std::string(200'000, '\0'));
  EXPECT_EQ(cut_torn_tails(folder, 2).value().size(), 2U);
  EXPECT_EQ(folder.content("gate0-00000001-000000.jsonl"), "{}\n");
  EXPECT_EQ(folder.content("gate1-00000001-000000.jsonl"), "");
}

TEST(torn_tail, of_the_running_epoch_is_left) {
  MemoryFolder folder;
  folder.overwrite("gate0-00000002-000000.jsonl", "{\"v\"");
  EXPECT_TRUE(cut_torn_tails(folder, 2).value().empty());
  EXPECT_EQ(folder.content("gate0-00000002-000000.jsonl"), "{\"v\"");
}

TEST(read_lines, leaves_a_tail_and_goes_on_when_it_is_whole) {
  MemoryFolder folder;
  const Segment segment{"gate0", 1, 0};
  auto file = folder.open_append(name_of(segment)).value();
  ASSERT_TRUE(file->append("one\ntwo\nthr"));
  std::vector<std::string> lines;
  const auto take = [&](const Line& line) {
    lines.emplace_back(line.text);
    return Next::more;
  };
  const std::uint64_t offset = read_lines(folder, segment, 0, take).value();
  EXPECT_EQ(offset, 8U);
  ASSERT_TRUE(file->append("ee\n"));
  EXPECT_EQ(read_lines(folder, segment, offset, take).value(), 14U);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"}));
}

TEST(read_lines, finds_lines_across_chunks) {
  MemoryFolder folder;
  const Segment segment{"gate0", 1, 0};
  std::string text;
  for (int i = 0; i < 300; ++i) text += std::string(10'000 + static_cast<std::size_t>(i), 'x') + "\n";
  folder.overwrite(name_of(segment), text);
  std::size_t count = 0;
  const auto end = read_lines(folder, segment, 0, [&](const Line& line) {
    EXPECT_EQ(line.text.size(), 10'000U + count++);
    return Next::more;
  });
  EXPECT_EQ(count, 300U);
  EXPECT_EQ(end.value(), text.size());
}

TEST(export_lines, filters_by_kind_key_time_and_text) {
  MemoryFolder folder;
  {
    auto writer = Writer::open(folder, "gate0", 1, kStart).value();
    writer->append(intent("a", "k1", 100));
    writer->append(intent("b", "k2", 200));
    writer->append(Admin{{300}, "ops", "owner", "key.revoke", "key:k1", "", ""});
    ASSERT_TRUE(writer->flush());
  }
  folder.overwrite("gate1-00000001-000000.jsonl", "damaged\n");
  EXPECT_EQ(exported(folder, {}).size(), 4U);
  EXPECT_EQ(exported(folder, {.kind = Kind::intent, .from = {}, .to = {}, .key = {}, .text = {}}).size(), 2U);
  EXPECT_EQ(exported(folder, {.kind = {}, .from = {}, .to = {}, .key = "k1", .text = {}}).size(), 2U);
  EXPECT_EQ(exported(folder, {.kind = {}, .from = Time{100}, .to = Time{300}, .key = {}, .text = {}}).size(),
            2U);
  EXPECT_EQ(exported(folder, {.kind = {}, .from = {}, .to = {}, .key = {}, .text = "revoke"}).size(), 1U);
  const auto done = export_lines(folder, {}, [](std::string_view) { return Next::enough; }).value();
  EXPECT_EQ(done.lines, 1U);
}

TEST(export_lines, counts_what_it_cannot_read) {
  MemoryFolder folder;
  folder.overwrite("gate0-00000001-000000.jsonl", "damaged\n{}\n");
  const auto done = export_lines(folder, {}, [](std::string_view) { return Next::more; }).value();
  EXPECT_EQ(done.lines, 0U);
  EXPECT_EQ(done.unreadable, 2U);
}

TEST(tail, hands_on_what_comes_after_it_began) {
  MemoryFolder folder;
  auto writer = Writer::open(folder, "gate0", 1, kStart, 300).value();
  writer->append(intent("old", "k", 1));
  ASSERT_TRUE(writer->flush());
  Tail tail(folder, {});
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) {
    lines.emplace_back(line);
    return Next::more;
  };
  EXPECT_EQ(tail.poll(take).value(), 0U);
  for (int i = 0; i < 10; ++i) {
    writer->append(intent("new" + std::to_string(i), "k", 2));
    ASSERT_TRUE(writer->flush());
    EXPECT_EQ(tail.poll(take).value(), 1U);
    EXPECT_TRUE(lines.back().contains("new" + std::to_string(i)));
  }
}

TEST(tail, begins_with_the_newest_lines_that_were_asked_for) {
  MemoryFolder folder;
  auto writer = Writer::open(folder, "gate0", 1, kStart).value();
  for (int i = 0; i < 10; ++i) writer->append(intent("r" + std::to_string(i), "k", 100 + i));
  ASSERT_TRUE(writer->flush());
  Tail tail(folder, {}, 3);
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) {
    lines.emplace_back(line);
    return Next::more;
  };
  EXPECT_EQ(tail.poll(take).value(), 3U);
  EXPECT_TRUE(lines.front().contains("\"r7\""));
  EXPECT_EQ(tail.poll(take).value(), 0U);
}

}  // namespace
}  // namespace claviger::journal
