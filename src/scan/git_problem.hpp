// What could not be read of a repository, and why: collected, so that the rest is still scanned.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"

namespace claviger::scan {

struct GitProblem {
  std::string what;  // "blob 1234...", "pack-1234.pack", a ref
  std::string why;
};

// Shared by all threads of a scan. Keeps limits::kGitProblems of them and counts all.
class GitProblems {
 public:
  void add(std::string what, std::string why) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (kept_.size() < limits::kGitProblems) kept_.push_back({std::move(what), std::move(why)});
  }
  void add(std::string what, const Error& error) {
    add(std::move(what), error.detail.empty() ? std::string(told(error)) : error.detail);
  }
  std::vector<GitProblem> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(kept_, {});
  }
  std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<GitProblem> kept_;
  std::uint64_t count_ = 0;
};

}  // namespace claviger::scan
