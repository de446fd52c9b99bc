// Fuzzes the configuration: whatever stands in it, it is read whole or refused in a sentence.
#include <cstdint>
#include <string>

#include "app/config.hpp"
#include "base/check.hpp"

namespace claviger::app {
namespace {

int run(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto config = parse_config(text);
  if (!config) {
    check(config.error().code == Code::configuration, "what cannot be used is called that");
    check(!told(config.error()).empty(), "a refusal says why");
    return 0;
  }
  check(config->text == text, "the whole text is kept for its prices");
  for (const provider::Provider& one : config->providers) check(!one.name.empty(), "a provider has a name");
  const auto catalog = make_catalog(*config);
  if (!catalog) {
    check(catalog.error().code == Code::configuration, "prices that cannot be used are refused too");
    return 0;
  }
  for (const provider::Provider& one : config->providers)
    check(catalog->find(one.name) != nullptr, "what was configured is there");
  return 0;
}

}  // namespace
}  // namespace claviger::app

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(ConfigFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("config_fuzz", claviger::app::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::app::run(data, size);
}
#endif
