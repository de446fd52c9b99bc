// Addresses: what is no HOST:PORT is refused, and both families are read and written back.
#include "net/address.hpp"

#include <gtest/gtest.h>

namespace claviger::net {
namespace {

Address numeric(const std::string& host, std::uint16_t port) {
  Address address;
  const HostPort where{host, port};
  EXPECT_TRUE(numeric_address(where, address)) << host;
  return address;
}

TEST(HostPort, what_is_no_host_and_port_is_refused_with_a_sentence) {
  for (const char* bad : {"",
                          ":",
                          "127.0.0.1",
                          ":8080",
                          "127.0.0.1:",
                          "127.0.0.1:http",
                          "127.0.0.1:-1",
                          "127.0.0.1:+1",
                          "127.0.0.1:65536",
                          "127.0.0.1:80 ",
                          "127.0.0.1: 80",
                          " 127.0.0.1:80",
                          "::1:80",
                          "::1",
                          "[::1]",
                          "[]:80",
                          "[::1:80",
                          "::1]:80",
                          "[::1]80",
                          "http://localhost:80",
                          "//localhost:80",
                          "me@localhost:80"}) {
    const auto parsed = parse_host_port(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().code, Code::invalid_input) << bad;
    EXPECT_NE(parsed.error().say.find("HOST:PORT"), std::string::npos) << bad;
  }
}

TEST(HostPort, a_host_and_a_port_are_read) {
  const auto v4 = parse_host_port("127.0.0.1:8080").value();
  EXPECT_EQ(v4.host, "127.0.0.1");
  EXPECT_EQ(v4.port, 8080);
  const auto name = parse_host_port("localhost:0").value();
  EXPECT_EQ(name.host, "localhost");
  EXPECT_EQ(name.port, 0);
  const auto v6 = parse_host_port("[::1]:65535").value();
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.port, 65535);
}

TEST(NumericAddress, names_and_loose_spellings_need_a_resolver) {
  for (const char* host : {"localhost", "127.1", "0x7f.0.0.1", "127.0.0.1 ", "", "::g", "1.2.3.4.5"}) {
    Address address;
    const HostPort where{host, 1};
    EXPECT_FALSE(numeric_address(where, address)) << host;
  }
}

TEST(NumericAddress, both_families_are_read_and_written_back) {
  EXPECT_EQ(numeric("192.0.2.7", 443).text(), "192.0.2.7:443");
  EXPECT_EQ(numeric("2001:db8::7", 443).text(), "[2001:db8::7]:443");
  EXPECT_EQ(numeric("2001:db8::7", 443).ip(), "2001:db8::7");
}

TEST(NumericAddress, an_ipv4_address_in_ipv6_clothes_is_written_as_ipv4) {
  EXPECT_EQ(numeric("::ffff:192.0.2.7", 443).text(), "192.0.2.7:443");
}

TEST(NumericAddress, the_port_can_be_changed_in_both_families) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    Address address = numeric(host, 1);
    EXPECT_EQ(address.port(), 1);
    address.set_port(65535);
    EXPECT_EQ(address.port(), 65535);
  }
}

TEST(NumericAddress, only_loopback_is_loopback) {
  for (const char* host : {"192.0.2.7", "128.0.0.1", "12.7.0.1", "::2", "2001:db8::1", "0.0.0.0", "::"})
    EXPECT_FALSE(numeric(host, 1).is_loopback()) << host;
  for (const char* host : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(numeric(host, 1).is_loopback()) << host;
  EXPECT_FALSE(Address().is_loopback());
}

TEST(Resolve, a_name_that_cannot_be_is_upstream_failed) {
  const auto found = resolve({"no host has spaces", 80});
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, Code::upstream_failed);
  EXPECT_NE(found.error().detail.find("no host has spaces"), std::string::npos);
}

TEST(Resolve, a_numeric_address_resolves_to_itself) {
  const auto found = resolve({"127.0.0.1", 8080}).value();
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().text(), "127.0.0.1:8080");
}

}  // namespace
}  // namespace claviger::net
