// Fuzzes the archive readers: whatever the bytes say, they end, within their bounds, and harm nothing.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "scan/archive.hpp"

namespace claviger::scan {
namespace {

class Reader final : public Members {
 public:
  void member(const std::string& path, Source& content) override {
    check(path.starts_with("x!/"), "a member's path begins with its archive's");
    ++members_;
    std::array<char, 4096> piece;
    for (;;) {
      const auto got = content.read(piece);
      if (!got || *got == 0) break;
      bytes_ += *got;
    }
    check(members_ <= limits::kArchiveEntries && bytes_ <= limits::kArchiveTotal, "within the bounds");
  }
  void problem(const std::string& path, const std::string& why) override {
    check(!path.empty() && !why.empty(), "a problem says where and what");
  }

 private:
  std::uint64_t members_ = 0, bytes_ = 0;
};

int run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto kind = static_cast<ArchiveKind>(data[0] % 4);
  Reader reader;
  open_archive(kind, MemoryExtent({reinterpret_cast<const char*>(data) + 1, size - 1}), "x", reader);
  return 0;
}

}  // namespace
}  // namespace claviger::scan

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(ArchiveFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("archive_fuzz", claviger::scan::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::scan::run(data, size);
}
#endif
