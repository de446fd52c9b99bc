// Fills a data directory with many virtual keys through the identity layer, faster than one command a key.
#include <fmt/format.h>

#include "app/house.hpp"
#include "policy/scope.hpp"
#include "socket.hpp"

namespace claviger::bench {
namespace {

constexpr std::int64_t kBatch = 10'000;  // keys made in one transaction

std::string scope() {
  policy::Scope scope;
  scope.models = {"gpt-*"};
  scope.endpoints = {"chat"};
  scope.cidrs = {policy::Cidr::parse("127.0.0.0/8").value()};
  return policy::scope_text(scope);
}

Result<void> fill(identity::Keys& keys, store::Store& store, Rng& rng, std::int64_t count) {
  identity::KeyDraft draft;
  draft.team = "core";
  draft.project = "web";
  draft.environment = "dev";
  draft.created_by = "bench";
  draft.scope = scope();
  draft.rates = {1'000'000'000, 1'000'000'000, std::nullopt};
  for (std::int64_t made = 0; made < count; made += kBatch) {
    TRY_VOID(store.write([&](store::Tx& tx) -> Result<void> {
      for (std::int64_t n = made; n < std::min(made + kBatch, count); ++n) {
        draft.id = identity::fresh_id(rng);
        draft.name = fmt::format("bench-{}", n);
        TRY_VOID(keys.create(tx, draft));
      }
      return {};
    }));
  }
  return {};
}

Result<void> run(const Options& options) {
  const SystemClock clock;
  SystemRng rng;
  app::HouseOptions where;
  where.data = options.text("--data");
  TRY(const auto house, app::House::open(std::move(where), clock, rng));
  TRY_VOID(fill(house->keys(), house->store(), rng, options.number("--count")));
  return house->close();
}

}  // namespace
}  // namespace claviger::bench

int main(int argc, char** argv) {
  const auto ran = claviger::bench::run(claviger::bench::Options(argc, argv));
  if (ran) return 0;
  fmt::print(stderr, "bench_keys: {}\n", claviger::told(ran.error()));
  return 1;
}
