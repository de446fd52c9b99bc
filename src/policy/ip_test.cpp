// Addresses and networks: what is refused, what lies in what.
#include "policy/ip.hpp"

#include <gtest/gtest.h>

namespace claviger::policy {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
bool in(std::string_view network, std::string_view address) {
  return Cidr::parse(network).value().contains(ip(address));
}

TEST(Ip, what_is_no_address_is_refused) {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "01.2.3.4"sv, "1.2.3.4:80"sv, "[::1]"sv,
        "fe80::1%eth0"sv, "::1::"sv, "12345::"sv, "localhost"sv, "1.2.3.4\0"sv, " 1.2.3.4"sv}) {
    const auto parsed = IpAddress::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_input);
  }
}

TEST(Ip, a_mapped_address_is_the_ipv4_address) {
  EXPECT_EQ(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
  EXPECT_EQ(ip("::ffff:c000:201").text(), "192.0.2.1");
  EXPECT_TRUE(ip("::ffff:192.0.2.1").is_v4());
  EXPECT_FALSE(ip("::192.0.2.1").is_v4());
  EXPECT_EQ(ip("2001:DB8::1").text(), "2001:db8::1");
}

TEST(Cidr, what_is_no_network_is_refused) {
  for (const auto* text : {"", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8x",
                           "2001:db8::/129", "10/8", "10.0.0.0/8/8", "::ffff:10.0.0.0/90"}) {
    const auto parsed = Cidr::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_input);
  }
}

TEST(Cidr, host_bits_are_refused_with_the_network_meant) {
  const auto parsed = Cidr::parse("10.1.2.3/8");
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().say.find("10.0.0.0/8"), std::string::npos);
  EXPECT_FALSE(Cidr::parse("2001:db8::1/32"));
}

TEST(Cidr, an_address_outside_is_not_contained) {
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  EXPECT_FALSE(in("192.0.2.128/25", "192.0.2.127"));
  EXPECT_FALSE(in("192.0.2.1/32", "192.0.2.2"));
  EXPECT_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_FALSE(in("2001:db8::1", "2001:db8::2"));
}

TEST(Cidr, neither_family_holds_the_other) {
  EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_FALSE(in("::/0", "192.0.2.1"));
  EXPECT_FALSE(in("::/0", "::ffff:192.0.2.1"));
}

TEST(Cidr, an_address_inside_is_contained_in_any_clothes) {
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.255.255"));
  EXPECT_TRUE(in("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(in("::ffff:10.0.0.0/104", "10.1.2.3"));
  EXPECT_TRUE(in("0.0.0.0/0", "255.255.255.255"));
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.1"));
  EXPECT_TRUE(in("::/0", "::1"));
  EXPECT_TRUE(in("2001:db8::/33", "2001:db8:7fff::1"));
}

TEST(Cidr, every_prefix_length_divides_where_it_should) {
  for (int bits = 1; bits <= 32; ++bits) {
    const std::uint32_t last = bits == 32 ? 0 : 0xffffffffU >> bits;  // last address of 0.0.0.0/bits
    const auto text = [](std::uint32_t a) {
      return std::to_string(a >> 24) + "." + std::to_string(a >> 16 & 255) + "." +
             std::to_string(a >> 8 & 255) + "." + std::to_string(a & 255);
    };
    const std::string network = "0.0.0.0/" + std::to_string(bits);
    EXPECT_TRUE(in(network, text(last))) << network;
    EXPECT_FALSE(in(network, text(last + 1))) << network;
  }
}

TEST(Cidr, the_text_reads_back) {
  for (const auto* text : {"10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "::1/128"})
    EXPECT_EQ(Cidr::parse(text)->text(), text);
  EXPECT_EQ(Cidr::parse("::ffff:10.0.0.0/104")->text(), "10.0.0.0/8");
}

}  // namespace
}  // namespace claviger::policy
