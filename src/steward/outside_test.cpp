// What may be called on somebody's word, and what may not.
#include "steward/outside.hpp"

#include <gtest/gtest.h>

namespace claviger::steward {
namespace {

const std::vector<std::string> kNobody;
const std::vector<std::string> kNamed{"hooks.internal", "127.0.0.1", "::1"};

TEST(Outside, private_loopback_link_local_and_reserved_addresses_are_not_public) {
  for (const char* ip : {"0.0.0.0",
                         "10.1.2.3",
                         "100.64.0.1",
                         "127.0.0.1",
                         "127.9.9.9",
                         "169.254.169.254",
                         "172.16.0.1",
                         "172.31.255.255",
                         "192.0.0.8",
                         "192.168.1.1",
                         "198.18.0.1",
                         "224.0.0.1",
                         "255.255.255.255",
                         "::",
                         "::1",
                         "::ffff:10.0.0.1",
                         "fe80::1",
                         "fc00::1",
                         "fd00:ec2::254",
                         "ff02::1",
                         "2001:db8::1",
                         "2002:a00:1::1",
                         "2001:0:1::1",
                         "64:ff9b::a00:1",
                         "64:ff9b::7f00:1",
                         "::7f00:1",
                         "not an ip",
                         ""})
    EXPECT_FALSE(is_public_address(ip)) << ip;
}

TEST(Outside, ordinary_addresses_are_public) {
  for (const char* ip : {"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1",
                         "64:ff9b::808:808"})
    EXPECT_TRUE(is_public_address(ip)) << ip;
}

TEST(Outside, one_private_address_among_public_ones_is_refused) {
  const std::vector<std::string> mixed{"1.1.1.1", "10.0.0.1"};
  EXPECT_EQ(check_reach("hooks.example", mixed, kNobody).error().code, Code::private_address);
  const std::vector<std::string> open{"1.1.1.1", "8.8.8.8"};
  EXPECT_TRUE(check_reach("hooks.example", open, kNobody));
}

TEST(Outside, a_host_that_the_configuration_names_may_be_private) {
  const std::vector<std::string> inside{"10.0.0.1"};
  EXPECT_TRUE(check_reach("hooks.internal", inside, kNamed));
  EXPECT_FALSE(check_reach("other.internal", inside, kNamed));
}

TEST(Outside, forms_that_lead_inside_are_refused_before_anything_is_resolved) {
  for (const char* url : {"https://127.0.0.1/x",
                          "https://localhost/x",
                          "https://LOCALHOST./x",
                          "https://[::1]/x",
                          "https://169.254.169.254/latest/meta-data",
                          "https://[::ffff:169.254.169.254]/x",
                          "https://10.0.0.1:8443",
                          "https://0x7f000001/",
                          "https://2130706433/",
                          "https://0177.0.0.1/",
                          "https://127.1/",
                          "https://user:pass@hooks.example/x",
                          "https://hooks.example@127.0.0.1/x",
                          "https://hooks.example#@10.0.0.1/",
                          "http://hooks.example/x",
                          "ftp://hooks.example/x",
                          "https://hooks.example/a b",
                          "//hooks.example/x",
                          "https://hooks.example\\@10.0.0.1/",
                          "https://[fe80::1]/",
                          "https://[fd00:ec2::254]/",
                          ""})
    EXPECT_FALSE(read_outside_url(url, kNobody)) << url;
}

TEST(Outside, a_url_is_taken_apart_with_its_query) {
  const auto url = read_outside_url("https://Hooks.Example:8443/services/T0/B0?sig=a%20b", kNobody);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->base, "https://hooks.example:8443");
  EXPECT_EQ(url->target, "/services/T0/B0?sig=a%20b");
  EXPECT_EQ(read_outside_url("https://hooks.example", kNobody)->target, "/");
  EXPECT_EQ(read_outside_url("https://hooks.example?a=1", kNobody)->target, "/?a=1");
}

TEST(Outside, plain_http_and_literals_are_for_hosts_that_are_named) {
  EXPECT_EQ(read_outside_url("http://127.0.0.1:9000/hook", kNamed)->base, "http://127.0.0.1:9000");
  EXPECT_EQ(read_outside_url("http://[::1]:9000/hook", kNamed)->base, "http://[::1]:9000");
  EXPECT_TRUE(read_outside_url("http://hooks.internal/hook", kNamed));
  EXPECT_FALSE(read_outside_url("http://127.0.0.2:9000/hook", kNamed));
}

}  // namespace
}  // namespace claviger::steward
