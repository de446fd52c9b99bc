// Fuzzes the index of a work tree: what is accepted is sorted and points into the file.
#include <cstdint>

#include "base/check.hpp"
#include "scan/git_index.hpp"

namespace claviger::scan {
namespace {

int run(const std::uint8_t* data, std::size_t size) {
  for (const HashKind kind : {HashKind::sha1, HashKind::sha256}) {
    const auto index = GitIndex::parse(Mapping::borrowed({data, size}), kind);
    if (!index) continue;
    std::string_view last;
    for (const IndexEntry& entry : index->entries()) {
      check(entry.path.empty() || last.empty() || last <= entry.path, "entries are sorted");
      check(entry.path.find('\0') == std::string_view::npos, "a path ends at its zero");
      last = entry.path;
    }
  }
  return 0;
}

}  // namespace
}  // namespace claviger::scan

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(GitIndexFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("git_index_fuzz", claviger::scan::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::scan::run(data, size);
}
#endif
