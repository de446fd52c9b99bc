// The way of a request through proxies: what a client writes itself never counts.
#include "policy/forwarded.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/rng.hpp"

namespace claviger::policy {
namespace {

using Values = std::vector<std::string_view>;
const std::vector<Cidr> kTrusted{Cidr::parse("10.0.0.0/8").value(), Cidr::parse("fd00::/8").value()};

// The address found, or the code of the refusal.
std::string found(std::string_view peer, const Values& list, const Values& forwarded = {},
                  const std::vector<Cidr>& trusted = kTrusted) {
  const auto at = client_address(IpAddress::parse(peer).value(), trusted, {list, forwarded});
  return at ? at->text() : std::string(code_name(at.error().code));
}

TEST(Forwarded, nobody_but_a_trusted_proxy_is_believed) {
  EXPECT_EQ(found("192.0.2.1", {"10.1.1.1"}, {"for=10.1.1.1"}), "192.0.2.1");
  EXPECT_EQ(found("10.0.0.1", {"192.0.2.9"}, {}, {}), "10.0.0.1") << "without trusted proxies";
}

TEST(Forwarded, what_the_client_wrote_in_front_is_passed_over) {
  EXPECT_EQ(found("10.0.0.1", {"10.9.9.9, 192.0.2.9"}), "192.0.2.9");
  EXPECT_EQ(found("10.0.0.1", {"10.9.9.9", "nonsense, 192.0.2.9, 10.0.0.2"}), "192.0.2.9");
  EXPECT_EQ(found("10.0.0.1", {}, {R"(for="[fd00::9]", for=192.0.2.9;proto=https)"}), "192.0.2.9");
}

TEST(Forwarded, the_way_is_walked_from_the_right_through_trusted_hops) {
  EXPECT_EQ(found("10.0.0.1", {"192.0.2.9, 10.0.0.3, 10.0.0.2"}), "192.0.2.9");
  EXPECT_EQ(found("10.0.0.1", {"10.0.0.4, 10.0.0.3"}), "10.0.0.4") << "a client inside";
  EXPECT_EQ(found("10.0.0.1", {}), "10.0.0.1") << "the proxy itself asks";
  EXPECT_EQ(found("fd00::1", {"2001:db8::7"}), "2001:db8::7");
  EXPECT_EQ(found("10.0.0.1", {"192.0.2.9:4711"}), "192.0.2.9");
  EXPECT_EQ(found("10.0.0.1", {"[2001:db8::7]:4711"}), "2001:db8::7");
  EXPECT_EQ(found("10.0.0.1", {}, {R"(By=x;FOR="[2001:db8::7]:4711")"}), "2001:db8::7");
}

TEST(Forwarded, a_trusted_hop_that_cannot_be_read_lets_nobody_in) {
  for (const auto* text : {"", "unknown", "_hidden", "192.0.2.9, ", "192.0.2.9,x", "[2001:db8::7", "1.2.3"})
    EXPECT_EQ(found("10.0.0.1", {text}), "malformed_request") << text;
  for (const auto* text : {"for=unknown", "for=_x", "proto=https", "for=192.0.2.1;for=192.0.2.2", "for"})
    EXPECT_EQ(found("10.0.0.1", {}, {text}), "malformed_request") << text;
}

TEST(Forwarded, a_quote_left_open_in_front_does_not_swallow_what_the_proxy_wrote) {
  EXPECT_EQ(found("10.0.0.1", {}, {R"(for=10.0.0.9;x=", for=192.0.2.9)"}), "malformed_request");
  EXPECT_EQ(found("10.0.0.1", {}, {R"(for=10.0.0.9;x=", for="[2001:db8::7]")"}), "malformed_request");
  EXPECT_EQ(found("10.0.0.1", {}, {R"(for=10.0.0.9;x="\", for="[2001:db8::7]")"}), "malformed_request");
  EXPECT_EQ(found("10.0.0.1", {}, {R"(for=10.0.0.9;x=",", for=192.0.2.9)"}), "192.0.2.9");
  EXPECT_EQ(found("10.0.0.1", {R"(10.0.0.9 ", 192.0.2.9)"}), "192.0.2.9")
      << "X-Forwarded-For knows no quotes";
}

TEST(Forwarded, two_fields_that_disagree_let_nobody_in) {
  EXPECT_EQ(found("10.0.0.1", {"192.0.2.9"}, {"for=10.7.7.7"}), "malformed_request");
  EXPECT_EQ(found("10.0.0.1", {"192.0.2.9"}, {"for=192.0.2.9"}), "192.0.2.9");
}

TEST(Forwarded, as_many_hops_as_the_bound_are_walked_and_no_more) {
  const auto hops = [](std::size_t n) {
    std::string text = "192.0.2.9";
    for (std::size_t i = 1; i < n; ++i) text += ", 10.0.0.2";
    return text;
  };
  EXPECT_EQ(found("10.0.0.1", {hops(limits::kForwardedHops - 1)}), "192.0.2.9");
  EXPECT_EQ(found("10.0.0.1", {hops(limits::kForwardedHops)}), "192.0.2.9");
  EXPECT_EQ(found("10.0.0.1", {hops(limits::kForwardedHops + 1)}), "malformed_request");
}

TEST(Forwarded, no_forged_front_changes_what_the_proxies_wrote) {
  SeededRng rng{5};
  const Values pieces{
      "10.0.0.9", "192.0.2.77", "junk", "\"", "for=", ";", "\\", "[", "2001:db8::1", "unknown"};
  for (int i = 0; i < 5'000; ++i) {
    std::string forged;
    for (std::uint64_t n = rng.below(5); n > 0; --n) {
      forged += pieces[rng.below(pieces.size())];
      if (rng.below(2) == 0) forged += ", ";
    }
    const std::string list = forged + ", 192.0.2.9, 10.0.0.2";
    const std::string got = found("10.0.0.1", {forged, "192.0.2.9, 10.0.0.2"});
    EXPECT_EQ(got, "192.0.2.9") << forged;
    const std::string joined = found("10.0.0.1", {list});
    EXPECT_TRUE(joined == "192.0.2.9" || joined == "malformed_request") << joined << " for " << list;
  }
}

}  // namespace
}  // namespace claviger::policy
