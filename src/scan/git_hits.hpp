// What the sweep leaves behind of an object with secrets: enough to know them again, not the secrets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "detect/engine.hpp"
#include "scan/git_archives.hpp"
#include "scan/git_sweep.hpp"

namespace claviger::scan {

// A secret of a blob, by a number that stands for its text; and which of several equal ones it is.
struct HotKey {
  std::uint64_t secret = 0;
  std::uint32_t ordinal = 0;
  friend auto operator<=>(const HotKey&, const HotKey&) = default;
};

struct HotBlob {
  ObjectId id;
  std::vector<HotKey> keys;
};

// A hit in the message of a commit or tag; positions in the message.
struct MessageHit {
  ObjectId id;
  ObjectType type = ObjectType::commit;
  detect::Hit hit;
  LinePlace at;
};

// All that a scan of objects found. Filled by one collector a thread.
struct HistoryHits {
  std::mutex mutex;
  std::vector<HotBlob> blobs;
  std::vector<MessageHit> messages;
  std::vector<ObjectId> commits;  // seen, when asked for
  std::uint64_t allowed = 0;
};

// Numbers the hits of one text; the same secret at the same place among its like has the same key in every
// text.
class HotKeys {
 public:
  HotKey next(const detect::Hit& hit) { return next(detect::secret_number(hit.secret)); }
  HotKey next(std::uint64_t secret) { return {secret, seen_[secret]++}; }
  void clear() { seen_.clear(); }

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> seen_;  // how often each came
};

enum class CollectCommits : std::uint8_t { no, yes };

// Scans blobs, deltas by what they do not share with their base, archives by the files in them, and the
// messages of commits and tags.
class HitCollector final : public SweepVisitor {
 public:
  HitCollector(const std::shared_ptr<const detect::Engine>& engine, Archives archives, CollectCommits commits,
               HistoryHits& hits, GitProblems& problems)
      : scanner_(engine),
        archives_(engine, archives),
        collect_commits_(commits),
        hits_(hits),
        problems_(problems) {}
  ~HitCollector() override;
  std::unique_ptr<SweepTrace> visit(const SweptObject& object) override;

 private:
  std::unique_ptr<SweepTrace> scan_blob(const SweptObject& object);
  bool scan_archive(const SweptObject& object);
  void keep(HotBlob blob, const ObjectId& id);
  void scan_message(const SweptObject& object);

  detect::Engine::Scanner scanner_;
  BlobArchives archives_;
  CollectCommits collect_commits_;
  HistoryHits& hits_;
  GitProblems& problems_;
  HotKeys keys_;
  std::vector<Copy> repeats_;
  std::vector<HotBlob> blobs_;
  std::vector<MessageHit> messages_;
  std::vector<ObjectId> commits_;
  std::uint64_t allowed_ = 0;
};

}  // namespace claviger::scan
