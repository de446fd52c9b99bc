// The configuration file: what is refused, with line and nearest key, and what is read.
#include "app/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/limits.hpp"

namespace claviger::app {
namespace {

using testing::HasSubstr;

std::string refusal(std::string text) {
  const auto config = parse_config(std::move(text));
  if (config) return "accepted";
  EXPECT_EQ(config.error().code, Code::configuration);
  return std::string(told(config.error()));
}

TEST(Config, an_unknown_key_is_refused_with_its_line_and_the_nearest_known_key) {
  const std::string said = refusal("[server]\ntls_cert = 'a'\ntls_kee = 'b'\n");
  EXPECT_THAT(said, HasSubstr("line 3"));
  EXPECT_THAT(said, HasSubstr("'server.tls_kee'"));
  EXPECT_THAT(said, HasSubstr("'tls_key'"));
  EXPECT_THAT(refusal("\n[sever]\n"), testing::AllOf(HasSubstr("'sever'"), HasSubstr("'server'")));
  EXPECT_THAT(refusal("[upstream]\ncafile = 'x'\n"), HasSubstr("'ca_file'"));
  EXPECT_THAT(refusal("[limits]\nmax_output_token = 5\n"), HasSubstr("'default_max_output_tokens'"));
  EXPECT_THAT(refusal("[provider.x]\ndialekt = 'openai'\n"),
              testing::AllOf(HasSubstr("'provider.x.dialekt'"), HasSubstr("'dialect'"), HasSubstr("line 2")));
}

TEST(Config, a_price_file_that_was_named_must_be_there_and_usable) {
  const std::string folder = testing::TempDir() + "claviger-prices";
  std::filesystem::create_directories(folder);
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + "/" + name) << text;
    return folder + "/" + name;
  };
  const std::string named = write("named.toml", "[prices]\nfile = '" + folder + "/none.toml'\n");
  EXPECT_EQ(load_config(named, folder).error().code, Code::configuration);
  const std::string empty = write("empty.toml", "");
  EXPECT_TRUE(load_config(empty, folder)) << "no prices.toml is no mistake";
  write("prices.toml", "[[price]]\nprovider = \"p\"\nmodel = \"m\"\ninput = \"oops\"\n");
  EXPECT_THAT(std::string(told(load_config(empty, folder).error())), HasSubstr("prices.toml"));
  write("prices.toml", "[[price]]\nprovider = \"p\"\nmodel = \"m\"\ninput = \"1\"\n");
  const auto config = load_config(empty, folder);
  ASSERT_TRUE(config);
  EXPECT_TRUE(make_catalog(*config)->prices().find("p", "m", *parse_time("2026-11-24"))->imported);
  std::filesystem::remove_all(folder);
}

TEST(Config, values_of_the_wrong_kind_are_refused_with_their_line) {
  EXPECT_THAT(refusal("[server]\npublic_metrics = 'yes'\n"),
              testing::AllOf(HasSubstr("line 2"), HasSubstr("true or")));
  EXPECT_THAT(refusal("[server]\ntls_cert = 5\n"), HasSubstr("must be a text"));
  EXPECT_THAT(refusal("[upstream]\nallow_http = 'h'\n"), HasSubstr("list of texts"));
  EXPECT_THAT(refusal("[upstream]\nallow_http = [5]\n"), HasSubstr("list of texts"));
  EXPECT_THAT(refusal("[limits]\ndefault_max_output_tokens = 0\n"), HasSubstr("at least 1"));
  EXPECT_THAT(refusal("[prices]\nfile = 5\n"), HasSubstr("must be a text"));
  EXPECT_THAT(refusal("[prices]\nfil = 'x'\n"), HasSubstr("'file'"));
  EXPECT_THAT(refusal("server = 5\n"), HasSubstr("written [server]"));
  EXPECT_THAT(refusal("provider = 5\n"), HasSubstr("[provider.NAME]"));
}

TEST(Config, so_many_channels_and_watched_places_are_read_and_no_more) {
  const auto many = [](std::string_view table, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += table;
    return text;
  };
  constexpr std::string_view kWatch = "[[watch]]\nfolder = '/srv/code'\n";
  EXPECT_EQ(refusal(many(kWatch, limits::kWatches - 1)), "accepted");
  EXPECT_EQ(refusal(many(kWatch, limits::kWatches)), "accepted");
  EXPECT_THAT(refusal(many(kWatch, limits::kWatches + 1)), HasSubstr("watch"));
  std::string channels;
  for (std::size_t i = 1; i <= limits::kNotifyChannels + 1; ++i) {
    channels +=
        "[[notify]]\nname = 'c" + std::to_string(i) + "'\nkind = 'slack'\nurl_file = '/etc/claviger/url'\n";
    if (i + 1 >= limits::kNotifyChannels)
      EXPECT_EQ(refusal(channels) == "accepted", i <= limits::kNotifyChannels) << i;
  }
}

TEST(Config, what_goes_together_is_asked_for_together) {
  EXPECT_THAT(refusal("[server]\ntls_cert = 'a'\n"), HasSubstr("both or neither"));
}

TEST(Config, what_is_no_toml_is_refused_with_its_line) {
  EXPECT_THAT(refusal("[server]\ntls_cert = \n"), HasSubstr("line 2"));
}

TEST(Config, a_bad_provider_or_price_is_refused) {
  EXPECT_NE(refusal("[provider.x]\ndialect = 'cobol'\n"), "accepted");
  EXPECT_NE(refusal("[provider.x]\nbase_url = 'https://h'\n"), "accepted");
  EXPECT_NE(refusal("[[price]]\nprovider = 'openai'\nmodels = ['m']\ninput = 2.5\n"), "accepted");
}

TEST(Config, a_file_that_cannot_be_read_is_named) {
  const auto config = load_config("/nonexistent/claviger.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(std::string(told(config.error())), HasSubstr("/nonexistent/claviger.toml"));
}

TEST(Config, nothing_is_a_good_configuration) {
  const auto config = load_config("");
  ASSERT_TRUE(config) << told(config.error());
  const auto catalog = make_catalog(*config);
  ASSERT_TRUE(catalog);
  EXPECT_NE(catalog->find("openai"), nullptr);
}

TEST(Config, everything_is_read) {
  const auto config = parse_config(R"(
[server]
tls_cert = "c.pem"
tls_key = "k.pem"
root_key_file = "/mnt/root.key"
public_metrics = true
[upstream]
ca_file = "ca.pem"
allow_http = ["models.internal"]
[limits]
default_max_output_tokens = 4096
[provider.mine]
dialect = "openai"
base_url = "https://models.example.com/v1"
key_header = "x-api-key"
max_tokens_field = "max_tokens"
[[price]]
provider = "mine"
models = ["big-*"]
input = "1.5"
output = "3"
)");
  ASSERT_TRUE(config) << told(config.error());
  EXPECT_EQ(config->tls_cert, "c.pem");
  EXPECT_EQ(config->tls_key, "k.pem");
  EXPECT_EQ(config->root_key_file, "/mnt/root.key");
  EXPECT_TRUE(config->public_metrics);
  EXPECT_EQ(config->ca_file, "ca.pem");
  EXPECT_EQ(config->allow_http, std::vector<std::string>{"models.internal"});
  EXPECT_EQ(config->default_max_output_tokens, 4096);
  const auto catalog = make_catalog(*config);
  ASSERT_TRUE(catalog) << told(catalog.error());
  const provider::Provider* mine = catalog->find("mine");
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(mine->key_placement, provider::KeyPlacement::x_api_key);
  EXPECT_EQ(mine->default_base_url, "https://models.example.com/v1");
  EXPECT_NE(catalog->prices().find("mine", "big-7b", {1'790'000'000'000'000'000}), nullptr);
  EXPECT_NE(catalog->find("openai"), nullptr);
}

TEST(Config, rotations_are_tuned_in_spans_and_key_files_are_named_by_their_credential) {
  const auto config = parse_config(
      "[rotation]\nprobe_every = \"1s\"\nkeep_old = \"2h\"\n"
      "[key_file.local-llama]\npath = \"/etc/llama/keys\"\nreload = [\"/bin/true\"]\n");
  ASSERT_TRUE(config) << told(config.error());
  EXPECT_EQ(config->rotation.probe_ms, 1'000);
  EXPECT_EQ(config->rotation.soak_ms, 7'200'000);
  EXPECT_EQ(config->rotation.list_ms, limits::kRotationListMs);
  EXPECT_EQ(config->rotation.key_files.at("local-llama").path, "/etc/llama/keys");
  for (const char* wrong :
       {"[rotation]\nkeep_old = \"soon\"", "[rotation]\nsoak = \"1h\"", "[key_file.a]\npath = \"keys\"",
        "[key_file.a]\nreload = [\"/bin/true\"]", "[key_file.a]\npath = \"/k\"\nreload = [\"true\"]",
        "[key_file.a]\npath = \"/k\"\nmode = 1", "key_file = 1"})
    EXPECT_EQ(parse_config(wrong).error().code, Code::configuration) << wrong;
}

TEST(Config, private_hosts_are_hosts_and_nothing_more) {
  const auto config = parse_config("[outside]\nprivate_hosts = [\"Hooks.Internal\", \"127.0.0.1\", \"::1\"]");
  ASSERT_TRUE(config) << told(config.error());
  EXPECT_EQ(config->private_hosts, (std::vector<std::string>{"hooks.internal", "127.0.0.1", "::1"}));
  for (const char* wrong : {"hooks.internal:8080", "http://hooks", "hooks/x", "", "0x7f.1"})
    EXPECT_FALSE(parse_config(std::string("[outside]\nprivate_hosts = [\"") + wrong + "\"]")) << wrong;
}

}  // namespace
}  // namespace claviger::app
