// Blobs that are archives: the hits in their files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scan/inspector.hpp"

namespace claviger::scan {

// One a thread. Costs nothing before the first archive comes.
class BlobArchives {
 public:
  BlobArchives(std::shared_ptr<const detect::Engine> engine, Archives archives)
      : task_{std::move(engine), detect::Severity::low, archives} {}

  // Tells the hits of all files in the archive `bytes`, which stands at `path`, in the same order each time.
  // False when it is none, or is not to be opened.
  bool scan(std::string_view bytes, const std::string& path, const Inspector::Tell& tell);

  // Of the last archive: what could not be unpacked, and secrets left out because of a comment.
  std::vector<Problem> problems;
  std::uint64_t allowed = 0;

 private:
  Task task_;
  const Inspector::Tell* tell_ = nullptr;
  std::unique_ptr<Inspector> inspector_;
};

}  // namespace claviger::scan
