// Files in memory, with the failures that real ones have.
#include "base/file_memory.hpp"

#include <algorithm>

namespace claviger {
namespace {

std::unexpected<Error> broken(std::string_view what, std::string_view name) {
  return fail(Code::io_failed, std::string(what).append(": ").append(name));
}
std::unexpected<Error> absent(std::string_view name) {
  return fail(Code::not_found, std::string("no such file: ").append(name));
}

}  // namespace

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryFolder& folder, std::string name, std::uint64_t life, std::uint64_t size)
      : folder_(folder), name_(std::move(name)), life_(life), size_(size) {}

  Result<void> append(std::string_view bytes) override {
    TRY_VOID(folder_.append(name_, size_, life_, bytes));
    size_ += bytes.size();
    return {};
  }
  Result<void> sync() override { return folder_.sync(name_, life_); }
  std::uint64_t size() const override { return size_; }
  Result<void> truncate(std::uint64_t size) override {
    TRY_VOID(folder_.cut(name_, life_, size));
    size_ = size;
    return {};
  }

 private:
  MemoryFolder& folder_;
  const std::string name_;
  const std::uint64_t life_;
  std::uint64_t size_;
};

Result<void> MemoryFolder::alive() const {
  if (dead_) return fail(Code::io_failed, "the simulated process is dead");
  return {};
}

std::uint64_t MemoryFolder::used() const {
  std::uint64_t total = 0;
  for (const auto& [name, node] : nodes_) total += node.bytes.size();
  return total;
}

Result<std::unique_ptr<File>> MemoryFolder::open_append(std::string_view name) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  const Node& node = nodes_[std::string(name)];
  return std::make_unique<MemoryFile>(*this, std::string(name), life_, node.bytes.size());
}

Result<std::vector<std::string>> MemoryFolder::list() {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes_) names.push_back(name);
  return names;
}

Result<std::string> MemoryFolder::read(std::string_view name, std::uint64_t offset, std::size_t max) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return absent(name);
  const std::string& bytes = found->second.bytes;
  if (offset >= bytes.size()) return std::string();
  return bytes.substr(static_cast<std::size_t>(offset), max);
}

Result<std::uint64_t> MemoryFolder::size(std::string_view name) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return absent(name);
  return found->second.bytes.size();
}

Result<void> MemoryFolder::replace(std::string_view name, std::string_view bytes, Sync sync) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  if (replaces_to_death_ > 0 && --replaces_to_death_ == 0) {
    dead_ = true;
    return alive();
  }
  if (failing_replaces_ > 0) {
    --failing_replaces_;
    return broken("replacing fails", name);
  }
  const auto found = nodes_.find(name);
  const std::size_t before = found == nodes_.end() ? 0 : found->second.bytes.size();
  if (capacity_ && used() - before + bytes.size() > *capacity_) return broken("no space left", name);
  Node& node = nodes_[std::string(name)];
  node.bytes = bytes;
  node.synced = sync == Sync::yes ? bytes.size() : 0;
  return {};
}

Result<void> MemoryFolder::remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return absent(name);
  nodes_.erase(found);
  return {};
}

Result<void> MemoryFolder::append(std::string_view name, std::uint64_t end, std::uint64_t life,
                                  std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  const auto found = nodes_.find(name);
  if (life != life_ || found == nodes_.end()) return broken("the file is of an earlier process", name);
  std::string& content = found->second.bytes;
  const auto put = [&](std::size_t count) {  // over what a failed append left behind the end
    const std::size_t from = static_cast<std::size_t>(end);
    content.replace(from, std::min(count, content.size() - from), bytes.substr(0, count));
  };
  if (appends_to_death_ > 0 && --appends_to_death_ == 0) {
    put(std::min(bytes_to_death_, bytes.size()));
    dead_ = true;
    return alive();
  }
  const std::uint64_t total = used() - (content.size() - end);
  const std::uint64_t room = !capacity_ ? bytes.size() : *capacity_ > total ? *capacity_ - total : 0;
  put(static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size())));
  if (room < bytes.size()) return broken("no space left", name);
  return {};
}

Result<void> MemoryFolder::sync(std::string_view name, std::uint64_t life) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  const auto found = nodes_.find(name);
  if (life != life_ || found == nodes_.end()) return broken("the file is of an earlier process", name);
  if (failing_syncs_ > 0) {
    --failing_syncs_;
    return broken("syncing fails", name);
  }
  found->second.synced = found->second.bytes.size();
  ++syncs_;
  return {};
}

Result<void> MemoryFolder::cut(std::string_view name, std::uint64_t life, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(alive());
  const auto found = nodes_.find(name);
  if (life != life_ || found == nodes_.end()) return broken("the file is of an earlier process", name);
  Node& node = found->second;
  node.bytes.resize(static_cast<std::size_t>(size));
  node.synced = std::min(node.synced, node.bytes.size());
  return {};
}

void MemoryFolder::set_capacity(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}
void MemoryFolder::fail_next_syncs(int count) {
  const std::lock_guard lock(mutex_);
  failing_syncs_ = count;
}
void MemoryFolder::fail_next_replaces(int count) {
  const std::lock_guard lock(mutex_);
  failing_replaces_ = count;
}
void MemoryFolder::die_in_append(int append, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  appends_to_death_ = append;
  bytes_to_death_ = bytes;
}
void MemoryFolder::die_in_replace(int n) {
  const std::lock_guard lock(mutex_);
  replaces_to_death_ = n;
}
bool MemoryFolder::dead() const {
  const std::lock_guard lock(mutex_);
  return dead_;
}

void MemoryFolder::restart() {
  const std::lock_guard lock(mutex_);
  dead_ = false;
  appends_to_death_ = 0;
  replaces_to_death_ = 0;
  failing_syncs_ = 0;
  failing_replaces_ = 0;
  ++life_;
}

void MemoryFolder::restart_after_power_loss(SeededRng& rng) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, node] : nodes_) {
      const std::size_t loose = node.bytes.size() - node.synced;
      node.bytes.resize(node.synced + static_cast<std::size_t>(rng.below(loose + 1)));
      node.synced = node.bytes.size();
    }
  }
  restart();
}

std::string MemoryFolder::content(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? std::string() : found->second.bytes;
}

void MemoryFolder::overwrite(std::string_view name, std::string content) {
  const std::lock_guard lock(mutex_);
  Node& node = nodes_[std::string(name)];
  node.bytes = std::move(content);
  node.synced = node.bytes.size();
}

std::uint64_t MemoryFolder::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

}  // namespace claviger
