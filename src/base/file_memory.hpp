// A simulated folder for tests: full disk, short writes, torn lines, tails lost in a power failure.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "base/file.hpp"
#include "base/rng.hpp"

namespace claviger {

// Thread-safe. Open Files keep working on the folder they came from, which must outlive them.
class MemoryFolder final : public Folder {
 public:
  Result<std::unique_ptr<File>> open_append(std::string_view name) override;
  Result<std::vector<std::string>> list() override;
  Result<std::string> read(std::string_view name, std::uint64_t offset, std::size_t max) override;
  Result<std::uint64_t> size(std::string_view name) override;
  Result<void> replace(std::string_view name, std::string_view bytes, Sync sync) override;
  Result<void> remove(std::string_view name) override;

  // Faults. All files together may hold this many bytes; an append that does not fit writes what fits and
  // fails.
  void set_capacity(std::optional<std::uint64_t> bytes);
  void fail_next_syncs(int count);
  void fail_next_replaces(int count);
  // The process dies inside an append (counted from now, 1 = the next) after `bytes` of it: from then on
  // every call of the folder and its files refuses until restart().
  void die_in_append(int append, std::size_t bytes);
  // The process dies inside the n-th replace from now, before it takes effect.
  void die_in_replace(int n);
  bool dead() const;

  // A new process finds everything that was written (kill -9): open files of the old one refuse from now on.
  void restart();
  // The machine lost power: of what was not synced each file keeps a prefix of random length; then restart().
  void restart_after_power_loss(SeededRng& rng);

  // For tampering tests: the whole content, and a new one put in its place.
  std::string content(std::string_view name) const;
  void overwrite(std::string_view name, std::string content);
  std::uint64_t syncs() const;

 private:
  friend class MemoryFile;
  struct Node {
    std::string bytes;
    std::size_t synced = 0;  // a power failure takes nothing before this
  };
  Result<void> alive() const;  // requires mutex_
  Result<void> append(std::string_view name, std::uint64_t end, std::uint64_t life, std::string_view bytes);
  Result<void> sync(std::string_view name, std::uint64_t life);
  Result<void> cut(std::string_view name, std::uint64_t life, std::uint64_t size);
  std::uint64_t used() const;

  mutable std::mutex mutex_;  // protects everything below
  std::map<std::string, Node, std::less<>> nodes_;
  std::optional<std::uint64_t> capacity_;
  int failing_syncs_ = 0;
  int failing_replaces_ = 0;
  int appends_to_death_ = 0;
  std::size_t bytes_to_death_ = 0;
  int replaces_to_death_ = 0;
  bool dead_ = false;
  std::uint64_t life_ = 1;  // Files of an earlier life refuse
  std::uint64_t syncs_ = 0;
};

}  // namespace claviger
