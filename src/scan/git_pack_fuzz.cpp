// Fuzzes packs and their indexes: whatever they say, a sweep and single reads end, and what they give agrees.
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/check.hpp"
#include "scan/git_objects.hpp"
#include "scan/git_sweep.hpp"

namespace claviger::scan {
namespace {

using Seen = std::unordered_map<ObjectId, std::string>;

class Keeper final : public SweepVisitor {
 public:
  explicit Keeper(Seen& seen) : seen_(seen) {}
  std::unique_ptr<SweepTrace> visit(const SweptObject& object) override {
    if (object.copies != nullptr)
      for (const Copy& copy : *object.copies)
        check(copy.size <= object.bytes.size() && copy.to <= object.bytes.size() - copy.size,
              "a copy is inside");
    seen_.emplace(object.id, std::string(as_text(object.bytes)));
    return nullptr;
  }

 private:
  Seen& seen_;
};

// The first two bytes say how long the index is; then come index and pack.
int run(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t length = std::min<std::size_t>(std::size_t{data[0]} << 8 | data[1], size - 2);
  auto index = PackIndex::open(Mapping::borrowed({data + 2, length}), HashKind::sha1);
  if (!index) return 0;
  auto pack = Pack::open(Mapping::borrowed({data + 2 + length, size - 2 - length}), std::move(*index), "pack",
                         HashKind::sha1);
  if (!pack) return 0;
  std::vector<std::unique_ptr<Pack>> packs;
  packs.push_back(std::move(*pack));
  const auto database = ObjectDatabase::of(std::move(packs), HashKind::sha1);
  GitProblems problems;
  Seen seen;
  sweep(*database, {}, problems, [&] { return std::make_unique<Keeper>(seen); });
  ObjectReader reader(*database, 4096, 1 << 20);
  const PackIndex& objects = database->packs()[0]->index();
  for (std::uint32_t nth = 0; nth < objects.count() && nth < 64; ++nth) {
    const ObjectId id = objects.id(nth);
    const auto object = reader.read(ObjectDatabase::Place{0, nth});
    const auto swept = seen.find(id);
    // Two entries may claim one name: only where the index finds this very entry must both ways agree.
    const auto found = database->find_packed(id);  // nothing in an index that is not sorted
    if (object && swept != seen.end() && found && found->nth == nth && seen.size() == objects.count())
      check(as_text(*object->bytes) == swept->second, "a sweep and a single read agree");
  }
  return 0;
}

}  // namespace
}  // namespace claviger::scan

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(GitPackFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("git_pack_fuzz", claviger::scan::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::scan::run(data, size);
}
#endif
