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
  std::int64_t line = 0, column = 0, end_line = 0;
};

// All that a scan of objects found. Filled by one collector a thread.
struct HistoryHits {
  std::mutex mutex;
  std::vector<HotBlob> blobs;
  std::vector<MessageHit> messages;
  std::vector<ObjectId> commits;  // seen, when asked for
  std::uint64_t allowed = 0;
};

// Where `hit` stands in `text`, from 1.
struct LinePlace {
  std::int64_t line = 0, column = 0, end_line = 0;
};
LinePlace line_place(std::string_view text, const detect::Hit& hit);

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

// Scans blobs, deltas by what they do not share with their base, and the messages of commits and tags.
class HitCollector final : public SweepVisitor {
 public:
  HitCollector(std::shared_ptr<const detect::Engine> engine, CollectCommits commits, HistoryHits& hits)
      : scanner_(std::move(engine)), collect_commits_(commits), hits_(hits) {}
  ~HitCollector() override;
  std::unique_ptr<SweepTrace> visit(const SweptObject& object) override;

 private:
  std::unique_ptr<SweepTrace> scan_blob(const SweptObject& object);
  void scan_message(const SweptObject& object);

  detect::Engine::Scanner scanner_;
  CollectCommits collect_commits_;
  HistoryHits& hits_;
  HotKeys keys_;
  std::vector<Copy> repeats_;
  std::vector<HotBlob> blobs_;
  std::vector<MessageHit> messages_;
  std::vector<ObjectId> commits_;
  std::uint64_t allowed_ = 0;
};

}  // namespace claviger::scan
