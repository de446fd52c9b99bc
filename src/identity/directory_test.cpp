// The directory: lookups, changes that share the rest, and a million entries.
#include "identity/directory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace claviger::identity {
namespace {

struct Entry {
  int number = 0;
};
using Entries = Directory<Entry>;

std::string id_of(int number) {
  std::string id(kIdLength, '0');
  for (std::size_t i = kIdLength; number > 0; number /= 10) id[--i] = static_cast<char>('0' + number % 10);
  return id;
}

std::shared_ptr<const Entry> entry(int number) { return std::make_shared<const Entry>(Entry{number}); }

TEST(Directory, an_unknown_or_malformed_id_is_not_found) {
  const Entries one = Entries().with(id_of(1), entry(1));
  EXPECT_EQ(one.find(id_of(2)), nullptr);
  EXPECT_EQ(one.find(""), nullptr);
  EXPECT_EQ(one.find("00000000000"), nullptr);
  EXPECT_EQ(one.find("0000000000001"), nullptr);
  EXPECT_EQ(Entries().find(id_of(1)), nullptr);
}

TEST(Directory, an_id_is_told_from_another_by_its_last_letter) {
  const Entries one = Entries().with(id_of(1), entry(1));
  for (int other = 2; other < 9'999; ++other) EXPECT_EQ(one.find(id_of(other)), nullptr) << other;
}

TEST(Directory, a_change_leaves_the_older_snapshot_as_it_was) {
  const Entries before = Entries().with(id_of(1), entry(1));
  const Entries changed = before.with(id_of(1), entry(10));
  const Entries added = changed.with(id_of(2), entry(2));
  const Entries removed = added.without(id_of(1));
  EXPECT_EQ(before.find(id_of(1))->number, 1);
  EXPECT_EQ(changed.find(id_of(1))->number, 10);
  EXPECT_EQ(changed.size(), 1U);
  EXPECT_EQ(added.size(), 2U);
  EXPECT_EQ(removed.find(id_of(1)), nullptr);
  EXPECT_EQ(removed.find(id_of(2))->number, 2);
  EXPECT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed.without(id_of(1)).size(), 1U);
}

TEST(Directory, a_change_copies_one_shard_and_no_entry) {
  Entries many;
  for (int i = 0; i < 1000; ++i) many = many.with(id_of(i), entry(i));
  const Entries changed = many.with(id_of(5), entry(-5));
  for (int i = 0; i < 1000; ++i) {
    if (i != 5) {
      EXPECT_EQ(many.find(id_of(i)), changed.find(id_of(i)));
    }
  }
}

TEST(Directory, an_entry_shared_out_outlives_its_directory) {
  std::shared_ptr<const Entry> kept;
  {
    const Entries one = Entries().with(id_of(7), entry(7));
    kept = one.share(id_of(7));
  }
  EXPECT_EQ(kept->number, 7);
}

TEST(Directory, two_entries_with_one_id_are_a_broken_invariant) {
  const std::string id = id_of(3);
  EXPECT_DEATH(Entries::from({{id, entry(1)}, {id, entry(2)}}), "ids differ");
}

// Memory in kB that this process holds.
long resident_kb() {
  std::ifstream statm("/proc/self/statm");
  long total = 0;
  long resident = 0;
  statm >> total >> resident;
  return resident * 4;
}

TEST(Directory, a_million_entries_fit_and_changes_to_them_share_memory) {
  constexpr int kMany = 1'000'000;
  std::vector<std::string> ids;
  ids.reserve(kMany);
  for (int i = 0; i < kMany; ++i) ids.push_back(id_of(i));
  std::vector<std::pair<std::string_view, Entries::Pointer>> pairs;
  pairs.reserve(kMany);
  const auto shared = entry(1);  // entries are the gate's business: the map alone is looked at
  for (const std::string& id : ids) pairs.emplace_back(id, shared);
  const Entries all = Entries::from(std::move(pairs));
  ASSERT_EQ(all.size(), static_cast<std::size_t>(kMany));
  for (int i = 0; i < kMany; i += 997) ASSERT_NE(all.find(ids[static_cast<std::size_t>(i)]), nullptr);

  const long before = resident_kb();
  std::vector<Entries> versions;
  for (int i = 0; i < 200; ++i) versions.push_back(all.with(ids[static_cast<std::size_t>(i)], entry(i)));
  // Two hundred full copies would be some 6 GB.
  EXPECT_LT(resident_kb() - before, 64 * 1024);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(versions[static_cast<std::size_t>(i)].find(ids[static_cast<std::size_t>(i)])->number, i);
  std::size_t seen = 0;
  all.each([&](std::string_view, const Entry&) { ++seen; });
  EXPECT_EQ(seen, static_cast<std::size_t>(kMany));
}

}  // namespace
}  // namespace claviger::identity
