// How long the keyed hash of a presented key takes, beside the other primitives a request or an opening pays
// for.
#include <benchmark/benchmark.h>

#include <string>

#include "crypto/aead.hpp"
#include "crypto/equal.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"

namespace claviger::crypto {
namespace {

void hmac_of_a_key_token(benchmark::State& state) {
  const HmacSha256 pepper{ByteView(sha256("pepper"))};
  const std::string token(66, 'k');
  for (auto _ : state) benchmark::DoNotOptimize(pepper.mac(token));
}
BENCHMARK(hmac_of_a_key_token);

void compare_of_two_digests(benchmark::State& state) {
  const Digest one = sha256("one");
  const Digest other = sha256("one");
  for (auto _ : state) benchmark::DoNotOptimize(constant_time_equal(one, other));
}
BENCHMARK(compare_of_two_digests);

void open_of_a_sealed_secret(benchmark::State& state) {
  SystemRng rng;
  const Key key{sha256("key")};
  const Bytes sealed = aead_seal(key, Bytes(164, 's'), as_bytes("bound"), rng);
  for (auto _ : state) benchmark::DoNotOptimize(aead_open(key, sealed, as_bytes("bound")));
}
BENCHMARK(open_of_a_sealed_secret);

}  // namespace
}  // namespace claviger::crypto
