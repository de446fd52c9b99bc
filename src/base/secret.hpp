// Secrets in memory: a value that cannot be printed, compared or copied, and the one arena where provider
// keys live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace claviger {

namespace vault {
class Vault;
}
namespace gate {
class Injector;
}
namespace steward {
class Envoy;
}

// The passkey to the bytes of a secret. Only its friends can make one, so every reader of a secret is found
// by looking for this word.
class SecretAccess {
  SecretAccess() {}
  SecretAccess(const SecretAccess&) = delete;
  SecretAccess& operator=(const SecretAccess&) = delete;
  friend class vault::Vault;
  friend class gate::Injector;
  friend class steward::Envoy;
};

// Overwrites memory in a way the compiler may not leave out.
void wipe_memory(void* data, std::size_t size);

// A secret on its way in or out: move-only, wiped when dropped or moved from, no formatter and no ==.
class Secret {
 public:
  Secret() = default;  // empty
  // Copies `source`, then wipes all of its capacity and leaves it empty.
  static Secret take(std::string& source);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  bool operator==(const Secret&) const = delete;

  std::size_t size() const { return size_; }
  // The bytes; valid while the secret lives and is not moved from.
  std::span<const char> open(const SecretAccess&) const { return {bytes_.get(), size_}; }

 private:
  void clear();
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

class SecretArena;

// A place in the arena, owned: wiped and given back when dropped. Must not outlive its arena.
class SecretCell {
 public:
  SecretCell(SecretCell&& other) noexcept;
  SecretCell& operator=(SecretCell&& other) noexcept;
  SecretCell(const SecretCell&) = delete;
  SecretCell& operator=(const SecretCell&) = delete;
  ~SecretCell();

  std::size_t size() const { return size_; }
  // The bytes; valid while the cell lives and is not moved from. Needs no lock: a cell never changes.
  std::span<const char> open(const SecretAccess&) const;

 private:
  friend class SecretArena;
  SecretCell(SecretArena& arena, std::size_t first, std::size_t size)
      : arena_(&arena), first_(first), size_(size) {}
  void clear();
  SecretArena* arena_;  // null once moved from
  std::size_t first_;   // first unit of kUnit bytes
  std::size_t size_;
};

// One guarded region for all provider keys: memfd_secret(2), which even root cannot read from outside and no
// core dump contains; where the kernel does not offer it, one sodium_malloc region (guard pages, locked, not
// dumped). One region, not one a secret: thousands of guarded allocations exhaust vm.max_map_count.
// Thread-safe. Room is counted in units; a secret takes as many neighbouring ones as it needs.
class SecretArena {
 public:
  static constexpr std::size_t kUnit = 256;
  static constexpr std::size_t kDefaultBytes = 2 * 1024 * 1024;  // of the usual RLIMIT_MEMLOCK of 8 MiB

  enum class Protection : std::uint8_t {
    hidden,   // memfd_secret: gone from the kernel's own map
    locked,   // cannot be swapped or dumped
    exposed,  // could not be locked: may reach swap; the operator should be told
  };
  enum class Backing : std::uint8_t { best, ordinary };  // ordinary: as if there were no memfd_secret

  // Ends the process when not even ordinary memory can be had.
  explicit SecretArena(std::size_t bytes = kDefaultBytes, Backing backing = Backing::best);
  SecretArena(const SecretArena&) = delete;
  SecretArena& operator=(const SecretArena&) = delete;
  ~SecretArena();  // wipes everything; every cell must be gone

  // Copies `bytes` in; nullopt when no run of units is free. An empty span takes no room.
  std::optional<SecretCell> hold(std::span<const char> bytes);

  Protection protection() const { return protection_; }
  std::size_t units_free() const;

 private:
  friend class SecretCell;
  bool map_hidden();
  void map_ordinary();
  void release(std::size_t first, std::size_t size);

  std::size_t bytes_;
  char* region_ = nullptr;   // guard pages lie around it
  char* mapping_ = nullptr;  // the whole of it with guards, when it is memfd_secret's
  Protection protection_ = Protection::exposed;
  mutable std::mutex lock_;
  std::vector<bool> taken_;  // a bit a unit; guarded by lock_
  std::size_t next_ = 0;     // where the next search begins; guarded by lock_
};

// What a process that holds secrets does first: no core dumps, not attachable by its own user, no new
// privileges. Fails with `internal` naming the step the kernel refused.
Result<void> harden_process();

}  // namespace claviger
