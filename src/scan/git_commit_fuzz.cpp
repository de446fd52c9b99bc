// Fuzzes commits, tags, trees and multi-pack-indexes: every view lies inside what was given.
#include <cstdint>

#include "base/check.hpp"
#include "scan/git_commit.hpp"
#include "scan/git_pack.hpp"

namespace claviger::scan {
namespace {

void expect_inside(std::string_view part, ByteView whole) {
  if (part.empty()) return;
  const auto* begin = reinterpret_cast<const std::uint8_t*>(part.data());
  check(begin >= whole.data() && begin + part.size() <= whole.data() + whole.size(), "a view lies inside");
}

int run(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  for (const HashKind kind : {HashKind::sha1, HashKind::sha256}) {
    if (const auto commit = parse_commit(bytes, kind)) {
      for (const std::string_view part : {commit->message, commit->author.name, commit->author.email})
        expect_inside(part, bytes);
    }
    TreeCursor cursor(bytes, kind);
    for (TreeEntry entry; cursor.next(entry);) {
      expect_inside(entry.name, bytes);
      expect_inside(as_text({entry.id, hash_size(kind)}), bytes);
    }
    if (const auto index = MultiPackIndex::read(bytes, kind))
      for (const MultiPackIndex::Part& part : index->parts) check(!part.pack.empty(), "a pack has a name");
  }
  if (const auto tag = parse_tag(bytes)) expect_inside(tag->message, bytes);
  return 0;
}

}  // namespace
}  // namespace claviger::scan

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(GitCommitFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("git_commit_fuzz", claviger::scan::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::scan::run(data, size);
}
#endif
