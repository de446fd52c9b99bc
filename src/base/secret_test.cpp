// Secrets cannot be copied, printed or compared, are wiped, and live in guarded memory.
#include "base/secret.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <sstream>
#include <thread>

#include "base/injector_test.hpp"

namespace claviger {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(!Printable<Secret> && !Comparable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view> &&
              !std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_default_constructible_v<SecretAccess> && !std::is_copy_constructible_v<SecretAccess>);
static_assert(!std::is_copy_constructible_v<SecretCell>);

std::string read(const Secret& secret) {
  const std::span<const char> bytes = secret.open(gate::Injector::access());
  return {bytes.data(), bytes.size()};
}

std::string read(const SecretCell& cell) {
  const std::span<const char> bytes = cell.open(gate::Injector::access());
  return {bytes.data(), bytes.size()};
}

TEST(Secret, TakesTheBytesAndLeavesNoneInTheSource) {
  std::string source = "sk-a-secret-longer-than-the-small-string-buffer";
  const std::string copy = source;
  const char* const where = source.data();
  const std::size_t size = source.size();
  const Secret secret = Secret::take(source);
  EXPECT_EQ(read(secret), copy);
  EXPECT_TRUE(source.empty());
  ASSERT_EQ(source.data(), where) << "the test looks at the same buffer";
  source.resize(source.capacity(), 'x');  // so that the bytes may be read
  source.resize(0);
  for (std::size_t i = 0; i + 8 <= size; ++i) EXPECT_NE(std::memcmp(where + i, copy.data() + i, 8), 0);
}

TEST(Secret, WipesWhatLiesBeyondTheEndOfTheSource) {
  std::string source = "an-earlier-and-longer-value-of-the-same-buffer";
  const char* const where = source.data();
  const std::size_t capacity = source.capacity();
  source.resize(20);
  const Secret secret = Secret::take(source);
  source.reserve(capacity);
  ASSERT_EQ(source.data(), where);
  // The container's own view of its memory: nothing but zeroes up to the capacity.
  source.resize_and_overwrite(capacity, [](char* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(bytes[i], 0);
    return std::size_t{0};
  });
}

TEST(Secret, IsEmptyAfterItWasMovedFrom) {
  std::string source = "one";
  Secret first = Secret::take(source);
  const Secret second = std::move(first);
  EXPECT_EQ(first.size(), 0U);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(read(second), "one");
}

TEST(Secret, OfNothingIsEmpty) {
  std::string source;
  EXPECT_EQ(Secret::take(source).size(), 0U);
}

class Arena : public testing::TestWithParam<SecretArena::Backing> {};

TEST_P(Arena, RefusesWhatDoesNotFitAndTakesItOnceThereIsRoom) {
  SecretArena arena(4096, GetParam());
  EXPECT_FALSE(arena.hold(std::string(4097, 'a')));
  auto first = arena.hold(std::string(4096, 'a'));
  ASSERT_TRUE(first);
  EXPECT_FALSE(arena.hold(std::string(1, 'b')));
  first.reset();
  EXPECT_TRUE(arena.hold(std::string(1, 'b')));
}

TEST_P(Arena, GivesBackEachSecretAsItWas) {
  SecretArena arena(64 * 1024, GetParam());
  std::vector<SecretCell> cells;
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < 40; ++i) {
    wanted.emplace_back(1 + i * 31, static_cast<char>('a' + i % 26));
    auto cell = arena.hold(wanted.back());
    ASSERT_TRUE(cell);
    cells.push_back(std::move(*cell));
  }
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(read(cells[i]), wanted[i]);
}

TEST_P(Arena, WipesACellThatIsDropped) {
  SecretArena arena(4096, GetParam());
  const char* where = nullptr;
  {
    const auto cell = arena.hold(std::string(300, 's'));
    ASSERT_TRUE(cell);
    where = cell->open(gate::Injector::access()).data();
  }
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(where[i], 0);
}

TEST_P(Arena, FindsARunBetweenOthers) {
  SecretArena arena(4 * SecretArena::kUnit * 4, GetParam());  // 16 units
  std::vector<std::optional<SecretCell>> cells;
  for (int i = 0; i < 8; ++i) cells.push_back(arena.hold(std::string(2 * SecretArena::kUnit, 'x')));
  EXPECT_EQ(arena.units_free(), 0U);
  cells[2].reset();
  EXPECT_FALSE(arena.hold(std::string(3 * SecretArena::kUnit, 'y')));
  cells[3].reset();
  EXPECT_TRUE(arena.hold(std::string(3 * SecretArena::kUnit, 'y')));
  EXPECT_EQ(arena.units_free(), 4U);
}

TEST_P(Arena, MovesACellWithoutFreeingIt) {
  SecretArena arena(4096, GetParam());
  auto first = arena.hold(std::string("kept"));
  SecretCell second = std::move(*first);
  first.reset();
  EXPECT_EQ(read(second), "kept");
  auto third = arena.hold(std::string("other"));
  second = std::move(*third);
  third.reset();
  EXPECT_EQ(read(second), "other");
  EXPECT_EQ(arena.units_free(), 15U);
}

TEST_P(Arena, ServesSeveralThreads) {
  SecretArena arena(64 * 1024, GetParam());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&arena, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string text(static_cast<std::size_t>(1 + (i * 7 + t) % 600), static_cast<char>('a' + t));
        const auto cell = arena.hold(text);
        ASSERT_TRUE(cell);
        EXPECT_EQ(read(*cell), text);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(arena.units_free(), 256U);
}

TEST_P(Arena, SaysHowItIsProtected) {
  const SecretArena arena(4096, GetParam());
  if (GetParam() != SecretArena::Backing::ordinary) return;
  EXPECT_NE(arena.protection(), SecretArena::Protection::hidden);
}

INSTANTIATE_TEST_SUITE_P(Backings, Arena,
                         testing::Values(SecretArena::Backing::best, SecretArena::Backing::ordinary));

TEST(ArenaDeathTest, EndsTheProcessWhenACellWouldOutliveIt) {
  EXPECT_DEATH(
      {
        std::optional<SecretCell> cell;
        const SecretArena* arena = nullptr;
        {
          SecretArena inner(4096);
          arena = &inner;
          cell = inner.hold(std::string("x"));
        }
        static_cast<void>(arena);
      },
      "no cell outlives its arena");
}

// In a child, since it cannot be undone.
TEST(HardenProcess, LeavesNoCoreDumpNoDebuggerAndNoNewPrivileges) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    rlimit core{};
    const bool done = harden_process().has_value() && ::prctl(PR_GET_DUMPABLE) == 0 &&
                      ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && ::getrlimit(RLIMIT_CORE, &core) == 0 &&
                      core.rlim_max == 0;
    ::_exit(done ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace claviger
