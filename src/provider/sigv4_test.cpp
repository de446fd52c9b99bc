// Tests of SigV4 with the known answers of AWS's published test suite.
#include "provider/sigv4.hpp"

#include <gtest/gtest.h>

namespace claviger::provider {
namespace {

constexpr AwsKeys kKeys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

AwsRequest suite(std::string_view method, std::string_view path, std::string_view query) {
  AwsRequest request;
  request.method = method;
  request.path = path;
  request.query = query;
  request.host = "example.amazonaws.com";
  request.region = "us-east-1";
  request.service = "service";
  request.now = parse_time("2015-08-30T12:36:00Z").value();
  return request;
}

std::string signature(const AwsRequest& request, const AwsKeys& keys = kKeys) {
  std::string out;
  append_signature(keys, request, out);
  const std::size_t at = out.find("Signature=");
  return out.substr(at + 10, 64);
}

TEST(SigV4, gives_the_published_answers) {
  EXPECT_EQ(signature(suite("GET", "/", "")),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(signature(suite("POST", "/", "")),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  EXPECT_EQ(signature(suite("GET", "/", "Param2=value2&Param1=value1")),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(SigV4, signs_the_body_that_is_sent_and_further_headers) {
  AwsRequest request = suite("POST", "/", "");
  const std::string_view pieces[] = {"Param1", "=value1"};
  request.body = pieces;
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(signature(request), "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
  const std::string_view other[] = {"Param1", "=value2"};
  request.body = other;
  EXPECT_NE(signature(request), "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

// Made with botocore 1.44 for the same request.
TEST(SigV4, escapes_the_path_once_more_and_signs_a_session_token) {
  AwsRequest request = suite("POST", "/model/anthropic.claude-haiku-4-5-v1%3A0/converse", "");
  request.host = "bedrock-runtime.eu-west-1.amazonaws.com";
  request.region = "eu-west-1";
  request.service = "bedrock";
  const std::string_view body[] = {R"({"messages":[]})"};
  request.body = body;
  const AwsKeys keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "TOKEN/+="};
  std::string out;
  append_signature(keys, request, out);
  EXPECT_NE(out.find("x-amz-security-token: TOKEN/+=\r\n"), std::string::npos);
  EXPECT_NE(out.find("SignedHeaders=host;x-amz-date;x-amz-security-token, "), std::string::npos);
  EXPECT_EQ(signature(request, keys), "14280bd138f03b66ca9937c975451f0011734c15f7dde0632ccc9e9576623510");
}

TEST(AwsKeys, are_two_or_three_parts) {
  for (const std::string_view text : {"", "id", "id:", ":secret", "id:secret:", "a:b:c:d"})
    EXPECT_FALSE(parse_aws_keys(text)) << text;
  const auto keys = parse_aws_keys("id:secret:token");
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->secret, "secret");
  EXPECT_EQ(keys->token, "token");
  EXPECT_EQ(parse_aws_keys("id:secret")->token, "");
}

TEST(AwsRegion, stands_in_the_host) {
  EXPECT_EQ(region_of_host("bedrock-runtime.eu-west-1.amazonaws.com"), "eu-west-1");
  EXPECT_EQ(region_of_host("bedrock.amazonaws.com"), "");
  EXPECT_EQ(region_of_host("127.0.0.1"), "");
}

}  // namespace
}  // namespace claviger::provider
