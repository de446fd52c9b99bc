// The writer loses nothing: full disk, failed sync, full segments.
#include "journal/writer.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "base/file_memory.hpp"
#include "journal/reader.hpp"

namespace {
thread_local std::size_t allocations = 0;
}

// Counted in this test binary, to see that the hot path allocates nothing.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace claviger::journal {
namespace {

const Start kStart{{1}, "0.1.0", "process"};

Intent intent(std::string_view req) {
  Intent i;
  i.at = {1'790'000'000'000'000'000};
  i.req = req;
  i.key = "k1", i.team = "core", i.provider = "openai", i.model = "gpt-5";
  i.hold_nanousd = {1000};
  return i;
}

std::unique_ptr<Writer> open(Folder& folder, std::uint64_t epoch = 1, std::size_t segment = 1 << 20) {
  return Writer::open(folder, "gate0", epoch, kStart, segment).value();
}

// Sequence numbers of all lines of gate0, in order of the segments.
std::vector<std::uint64_t> sequence(Folder& folder) {
  std::vector<std::uint64_t> seqs;
  Parser parser;
  const auto done = export_lines(folder, {}, [&](std::string_view line) {
    seqs.push_back(parser.parse(line).value().envelope.seq);
    return Next::more;
  });
  EXPECT_EQ(done.value().unreadable, 0U);
  return seqs;
}

std::vector<std::uint64_t> up_to(std::uint64_t n) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= n; ++i) all.push_back(i);
  return all;
}

TEST(writer, an_epoch_is_never_continued) {
  MemoryFolder folder;
  ASSERT_TRUE(open(folder)->flush());
  EXPECT_EQ(Writer::open(folder, "gate0", 1, kStart).error().code, Code::already_exists);
  EXPECT_TRUE(Writer::open(folder, "gate0", 2, kStart));
}

TEST(writer, a_full_disk_makes_it_unhealthy_and_loses_nothing) {
  MemoryFolder folder;
  auto writer = open(folder);
  ASSERT_TRUE(writer->flush());
  folder.set_capacity(folder.content("gate0-00000001-000000.jsonl").size() + 10);
  writer->append(intent("a"));
  EXPECT_EQ(writer->flush().error().code, Code::io_failed);
  EXPECT_FALSE(writer->healthy());
  writer->append(intent("b"));
  EXPECT_FALSE(writer->flush());
  EXPECT_EQ(writer->failed_flushes(), 2U);
  folder.set_capacity(std::nullopt);
  ASSERT_TRUE(writer->flush());
  EXPECT_TRUE(writer->healthy());
  EXPECT_EQ(writer->pending(), 0U);
  EXPECT_EQ(sequence(folder), up_to(3));
}

TEST(writer, after_a_failed_write_the_same_bytes_come_again_at_the_same_place) {
  MemoryFolder folder;
  auto writer = open(folder, 1, 400);  // the batch below would fit no segment
  writer->append(intent("a"));
  writer->append(intent("b"));
  folder.set_capacity(300);
  EXPECT_FALSE(writer->flush());
  const std::string seen = folder.content("gate0-00000001-000000.jsonl");
  ASSERT_EQ(seen.size(), 300U);
  writer->append(intent("c"));
  folder.set_capacity(std::nullopt);
  ASSERT_TRUE(writer->flush());
  EXPECT_TRUE(folder.content("gate0-00000001-000000.jsonl").starts_with(seen));
  EXPECT_EQ(sequence(folder), up_to(4));
}

TEST(writer, a_failed_sync_makes_it_unhealthy_for_good) {
  MemoryFolder folder;
  auto writer = open(folder);
  ASSERT_TRUE(writer->flush());
  folder.fail_next_syncs(1);
  EXPECT_FALSE(writer->sync());
  EXPECT_FALSE(writer->healthy());
  EXPECT_FALSE(writer->sync());  // would succeed, and prove nothing
  writer->append(intent("a"));
  EXPECT_TRUE(writer->flush());
  EXPECT_FALSE(writer->healthy());
}

TEST(writer, nothing_is_written_before_the_flush) {
  MemoryFolder folder;
  auto writer = open(folder);
  const std::uint64_t ticket = writer->append(intent("a"));
  EXPECT_EQ(ticket, writer->ticket());
  EXPECT_EQ(folder.content("gate0-00000001-000000.jsonl"), "");
  ASSERT_TRUE(writer->flush());
  EXPECT_EQ(folder.content("gate0-00000001-000000.jsonl").size(), ticket);
}

TEST(writer, full_segments_are_followed_by_the_next) {
  MemoryFolder folder;
  auto writer = open(folder, 7, 600);
  for (int i = 0; i < 20; ++i) {
    writer->append(intent("a"));
    ASSERT_TRUE(writer->flush());
  }
  ASSERT_TRUE(writer->close({2}));
  const auto all = segments(folder).value();
  ASSERT_GT(all.size(), 5U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].number, i);
    EXPECT_LE(folder.content(name_of(all[i])).size(), 600U);
  }
  EXPECT_EQ(sequence(folder), up_to(22));
}

TEST(writer, a_power_loss_leaves_no_hole_between_segments) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    MemoryFolder folder;
    auto writer = open(folder, 7, 600);
    for (int i = 0; i < 20; ++i) {
      writer->append(intent("a"));
      ASSERT_TRUE(writer->flush());
    }
    SeededRng rng(seed);
    folder.restart_after_power_loss(rng);
    ASSERT_TRUE(cut_torn_tails(folder, 8));
    const std::vector<std::uint64_t> seqs = sequence(folder);
    EXPECT_EQ(seqs, up_to(seqs.size()));
    EXPECT_GT(seqs.size(), 15U);
  }
}

TEST(writer, a_dropped_writer_writes_what_it_still_has) {
  MemoryFolder folder;
  open(folder)->append(intent("a"));
  EXPECT_EQ(sequence(folder), up_to(2));
}

TEST(writer, closing_puts_the_stop_record_on_disk) {
  MemoryFolder folder;
  auto writer = open(folder);
  ASSERT_TRUE(writer->close({9}));
  EXPECT_EQ(writer->sync_point().synced(), writer->ticket());
  EXPECT_TRUE(folder.content("gate0-00000001-000000.jsonl").contains(R"("n":2,"t":"stop","at":9)"));
  writer.reset();
  EXPECT_EQ(sequence(folder), up_to(2));
}

TEST(writer, appending_allocates_nothing_once_the_batch_has_grown) {
  MemoryFolder folder;
  auto writer = open(folder, 1, 64 << 20);
  Receipt receipt;
  receipt.req = "req_0123456789abcdef", receipt.key = "0123456789ab", receipt.model = "gpt-5-mini-2026-01-01";
  receipt.team = "Z\xc3\xbcrich";
  receipt.usage.uncached_in = 1234, receipt.usage.text_out = 567, receipt.usage.seen = true;
  receipt.cost_nanousd = {123'456'789};
  const auto tick = [&] {
    for (int i = 0; i < 100; ++i) {
      writer->append(intent("req_0123456789abcdef"));
      writer->append(receipt);
    }
  };
  tick();
  ASSERT_TRUE(writer->flush());
  const std::size_t before = allocations;
  tick();
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace claviger::journal
