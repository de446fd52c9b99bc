// The engine as a whole: what is found, where, and what is not.
#include "detect/engine.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "detect/allow.hpp"
#include "detect/sample.hpp"

namespace claviger::detect {
namespace {

std::shared_ptr<const Engine> built_in() {
  auto engine = Engine::built_in();
  EXPECT_TRUE(engine.has_value());
  return *engine;
}

std::vector<Hit> scan(std::string_view text, std::string_view path = {}) {
  Engine::Scanner scanner(built_in());
  std::vector<Hit> hits;
  scanner.scan(text, {path}, [&](const Hit& hit) { hits.push_back(hit); });
  return hits;
}

std::string key_of(std::string_view rule, std::uint64_t seed = 1) {
  const auto engine = built_in();
  return expand_sample(engine->rules().at(*engine->rules().find(rule)), "{secret}", seed);
}

TEST(Engine, every_rule_finds_its_examples_and_no_counter_example) {
  const auto failures = Ruleset::built_in()->test();
  ASSERT_TRUE(failures.has_value()) << told(failures.error()) << failures.error().detail;
  for (const std::string& failure : *failures) ADD_FAILURE() << failure;
}

TEST(Engine, a_hit_says_where_the_secret_stands) {
  const std::string key = key_of("anthropic-api-key");
  const auto hits = scan("key = \"" + key + "\"\n");
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].begin, 7U);
  EXPECT_EQ(hits[0].end, 7 + key.size());
  EXPECT_EQ(hits[0].secret, key);
}

TEST(Engine, a_secret_in_pieces_is_joined) {
  const std::string key = key_of("anthropic-api-key");
  for (const std::string seam : {"\" + \"", "\"\n    \"", "' . '", "\\\n", "\n    "}) {
    const auto hits = scan("x = \"" + key.substr(0, 30) + seam + key.substr(30) + "\"\n");
    ASSERT_EQ(hits.size(), 1U) << seam;
    EXPECT_EQ(hits[0].secret, key) << seam;
    EXPECT_EQ(hits[0].encoding, Encoding::joined);
    EXPECT_EQ(hits[0].begin, 5U);
    EXPECT_EQ(hits[0].end, 5 + key.size() + seam.size());
  }
}

TEST(Engine, an_allow_comment_on_the_line_holds_the_finding_back) {
  const std::string key = key_of("anthropic-api-key");
  for (const std::string comment : {"# claviger:allow", "// gitleaks:allow", "# pragma: allowlist secret"})
    EXPECT_TRUE(scan("k = '" + key + "' " + comment + "\n").empty()) << comment;
  EXPECT_TRUE(scan("# pragma: allowlist nextline secret\nk = '" + key + "'\n").empty());
  EXPECT_EQ(scan("# claviger:allow\nk = '" + key + "'\n").size(), 1U);
}

TEST(Engine, a_key_is_found_at_every_offset_round_64_kib_and_in_huge_lines) {
  const std::string key = key_of("groq-api-key");
  Engine::Scanner scanner(built_in());
  std::string text(3 * 65536, 'a');
  for (std::size_t i = 0; i < text.size(); i += 7) text[i] = ' ';
  for (std::size_t at = 65536 - 70; at < 65536 + 10; ++at) {
    std::string planted = text;
    planted.replace(at, key.size() + 2, " " + key + " ");
    std::size_t found = 0;
    scanner.scan(planted, {}, [&](const Hit& hit) {
      ++found;
      EXPECT_EQ(hit.begin, at + 1);
    });
    EXPECT_EQ(found, 1U) << at;
  }
}

TEST(Engine, a_key_at_either_end_of_the_bytes_is_found) {
  const std::string key = key_of("groq-api-key");
  EXPECT_EQ(scan(key).size(), 1U);
  EXPECT_EQ(scan("x=" + key).size(), 1U);
  EXPECT_EQ(scan(key + "\n").size(), 1U);
  EXPECT_TRUE(scan("").empty());
}

TEST(Engine, encoded_keys_say_their_encoding_and_where_they_stood) {
  const std::string key = key_of("groq-api-key");
  const auto one = [&](const std::string& before, const std::string& form, Encoding encoding) {
    const auto hits = scan(before + form + "\n");
    ASSERT_EQ(hits.size(), 1U) << encoding_name(encoding);
    EXPECT_EQ(hits[0].secret, key);
    EXPECT_EQ(hits[0].encoding, encoding) << encoding_name(hits[0].encoding);
    EXPECT_EQ(hits[0].begin, before.size());
    EXPECT_LE(hits[0].end, before.size() + form.size());
    EXPECT_GE(hits[0].end + 5, before.size() + form.size());
  };
  std::string percent, escaped, wide;
  for (const char c : key) {
    percent += "%" + hex(ByteView(reinterpret_cast<const std::uint8_t*>(&c), 1));
    escaped += "\\u00" + hex(ByteView(reinterpret_cast<const std::uint8_t*>(&c), 1));
    wide += std::string(1, c) + std::string(1, '\0');
  }
  one("v: ", base64(as_bytes(key)), Encoding::base64);
  one("v: ", hex(as_bytes(key)), Encoding::hex);
  one("v: ", percent, Encoding::percent);
  one("v: ", escaped, Encoding::escaped);
  one("v: ", base64(as_bytes(base64(as_bytes(key)))), Encoding::base64);
  one(std::string("\xff\xfe", 2), wide, Encoding::utf16);
}

TEST(Engine, encodings_nested_too_deep_are_left) {
  std::string form = key_of("groq-api-key");
  for (int i = 0; i < 3; ++i) form = base64(as_bytes(form));
  EXPECT_EQ(scan(form).size(), 1U);
  EXPECT_TRUE(scan(base64(as_bytes(form))).empty());
}

TEST(Engine, hits_come_in_order_and_one_place_gives_one_hit) {
  const std::string groq = key_of("groq-api-key"), claude = key_of("anthropic-api-key");
  const auto hits = scan("OPENAI_API_KEY=" + claude + "\nsecret_token = \"" + groq + "\"\n" + claude + "\n");
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_LT(hits[0].begin, hits[1].begin);
  EXPECT_LT(hits[1].begin, hits[2].begin);
}

TEST(Engine, the_provider_of_a_shared_form_comes_from_its_surroundings) {
  const std::string key = key_of("sk-key");
  const auto rule_of = [&](const std::string& text, std::string_view path = {}) {
    const auto hits = scan(text, path);
    return hits.size() == 1 ? built_in()->rules().at(hits[0].rule).id : std::string();
  };
  EXPECT_EQ(rule_of("x = \"" + key + "\"\n"), "sk-key");
  const std::string deepseek = key_of("deepseek-api-key");
  EXPECT_EQ(rule_of("DEEPSEEK_API_KEY=" + deepseek + "\n"), "deepseek-api-key");
  EXPECT_EQ(rule_of("curl https://api.deepseek.com/chat -H \"Authorization: Bearer " + deepseek + "\"\n"),
            "deepseek-api-key");
  EXPECT_EQ(rule_of("api_key: " + deepseek + "\n", "deploy/deepseek.yaml"), "deepseek-api-key");
}

TEST(Engine, keys_that_are_public_by_design_are_never_findings) {
  const auto engine = built_in();
  std::size_t checked = 0;
  for (const Rule& rule : engine->rules().rules())
    if (rule.is_public) {
      ++checked;
      for (const std::string name : {"key: ", "PUBLIC_KEY=", "apiKey: ", "auth_token = "})
        EXPECT_TRUE(scan(name + expand_sample(rule, "{secret}", 3) + "\n").empty()) << rule.id << name;
    }
  EXPECT_GE(checked, 4U);
}

TEST(Engine, a_proven_token_is_validated_and_a_token_states_its_expiry) {
  for (const std::string_view id :
       {"github-token", "claviger-key", "bedrock-api-key", "azure-ai-key", "jwt"}) {
    const auto hits = scan("t = \"" + key_of(id) + "\"\n");
    ASSERT_EQ(hits.size(), 1U) << id;
    EXPECT_TRUE(hits[0].validated) << id;
  }
  EXPECT_FALSE(scan("t = \"" + key_of("perplexity-api-key") + "\"\n")[0].validated);
  EXPECT_GT(scan(key_of("jwt"))[0].expires_s, 1'900'000'000);
  EXPECT_EQ(scan(key_of("bedrock-short-term-key"))[0].expires_s, 1795558500);
}

TEST(Engine, a_private_key_is_told_from_one_under_a_passphrase) {
  const auto engine = built_in();
  const Rule& any = engine->rules().at(0);
  const std::string pem = expand_sample(any, "{pem}", 5);
  const auto plain = scan(pem);
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_EQ(plain[0].secret, pem);
  EXPECT_TRUE(plain[0].validated);
  std::string json = "{\"key\": \"", indented;
  for (const char c : pem) {
    if (c == '\n')
      json += "\\n", indented += "\n    ";
    else
      json += c, indented += c;
  }
  for (const std::string& form : {json + "\"}", "key: |\n    " + indented}) {
    const auto hits = scan(form);
    ASSERT_EQ(hits.size(), 1U) << form.substr(0, 40);
    EXPECT_EQ(hits[0].secret, pem);
  }
  EXPECT_TRUE(scan(pem.substr(0, pem.size() / 2)).empty());  // cut off before its end
}

// Its lengths are four bytes each, mostly zeros: rows of A, as people write where a key would stand.
TEST(Engine, a_private_key_as_openssh_writes_it_is_found) {
  const std::string magic("openssh-key-v1\0", 15),
      none("\0\0\0\4none\0\0\0\4none\0\0\0\0\0\0\0\1\0\0\0\x33", 28);
  const std::string rest = expand_sample(built_in()->rules().at(0), "{A300}", 7);
  const std::string body = base64(as_bytes(magic + none + std::string("\0\0\0\x0bssh-ed25519", 15) + rest));
  std::string pem = "-----BEGIN OPENSSH PRIVATE KEY-----\n";  // claviger:allow
  for (std::size_t at = 0; at < body.size(); at += 70) pem += body.substr(at, 70) + "\n";
  const auto hits = scan(pem + "-----END OPENSSH PRIVATE KEY-----\n");
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(built_in()->rules().at(hits[0].rule).id, "private-key");
  EXPECT_TRUE(hits[0].validated);
}

TEST(Engine, the_secret_beside_an_aws_id_is_found) {
  const std::string id = key_of("aws-access-key-id"), secret = key_of("aws-secret-access-key");
  for (const std::string& text :
       {"Access key ID,Secret access key\n" + id + "," + secret + "\n", id + ":" + secret + "\n",
        "new BasicAWSCredentials(\"" + id + "\", \"" + secret + "\")"}) {
    const auto hits = scan(text);
    ASSERT_EQ(hits.size(), 2U) << text;
    EXPECT_EQ(hits[1].secret, secret);
  }
}

TEST(Engine, a_login_behind_a_flag_or_in_credentials_is_found) {
  const std::string password = expand_sample(built_in()->rules().at(0), "{A20}7", 3);
  for (const std::string& text : {"curl -u admin:" + password + " https://ci.acme.net/job\n",
                                  "wget --user svc:" + password + " https://ci.acme.net\n",
                                  "new NetworkCredential(\"svc\", \"" + password + "\");\n"}) {
    const auto hits = scan(text);
    ASSERT_EQ(hits.size(), 1U) << text;
    EXPECT_EQ(hits[0].secret, password);
  }
}

TEST(Engine, a_key_alone_in_a_basic_header_is_its_providers) {
  const std::string key = key_of("baseten-api-key");
  const auto hits =
      scan("curl -H 'Authorization: Basic " + base64(as_bytes(key + ":")) + "' https://app.baseten.co/v1\n");
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].secret, key);
}

// Samples are of the usual length; what is shorter, but fits the pattern, is a key too.
TEST(Engine, a_token_of_the_patterns_least_length_is_found) {
  const auto engine = built_in();
  const Rule& any = engine->rules().at(0);
  for (const std::string_view form : {"rk_live_{A24}", "ya29.{U40}", "sk_test_{A24}"})
    EXPECT_EQ(scan("t = \"" + expand_sample(any, form, 3) + "\"\n").size(), 1U) << form;
}

// What stands between BEGIN and END, both on lines of their own.
TEST(Engine, a_private_key_is_read_up_to_the_longest_block) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (const std::size_t more : {0U, 1U, 2U}) {
    std::string body = "\n";
    for (std::uint64_t state = 1; body.size() < limits::kScanKeyBlock - 2 + more;) {
      state = state * 6364136223846793005 + 1;
      body += body.size() % 65 == 64 ? '\n' : kLetters[(state >> 33) % kLetters.size()];
    }
    body.back() = '\n';
    const std::string label =
        "RSA PRIVATE"
        " KEY-----";
    const auto hits = scan("-----BEGIN " + label + body + "-----END " + label + "\n");
    EXPECT_EQ(hits.size(), more < 2 ? 1U : 0U) << more;
  }
}

TEST(Engine, an_allow_comment_is_looked_for_so_far_along_the_line) {
  constexpr std::string_view kComment = "claviger:allow";
  for (const std::size_t more : {0U, 1U, 2U}) {
    const std::size_t reach = limits::kScanWindow - 1 + more;  // from the secret to the comment's end
    const std::string behind = "secret" + std::string(reach - kComment.size(), ' ') + std::string(kComment);
    EXPECT_EQ(has_allow_comment(behind, 0, 6), more < 2) << more;
    const std::string before = std::string(kComment) + std::string(reach - kComment.size(), ' ') + "secret";
    EXPECT_EQ(has_allow_comment(before, before.size() - 6, before.size()), more < 2) << more;
  }
}

TEST(Engine, allowed_findings_are_counted) {
  Engine::Scanner scanner(built_in());
  scanner.scan("k = '" + key_of("groq-api-key") + "' # claviger:allow\n", {}, [](const Hit&) { FAIL(); });
  EXPECT_EQ(scanner.allowed(), 1U);
  scanner.scan("nothing", {}, [](const Hit&) { FAIL(); });
  EXPECT_EQ(scanner.allowed(), 0U);
}

TEST(Engine, more_hits_than_are_held_at_once_are_all_told) {
  const std::string line = "k=" + key_of("fireworks-api-key") + "\n";
  std::string text;
  const std::size_t count = limits::kScanHits + 5'000;
  for (std::size_t i = 0; i < count; ++i) text += line;
  Engine::Scanner scanner(built_in());
  std::size_t found = 0;
  scanner.scan(text, {}, [&](const Hit&) { ++found; });
  EXPECT_EQ(found, count);
}

TEST(Engine, a_key_in_a_huge_run_of_base64_is_found_in_every_piece) {
  const std::string key = key_of("groq-api-key");
  std::string plain(30 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < plain.size(); i += 9) plain[i] = ' ';
  const std::size_t seam = limits::kDecodeRegion / 4 * 3;
  for (const std::size_t at : {std::size_t{9}, seam - 30, seam + 500, 2 * seam - 40, plain.size() - 100})
    plain.replace(at, key.size() + 2, " " + key + " ");
  const auto hits = scan(base64(as_bytes(plain)));
  EXPECT_EQ(hits.size(), 5U);
}

TEST(Engine, blocks_without_an_end_take_linear_time) {
  std::string text;
  while (text.size() < 1024 * 1024)
    text +=
        "-----BEGIN RSA PRIVATE"
        " KEY-----\nMIIE\n";
  EXPECT_TRUE(scan(text).empty());
}

}  // namespace
}  // namespace claviger::detect
