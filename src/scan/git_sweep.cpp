// Shares the families of all packs out to threads.
#include "scan/git_sweep.hpp"

#include <algorithm>
#include <thread>

#include "base/limits.hpp"
#include "scan/git_family_walk.hpp"

namespace claviger::scan {

namespace {

// Families of one pack in the order in which they are worked on.
struct Work {
  Families families;
  std::uint32_t pack = 0;
  std::vector<std::uint32_t> roots;
};

constexpr std::size_t kBatch = 16;     // families taken at once
constexpr std::uint32_t kHeavy = 256;  // members of a family that is begun early

// Heavy families first, the heaviest of all at the start, so that no thread is left alone with one at the
// end; the others as they lie in the pack.
std::vector<std::uint32_t> order_of(const Families& families, bool commits) {
  const auto& members = families.members();
  std::vector<std::uint32_t> order;
  std::vector<std::uint32_t> light;
  for (const std::uint32_t root : families.roots()) {
    const ObjectType type = members[root].type;
    if (type != ObjectType::blob && (!commits || type == ObjectType::tree)) continue;
    (members[root].weight > kHeavy ? order : light).push_back(root);
  }
  std::ranges::sort(order, std::greater(), [&](std::uint32_t root) { return members[root].weight; });
  order.insert(order.end(), light.begin(), light.end());
  return order;
}

class Sweep {
 public:
  Sweep(SweepShared& shared, const std::function<std::unique_ptr<SweepVisitor>()>& visitor)
      : shared_(shared), visitor_(visitor) {}

  SweepStats run();

 private:
  void work(SweepStats& stats);

  SweepShared& shared_;
  const std::function<std::unique_ptr<SweepVisitor>()>& visitor_;
  std::vector<Work> packs_;
  std::vector<ObjectId> loose_;
  std::atomic<std::size_t> next_pack_{0};
  std::vector<std::atomic<std::size_t>> next_root_;
  std::atomic<std::size_t> next_loose_{0};
};

void Sweep::work(SweepStats& stats) {
  const auto visitor = visitor_();
  FamilyWalk walk(shared_, *visitor);
  for (std::size_t i = 0; i < packs_.size(); ++i) {
    const Work& pack = packs_[i];
    while (true) {
      const std::size_t begin = next_root_[i].fetch_add(kBatch);
      if (begin >= pack.roots.size()) break;
      const std::size_t end = std::min(begin + kBatch, pack.roots.size());
      for (std::size_t at = begin; at < end; ++at) walk.walk(pack.families, pack.pack, pack.roots[at]);
    }
  }
  for (std::size_t at = next_loose_++; at < loose_.size(); at = next_loose_++) {
    walk.visit_loose(loose_[at]);
    if (shared_.options.done != nullptr) *shared_.options.done += kLooseBytes;
  }
  stats = walk.stats();
}

SweepStats Sweep::run() {
  const auto& packs = shared_.database.packs();
  for (std::uint32_t i = 0; i < packs.size(); ++i) {
    packs[i]->file().will_need();
    Families families = Families::of(*packs[i], shared_.problems);
    std::vector<std::uint32_t> roots = order_of(families, shared_.options.commits);
    packs_.push_back({std::move(families), i, std::move(roots)});
  }
  next_root_ = std::vector<std::atomic<std::size_t>>(packs_.size());
  shared_.database.each_loose(shared_.problems, [&](const ObjectId& id) { loose_.push_back(id); });
  std::ranges::sort(loose_);
  loose_.erase(std::unique(loose_.begin(), loose_.end()), loose_.end());
  if (shared_.options.total != nullptr) {
    std::uint64_t total = loose_.size() * kLooseBytes;
    for (const auto& pack : packs) total += pack->file().size();
    *shared_.options.total = total;
  }
  const unsigned threads = std::max(1U, shared_.options.threads);
  std::vector<SweepStats> stats(threads);
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back([this, &stats, i] { work(stats[i]); });
  work(stats[0]);
  for (std::thread& other : others) other.join();
  SweepStats sum;
  for (const SweepStats& part : stats) {
    sum.objects += part.objects;
    sum.bytes += part.bytes;
  }
  return sum;
}

}  // namespace

SweepStats sweep(const ObjectDatabase& database, const SweepOptions& options, GitProblems& problems,
                 const std::function<std::unique_ptr<SweepVisitor>()>& visitor) {
  const unsigned threads = std::max(1U, options.threads);
  // Besides bases a thread holds a delta, a result, and what it keeps to use again.
  SweepShared shared{database, problems, options, options.memory / (4 * threads)};
  return Sweep(shared, visitor).run();
}

}  // namespace claviger::scan
