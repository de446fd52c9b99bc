// Scans swept objects and keeps what was hit.
#include "scan/git_hits.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "scan/git_commit.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kUsefulCopy = 192;  // a shorter one is scanned like what is inserted

struct BlobTrace final : SweepTrace {
  std::shared_ptr<const detect::Trace> trace;
};

}  // namespace

HitCollector::~HitCollector() {
  const std::lock_guard lock(hits_.mutex);
  std::ranges::move(blobs_, std::back_inserter(hits_.blobs));
  std::ranges::move(messages_, std::back_inserter(hits_.messages));
  hits_.commits.insert(hits_.commits.end(), commits_.begin(), commits_.end());
  hits_.allowed += allowed_;
}

std::unique_ptr<SweepTrace> HitCollector::visit(const SweptObject& object) {
  if (object.type == ObjectType::blob) return scan_blob(object);
  if (!object.repeated) {
    if (object.type == ObjectType::commit && collect_commits_ == CollectCommits::yes)
      commits_.push_back(object.id);
    scan_message(object);
  }
  return nullptr;
}

std::unique_ptr<SweepTrace> HitCollector::scan_blob(const SweptObject& object) {
  using Leave = detect::Engine::Scanner::Leave;
  if (object.repeated && !object.has_deltas) return nullptr;
  if (scan_archive(object)) return nullptr;
  const detect::Trace* base = nullptr;
  if (object.base != nullptr) base = static_cast<const BlobTrace*>(object.base)->trace.get();
  // Short copies bring less along than it costs to look for it.
  repeats_.clear();
  if (base != nullptr)
    std::ranges::copy_if(*object.copies, std::back_inserter(repeats_),
                         [](const Copy& copy) { return copy.size >= kUsefulCopy; });
  HotBlob blob;
  keys_.clear();
  // The paths are not known yet; places are judged again with theirs.
  auto trace =
      scanner_.scan_repeating(as_text(object.bytes), base, repeats_,
                              object.has_deltas ? Leave::trace : Leave::nothing, [&](std::uint64_t secret) {
                                if (blob.keys.size() < limits::kScanHits)
                                  blob.keys.push_back(keys_.next(secret));
                              });
  if (!object.repeated) {
    allowed_ += scanner_.allowed();
    keep(std::move(blob), object.id);
  }
  if (!object.has_deltas || trace == nullptr) return nullptr;
  auto left = std::make_unique<BlobTrace>();
  left->trace = std::move(trace);
  return left;
}

// What is packed has nothing in common with its base that could be seen.
bool HitCollector::scan_archive(const SweptObject& object) {
  HotBlob blob;
  keys_.clear();
  const auto tell = [&](const detect::Hit& hit, const std::string&, const LinePlace&) {
    if (blob.keys.size() < limits::kScanHits) blob.keys.push_back(keys_.next(hit));
  };
  if (!archives_.scan(as_text(object.bytes), "blob:" + object.id.hex(), tell)) return false;
  if (object.repeated) return true;
  for (Problem& problem : archives_.problems) problems_.add(std::move(problem.what), std::move(problem.why));
  allowed_ += archives_.allowed;
  keep(std::move(blob), object.id);
  return true;
}

void HitCollector::keep(HotBlob blob, const ObjectId& id) {
  if (blob.keys.empty()) return;
  blob.id = id;
  blobs_.push_back(std::move(blob));
}

void HitCollector::scan_message(const SweptObject& object) {
  const std::string_view text = as_text(object.bytes);
  const std::size_t head = text.find("\n\n");
  if (head == std::string_view::npos) return;
  const std::string_view message = text.substr(head + 2);
  LinePlaces places(message);
  scanner_.scan(message, {}, [&](const detect::Hit& hit) {
    messages_.push_back({object.id, object.type, hit, places.of(hit)});
  });
  allowed_ += scanner_.allowed();
}

}  // namespace claviger::scan
