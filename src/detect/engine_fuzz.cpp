// Fuzzes the whole engine: any bytes are scanned within their bounds, and a key planted among them is found.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "detect/engine.hpp"
#include "detect/sample.hpp"

namespace claviger::detect {
namespace {

struct Rig {
  Rig() : engine(*Engine::built_in()), scanner(engine) {
    for (const std::string_view id :
         {"anthropic-api-key", "groq-api-key", "aws-access-key-id", "github-token"})
      keys.push_back(expand_sample(engine->rules().at(*engine->rules().find(id)), "{secret}", 7));
  }
  std::shared_ptr<const Engine> engine;
  Engine::Scanner scanner;
  std::vector<std::string> keys;
};

// All hits lie within the text and come in order; true when one of them covers [begin, end).
bool covers(Rig& rig, std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t last = 0;
  bool found = false;
  rig.scanner.scan(text, {}, [&](const Hit& hit) {
    check(hit.begin <= hit.end && hit.end <= text.size(), "a hit lies within the text");
    check(hit.begin >= last, "hits come in order");
    check(!hit.secret.empty() && hit.rule < rig.engine->rules().size(), "a hit has a rule and a secret");
    last = hit.begin;
    found = found || (hit.begin <= begin && hit.end >= end);
  });
  return found;
}

int run(const std::uint8_t* data, std::size_t size) {
  static Rig rig;
  if (size < 3) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
  covers(rig, text, 0, text.size());

  const std::string& key = rig.keys[data[0] % rig.keys.size()];
  const std::size_t at = text.empty() ? 0 : (data[1] << 8 | data[2]) % text.size();
  if (text.contains("allowlist")) return 0;  // its next line is meant to be passed over
  std::string planted(text.substr(0, at));
  planted.append("\n").append(key).append("\n").append(text.substr(at));
  check(covers(rig, planted, at + 1, at + 1 + key.size()), "a planted key is found");
  return 0;
}

}  // namespace
}  // namespace claviger::detect

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(EngineFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("engine_fuzz", claviger::detect::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::detect::run(data, size);
}
#endif
