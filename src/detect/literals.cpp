// Vectorscan behind a narrow door.
#include "detect/literals.hpp"

#include <hs/hs.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace claviger::detect {

void Literals::Free::operator()(hs_database* database) const { hs_free_database(database); }

Result<Literals> Literals::compile(const std::vector<Literal>& literals, Target target) {
  if (literals.empty()) return Literals();
  std::vector<const char*> texts;
  std::vector<unsigned> flags, numbers;
  std::vector<std::size_t> sizes;
  for (const Literal& literal : literals) {
    numbers.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(literal.text.data());
    sizes.push_back(literal.text.size());
    flags.push_back(literal.any_case ? HS_FLAG_CASELESS : 0U);
  }
  hs_platform_info platform{};
  if (target == Target::here) hs_populate_platform(&platform);
  if (target == Target::avx2) platform.cpu_features = HS_CPU_FEATURES_AVX2;
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto done =
      hs_compile_lit_multi(texts.data(), flags.data(), numbers.data(), sizes.data(),
                           static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, &platform, &database, &error);
  if (done != HS_SUCCESS) {
    std::string what = error != nullptr && error->message != nullptr ? error->message : "no reason given";
    hs_free_compile_error(error);
    return fail(Code::internal, "the rules' literals could not be compiled: " + what);
  }
  Literals out;
  out.database_.reset(database);
  return out;
}

Result<Literals> Literals::load(std::string_view bytes) {
  hs_database_t* database = nullptr;
  if (hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS)
    return fail(Code::corrupt, "the compiled rules are for another processor or version");
  Literals out;
  out.database_.reset(database);
  hs_scratch_t* scratch = nullptr;  // refuses a database that this processor cannot run
  if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS)
    return fail(Code::corrupt, "the compiled rules are for another processor or version");
  hs_free_scratch(scratch);
  return out;
}

Result<std::string> Literals::serialise() const {
  if (database_ == nullptr) return std::string();
  char* bytes = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(database_.get(), &bytes, &size) != HS_SUCCESS)
    return fail(Code::internal, "the compiled rules could not be written");
  std::string out(bytes, size);
  std::free(bytes);  // NOLINT: hs allocates with malloc
  return out;
}

Scratch::Scratch(const Literals& literals) {
  check(literals.get() == nullptr || hs_alloc_scratch(literals.get(), &scratch_) == HS_SUCCESS,
        "scratch memory for a scan");
}
Scratch::~Scratch() {
  if (scratch_ != nullptr) hs_free_scratch(scratch_);
}
Scratch::Scratch(Scratch&& other) noexcept : scratch_(std::exchange(other.scratch_, nullptr)) {}

void Scratch::run(const Literals& literals, std::string_view text,
                  bool (*found)(void*, unsigned, std::size_t), void* self) {
  if (literals.get() == nullptr) return;
  struct Call {
    bool (*found)(void*, unsigned, std::size_t);
    void* self;
    std::size_t base = 0, fresh = 0;
    bool stopped = false;
  } call{found, self};
  const auto on_match = [](unsigned number, unsigned long long, unsigned long long end, unsigned,
                           void* context) {
    auto& c = *static_cast<Call*>(context);
    const std::size_t at = c.base + static_cast<std::size_t>(end);
    if (at <= c.fresh) return 0;  // seen at the end of the piece before
    c.stopped = !c.found(c.self, number, at);
    return c.stopped ? 1 : 0;
  };
  // A block is at most 4 GiB to Vectorscan: longer texts go in pieces that overlap by the longest literal.
  for (std::size_t at = 0; at < text.size() && !call.stopped; at += limits::kScanPiece) {
    call.fresh = at;
    call.base = at > limits::kScanOverlap ? at - limits::kScanOverlap : 0;
    if (at == 0) call.base = 0;
    const std::size_t size = std::min(text.size() - call.base, limits::kScanPiece + (at - call.base));
    const auto done = hs_scan(literals.get(), text.data() + call.base, static_cast<unsigned>(size), 0,
                              scratch_, on_match, &call);
    check(done == HS_SUCCESS || done == HS_SCAN_TERMINATED, "a scan runs to its end");
  }
}

}  // namespace claviger::detect
