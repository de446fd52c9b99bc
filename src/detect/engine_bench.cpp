// How fast the engine reads source, prose, minified script and random bytes with all rules, and how it
// starts.
#include <benchmark/benchmark.h>

#include <string>

#include "base/rng.hpp"
#include "detect/engine.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kSize = 8 * 1024 * 1024;

std::string repeated(std::string_view piece) {
  std::string out;
  SeededRng rng(1);
  while (out.size() < kSize) {
    out += piece;
    out += std::to_string(rng.below(1'000'000));
    out += '\n';
  }
  return out;
}

constexpr std::string_view kSource =
    R"(func (s *Server) handle(ctx context.Context, req *Request) (*Response, error) {
	token, err := s.tokens.Lookup(ctx, req.Header.Get("Authorization"))
	if err != nil {
		return nil, fmt.Errorf("lookup of key %q failed: %w", req.KeyID, err)
	}
	s.log.Info("request", "path", req.URL.Path, "user", token.User, "n", )";
constexpr std::string_view kScript =
    R"(!function(e,t){var n=t.key||"k",r=e.token;if(!r)return null;for(var i=0;i<n.length;i++))"
    R"(r=r.replace(n[i],""),e.secretName="app-secret",t.push({password:e.form.password,apiKey:t.api,id:)";

void scan(benchmark::State& state, const std::string& text) {
  const auto engine = *Engine::built_in();
  Engine::Scanner scanner(engine);
  for (auto _ : state) scanner.scan(text, {}, [](const Hit& hit) { benchmark::DoNotOptimize(&hit); });
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void scan_of_source(benchmark::State& state) { scan(state, repeated(kSource)); }
BENCHMARK(scan_of_source);

void scan_of_minified_script(benchmark::State& state) {
  std::string text = repeated(kScript);
  for (char& c : text)
    if (c == '\n') c = ';';
  scan(state, text);
}
BENCHMARK(scan_of_minified_script);

void scan_of_prose(benchmark::State& state) {
  scan(state,
       repeated(
           "The quick brown fox of the house jumps over a lazy dog, and nobody in the street minds it. "));
}
BENCHMARK(scan_of_prose);

void scan_of_random_bytes(benchmark::State& state) {
  std::string text(kSize, '\0');
  SeededRng rng(2);
  rng.fill({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  scan(state, text);
}
BENCHMARK(scan_of_random_bytes);

void start_of_the_built_in_engine(benchmark::State& state) {
  for (auto _ : state) {
    Engine::Scanner scanner(*Engine::built_in());
    scanner.scan("", {}, [](const Hit&) {});
  }
}
BENCHMARK(start_of_the_built_in_engine);

}  // namespace
}  // namespace claviger::detect
