// Where a secret is left in the memory of the process: nowhere but in the arena.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>

#include "crypto/wipe.hpp"
#include "vault/test_rig.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLAVIGER_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLAVIGER_SANITIZED
#endif
#endif

namespace claviger::vault {
namespace {

constexpr char kMask = 0x5a;
constexpr std::size_t kLength = 96;

// The canary, masked, so that the test itself holds no copy of it. Incompressible, every window different.
std::array<char, kLength> masked_canary() {
  std::array<char, kLength> canary{};
  for (std::size_t i = 0; i < kLength; ++i)
    canary[i] = static_cast<char>((0x21 + (i * 37 + i * i * 11 + 5) % 94) ^ kMask);
  return canary;
}

std::string canary() {
  std::string text;
  text.reserve(kLength);
  for (const char c : masked_canary()) text.push_back(static_cast<char>(c ^ kMask));
  return text;
}

std::uint64_t word_at(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Looks for every 8-byte window: free() overwrites only the first bytes of a block.
class Search {
 public:
  Search() {
    const std::array<char, kLength> masked = masked_canary();
    for (std::size_t i = 0; i + 8 <= kLength; ++i) {
      windows_.push_back(word_at(masked.data() + i));
      low_.set(windows_.back() & 0xffff);
    }
    std::ranges::sort(windows_);
  }

  // The mappings with a window in them, one line each.
  std::vector<std::string> found() const {
    std::vector<std::string> places;
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      std::uint64_t start = 0;
      std::uint64_t end = 0;
      std::array<char, 5> mode{};
      if (std::sscanf(line.c_str(), "%lx-%lx %4s", &start, &end, mode.data()) != 3 || mode[1] != 'w')
        continue;
      if (holds(memory, start, end)) places.push_back(line);
    }
    ::close(memory);
    return places;
  }

 private:
  bool holds(int memory, std::uint64_t start, std::uint64_t end) const {
    std::vector<char> bytes(end - start);
    std::size_t got = 0;
    while (got < bytes.size()) {
      const ssize_t part =
          ::pread(memory, bytes.data() + got, bytes.size() - got, static_cast<off_t>(start + got));
      if (part <= 0) break;
      got += static_cast<std::size_t>(part);
    }
    constexpr std::uint64_t mask = 0x5a5a5a5a5a5a5a5a;
    bool hit = false;
    for (std::size_t i = 0; i + 8 <= got && !hit; ++i) {
      const std::uint64_t word = word_at(bytes.data() + i) ^ mask;
      hit = low_.test(word & 0xffff) && std::ranges::binary_search(windows_, word);
    }
    // Or the next mapping that is read would show what this one held.
    std::ranges::fill(bytes, '\0');
    return hit;
  }

  std::vector<std::uint64_t> windows_;
  std::bitset<65536> low_;
};

class MemoryTest : public VaultRig {
 protected:
  void SetUp() override {
#ifdef CLAVIGER_SANITIZED
    GTEST_SKIP() << "the sanitizer keeps copies of its own";
#else
    VaultRig::SetUp();
#endif
  }
};

TEST_F(MemoryTest, HoldsASecretInTheArenaAloneAndAfterwardsNowhere) {
  const Search search;
  std::string text = canary();
  EXPECT_FALSE(search.found().empty()) << "the search does find what is there";
  std::string out;
  out.reserve(4096);
  {
    const Secret secret = Secret::take(text);
    const Credential it = vault->add(openai(), secret).value();
    ASSERT_TRUE(vault->append_secret(it.id, kOrigin, out, gate::Injector::access()));
    ASSERT_TRUE(vault->append_secret(it.id, kOrigin, out, gate::Injector::access()));
    EXPECT_EQ(out.size(), 2 * kLength);
    crypto::wipe(out);
    ASSERT_TRUE(vault->add_version(it.id, secret_of("another")));
    ASSERT_TRUE(vault->rollback(it.id));
    ASSERT_TRUE(vault->damaged_rows()->empty());
    ASSERT_TRUE(vault->append_secret(it.id, kOrigin, out, gate::Injector::access()));
    crypto::wipe(out);
  }
  if (arena.protection() == SecretArena::Protection::hidden) {
    EXPECT_TRUE(search.found().empty()) << "while it is open: " << search.found().front();
  }
  vault.reset();
  EXPECT_TRUE(search.found().empty()) << "after the vault is closed: " << search.found().front();
}

}  // namespace
}  // namespace claviger::vault
