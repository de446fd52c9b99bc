// All objects of a database once, base first along the trees of deltas, on all threads.
//
// A delta's base is inflated once, however many deltas stand on it: each family of deltas is walked from its
// root, and a base is held until its last child is made. The heaviest child comes last and takes its parent's
// place, so that at most log2(family) bases are held; when even that is too much, bases are dropped and made
// again. Families are what threads share out.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "scan/git_objects.hpp"

namespace claviger::scan {

// What a visitor remembers of an object for its deltas.
class SweepTrace {
 public:
  virtual ~SweepTrace() = default;
};

struct SweptObject {
  ObjectId id;
  ObjectType type = ObjectType::blob;
  ByteView bytes;
  // Of a delta: what its base is made of and what the visitor remembered of it; null for a whole object.
  const std::vector<Copy>* copies = nullptr;
  const SweepTrace* base = nullptr;
  bool has_deltas = false;  // whether a trace will be asked for
  bool repeated = false;    // seen before, in another pack: it is only wanted as a base
};

// One a thread.
class SweepVisitor {
 public:
  virtual ~SweepVisitor() = default;
  // The bytes live until the call returns. The trace may be null.
  virtual std::unique_ptr<SweepTrace> visit(const SweptObject& object) = 0;
};

// What a loose object takes, as a rule: they are not asked one by one.
inline constexpr std::uint64_t kLooseBytes = 4096;

struct SweepOptions {
  unsigned threads = 1;
  std::size_t memory = limits::kScanMemory;  // for all threads together
  bool commits = true;                       // commits and tags too
  // For progress: compressed bytes behind us, and of all. A loose object counts as kLooseBytes.
  std::atomic<std::uint64_t>* done = nullptr;
  std::atomic<std::uint64_t>* total = nullptr;
};

struct SweepStats {
  std::uint64_t objects = 0;  // visited
  std::uint64_t bytes = 0;    // of them, inflated
};

// Visits every blob (and commit and tag) of packs and loose objects once. What cannot be read is a problem;
// the rest is visited. `visitor` makes the visitor of one thread; it is called on that thread.
SweepStats sweep(const ObjectDatabase& database, const SweepOptions& options, GitProblems& problems,
                 const std::function<std::unique_ptr<SweepVisitor>()>& visitor);

}  // namespace claviger::scan
