// Fuzzes addresses and networks: the text of what was read reads back, and a network holds itself and nothing
// of the other family.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "policy/ip.hpp"

namespace claviger::policy {
namespace {

void look_at(const IpAddress& address, const Cidr& network) {
  const auto again = IpAddress::parse(address.text());
  check(again && *again == address, "an address reads back");
  const auto alone = Cidr::parse(address.text());
  check(alone && alone->contains(address), "a lone address is a network of its own");
  check(!network.contains(address) || network.contains(*alone),
        "what holds an address holds it as a network");
  const auto all = Cidr::parse(address.is_v4() ? "0.0.0.0/0" : "::/0");
  const auto none = Cidr::parse(address.is_v4() ? "::/0" : "0.0.0.0/0");
  check(all->contains(address) && !none->contains(address), "each address has one family");
}

int run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  const auto network = Cidr::parse(first);
  if (network) {
    const auto again = Cidr::parse(network->text());
    check(again && *again == *network && network->contains(*again), "a network reads back, and holds itself");
    const std::string base = network->text().substr(0, network->text().find('/'));
    look_at(*IpAddress::parse(base), *network);
  }
  const std::string_view second = text.substr(first.size() < text.size() ? first.size() + 1 : text.size());
  if (const auto address = IpAddress::parse(second))
    look_at(*address, network ? *network : *Cidr::parse("::/0"));
  return 0;
}

}  // namespace
}  // namespace claviger::policy

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(IpFuzz, keeps_its_promises_over_the_corpus) { claviger::run_corpus("ip_fuzz", claviger::policy::run); }
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::policy::run(data, size);
}
#endif
