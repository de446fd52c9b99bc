// Base URLs and origins: everything that two readers could take for two different hosts is refused.
#include "vault/origin.hpp"

#include <gtest/gtest.h>

namespace claviger::vault {
namespace {

TEST(BaseUrl, RefusesWhatIsNotSchemeHostPortAndPath) {
  for (const std::string_view text : {"",
                                      "api.openai.com",
                                      "//api.openai.com",
                                      "https:",
                                      "https:/api.openai.com",
                                      "https://",
                                      "https:///v1",
                                      "ftp://api.openai.com",
                                      "httpss://api.openai.com",
                                      "://api.openai.com",
                                      " https://api.openai.com",
                                      "https://api.openai.com ",
                                      "https://api.openai.com\n",
                                      "https://api.openai.com/v1?x=1",
                                      "https://api.openai.com/v1#x",
                                      "https://api.openai.com?",
                                      "https://api.openai.com#",
                                      "https://user@api.openai.com",
                                      "https://user:pass@api.openai.com",
                                      "https://@api.openai.com",
                                      "https://api.openai.com\\@evil.example",
                                      "https:\\\\api.openai.com",
                                      "https://api.openai.com\\v1",
                                      "https://evil.example\\.api.openai.com",
                                      "https://api.openai.com/%2e%2e/",
                                      "https://api%2eopenai.com",
                                      "https://\xc3\xa4pfel.example",
                                      "https://api.openai.com/\x7f"}) {
    const auto url = parse_base_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Code::invalid_input);
  }
}

TEST(BaseUrl, RefusesHostsThatAreNoNames) {
  for (const std::string_view text :
       {"https://.",           "https://..",         "https://a..b",           "https://.a",
        "https://a..",         "https://-a.example", "https://a-.example",     "https://a b",
        "https://a*b.example", "https://a,b",        "https://*.openai.com",   "https://[::1",
        "https://::1",         "https://[::1%25lo]", "https://[fe80::1%eth0]", "https://[1.2.3.4]",
        "https://[]",          "https://[::1]x",     "https://[::1]443",       "https://[g::1]"})
    EXPECT_FALSE(parse_base_url(text)) << text;
  EXPECT_FALSE(parse_base_url("https://" + std::string(64, 'a') + ".example"));
  EXPECT_TRUE(parse_base_url("https://" + std::string(63, 'a') + ".example"));
  std::string host;
  while (host.size() < 248) host += "abc.";
  EXPECT_TRUE(parse_base_url("https://" + host + "abcde"));  // 253 bytes
  EXPECT_FALSE(parse_base_url("https://" + host + "abcdef"));
  EXPECT_FALSE(parse_base_url("https://a.example/" + std::string(2048, 'a')));
}

TEST(BaseUrl, RefusesEveryNumericFormButThePlainDottedQuad) {
  for (const std::string_view host :
       {"2130706433",  "0x7f000001", "0x7f.1",      "127.1",       "127.0.1",   "017700000001",
        "0177.0.0.1",  "127.0.0.01", "127.0.0.256", "127.0.0.0x1", "1.2.3.4.5", "0x",
        "a.0x1",       "a.1",        "example.123", "127.0.0.1.1", "0X7F.1",    "00.0.0.0",
        "127.0.0.1..", "127.0.0.+1", "4294967296"})
    EXPECT_FALSE(parse_base_url("https://" + std::string(host))) << host;
  EXPECT_EQ(parse_base_url("https://192.0.2.1").value().host, "192.0.2.1");
  EXPECT_EQ(parse_base_url("https://0.0.0.0").value().host, "0.0.0.0");
  EXPECT_EQ(parse_base_url("https://1password.example").value().host, "1password.example");
}

TEST(BaseUrl, RefusesPortsThatAreNotPlain) {
  for (const std::string_view port :
       {":", ":0", ":65536", ":+443", ":-1", ":0443", ":44a", ":443:443", ": 443", ":99999"})
    EXPECT_FALSE(parse_base_url("https://api.openai.com" + std::string(port))) << port;
  EXPECT_EQ(parse_base_url("https://api.openai.com:65535").value().port, 65535);
  EXPECT_EQ(parse_base_url("https://api.openai.com:1").value().port, 1);
}

TEST(BaseUrl, RefusesPathsThatCanBeReadInTwoWays) {
  for (const std::string_view path : {"//", "/v1//", "/v1//x", "/.", "/..", "/v1/../x", "/./v1", "/v1/..",
                                      "/a%2fb", "/a;b", "/a b", "/a\"b", "/<a>", "/v1//"})
    EXPECT_FALSE(parse_base_url("https://api.openai.com" + std::string(path))) << path;
  EXPECT_TRUE(parse_base_url("https://api.openai.com/.../v1.2/a-b_c~d:e@f"));
}

TEST(BaseUrl, AllowsPlainHttpOnLoopbackOnly) {
  for (const std::string_view text :
       {"http://127.0.0.1:8000", "http://127.255.0.3", "http://localhost:11434/v1", "http://LOCALHOST",
        "http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]"})
    EXPECT_TRUE(parse_base_url(text)) << text;
  for (const std::string_view text :
       {"http://api.openai.com", "http://128.0.0.1", "http://10.0.0.1", "http://0.0.0.0",
        "http://127.evil.example", "http://localhost.evil.example", "http://notlocalhost", "http://[::2]",
        "http://[::ffff:127.0.0.1]", "http://[::]"}) {
    EXPECT_FALSE(parse_base_url(text)) << text;
    EXPECT_TRUE(parse_base_url(text, PlainHttp::allowed)) << text;
  }
}

TEST(BaseUrl, ReadsIntoNormalForm) {
  const BaseUrl url = parse_base_url("HTTPS://Api.OpenAI.com.:443/v1/").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "api.openai.com");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.path, "/v1");
  EXPECT_EQ(url.origin(), "https://api.openai.com:443");
  EXPECT_EQ(url.text(), "https://api.openai.com/v1");
  const BaseUrl six = parse_base_url("https://[2001:DB8:0::1]:8443/").value();
  EXPECT_EQ(six.host, "2001:db8::1");
  EXPECT_EQ(six.origin(), "https://[2001:db8::1]:8443");
  EXPECT_EQ(six.text(), "https://[2001:db8::1]:8443");
  EXPECT_EQ(parse_base_url("https://[::1]").value().text(), "https://[::1]");
  EXPECT_EQ(parse_base_url("http://127.0.0.1").value().origin(), "http://127.0.0.1:80");
}

TEST(BaseUrl, ReadsItsOwnTextAgainAsTheSame) {
  for (const std::string_view text :
       {"https://api.openai.com/v1", "http://[::1]:8080", "https://h.example:8443/a/b"})
    EXPECT_EQ(parse_base_url(parse_base_url(text).value().text()).value().text(), text);
}

TEST(Origin, RefusesAPath) {
  EXPECT_FALSE(parse_origin("https://api.openai.com/v1"));
  EXPECT_FALSE(parse_origin("http://api.openai.com"));
  EXPECT_EQ(parse_origin("https://api.openai.com").value(), "https://api.openai.com:443");
  EXPECT_EQ(parse_origin("https://api.openai.com:8443").value(), "https://api.openai.com:8443");
}

}  // namespace
}  // namespace claviger::vault
