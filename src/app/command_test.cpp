// The command line on a data directory that no server holds: exit codes, JSON, and what is refused.
#include <fstream>
#include <sstream>

#include "app/rig_test.hpp"
#include "identity/token.hpp"

namespace claviger::app {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

TEST_F(CommandTest, wrong_usage_ends_with_2) {
  EXPECT_EQ(run({}).code, kUsage);
  EXPECT_EQ(run({"fly"}).code, kUsage);
  EXPECT_EQ(run({"key"}).code, kUsage);
  EXPECT_EQ(run({"key", "create", "--data", data}).code, kUsage);
  EXPECT_EQ(run({"init"}).code, kUsage);
  EXPECT_EQ(run({"key", "create", "--data", data, "--name", "n", "--project", "p", "--environment", "dev",
                 "--model", "a", "b"})
                .code,
            kUsage);
  EXPECT_EQ(run({"token", "create", "--data", data, "--name", "x", "--role", "root"}).code, kUsage);
  EXPECT_EQ(run({"serve", "--data", data, "--listen", "a:1", "--admin", "a:2", "--durability", "hope"}).code,
            kUsage);
  EXPECT_EQ(run({"serve", "--data", data, "--listen", "a:1", "--admin", "a:2", "--threads", "-1"}).code,
            kUsage);
}

TEST_F(CommandTest, help_ends_with_0_and_shows_examples) {
  EXPECT_EQ(run({"--help"}).code, kOk);
  const Ran help = run({"key", "create", "--help"});
  EXPECT_EQ(help.code, kOk);
  EXPECT_THAT(help.out, HasSubstr("Examples:"));
  EXPECT_THAT(help.out, HasSubstr("--max-output-tokens"));
  EXPECT_EQ(run({"--version"}).code, kOk);
}

TEST_F(CommandTest, every_command_that_the_help_lists_is_found_by_its_name) {
  std::istringstream help(run({"--help"}).out);
  std::vector<std::string> names;
  for (std::string line; std::getline(help, line) && !line.starts_with("Exit codes");)
    if (std::istringstream words(line); line.starts_with("  ") && line[2] >= 'a' && line[2] <= 'z')
      words >> names.emplace_back();
  EXPECT_GE(names.size(), 20U);
  for (const std::string& name : names) {
    const Ran one = run({name, "--help"});
    EXPECT_EQ(one.code, kOk) << name;
    EXPECT_THAT(one.out, HasSubstr("Usage: claviger " + name));
  }
}

TEST_F(CommandTest, a_secret_is_never_taken_from_the_command_line) {
  init();
  const Ran refused = run({"credential", "add", "--data", data, "--name", "x", "--provider", "openai",
                           "--environment", "dev", "--secret", "sk-123"});
  EXPECT_EQ(refused.code, kUsage);
  EXPECT_EQ(run({"credential", "add", "--data", data, "--name", "x", "--provider", "openai", "--environment",
                 "dev"})
                .code,
            kUsage);
}

TEST_F(CommandTest, without_a_data_directory_commands_say_how_to_make_one) {
  const Ran refused = run({"key", "list", "--data", data});
  EXPECT_NE(refused.code, kOk);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err, "");
  std::filesystem::create_directory(data);
  std::filesystem::permissions(data, std::filesystem::perms::owner_all);
  const Ran empty = run({"key", "list", "--data", data});
  EXPECT_EQ(empty.code, kNegative);
  EXPECT_THAT(empty.err, HasSubstr("claviger init"));
}

TEST_F(CommandTest, init_refuses_a_directory_that_holds_something_and_changes_nothing) {
  std::filesystem::create_directory(data);
  std::filesystem::permissions(data, std::filesystem::perms::owner_all);
  std::ofstream(data + "/thesis.txt") << "all of it";
  EXPECT_NE(run({"init", "--data", data}).code, kOk);
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(data)) ++entries;
  EXPECT_EQ(entries, 1U);
}

TEST_F(CommandTest, init_that_fails_leaves_nothing_behind) {
  const Ran refused = run({"init", "--data", data, "--root-key-file", folder + "/no/such/folder/root.key"});
  EXPECT_NE(refused.code, kOk);
  EXPECT_FALSE(std::filesystem::exists(data));
  init();
  EXPECT_EQ(run({"init", "--data", data}).code, kNegative);
  EXPECT_EQ(run({"key", "list", "--data", data}).code, kOk);
}

TEST_F(CommandTest, init_tells_what_it_made_and_keeps_the_root_key_where_it_was_told) {
  const std::string key_file = folder + "/elsewhere.key";
  const Ran made = run({"init", "--data", data, "--root-key-file", key_file, "--json"});
  ASSERT_EQ(made.code, kOk) << made.err;
  EXPECT_EQ(made.json()["data"], data);
  EXPECT_EQ(made.json()["root_key_file"], key_file);
  EXPECT_FALSE(std::filesystem::exists(data + "/root.key"));
  // Later commands find it by themselves.
  EXPECT_EQ(add_credential().code, kOk);
  std::filesystem::rename(key_file, folder + "/moved.key");
  const Ran lost = run({"credential", "list", "--data", data});
  EXPECT_EQ(lost.code, kFailure);
  EXPECT_EQ(run({"credential", "list", "--data", data, "--root-key-file", folder + "/moved.key"}).code, kOk);
}

TEST_F(CommandTest, a_passphrase_alone_opens_the_vault) {
  const auto with_passphrase = [&](std::vector<std::string> arguments) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const std::string text = "correct horse battery staple\n";
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    arguments.insert(arguments.end(), {"--passphrase-fd", std::to_string(ends[0])});
    const Ran ran = run(std::move(arguments));
    ::close(ends[0]);
    return ran;
  };
  ASSERT_EQ(with_passphrase({"init", "--data", data}).code, kOk);
  std::filesystem::remove(data + "/root.key");
  EXPECT_EQ(run({"key", "list", "--data", data}).code, kFailure);
  EXPECT_EQ(with_passphrase({"key", "list", "--data", data}).code, kOk);
}

TEST_F(CommandTest, a_passphrase_that_is_added_opens_the_vault_to_its_last_character) {
  init();
  const std::string phrase = R"(correct "horse" \ battery)";
  const Ran added = run({"vault", "recipient", "add", "--data", data, "--passphrase-stdin"}, phrase);
  ASSERT_EQ(added.code, kOk) << added.err;
  std::filesystem::remove(data + "/root.key");
  const std::string file = folder + "/phrase";
  std::ofstream(file) << phrase;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(run({"key", "list", "--data", data, "--passphrase-fd", std::to_string(fd)}).code, kOk);
  ::close(fd);
}

TEST_F(CommandTest, credentials_come_in_on_stdin_and_are_never_shown) {
  init();
  const Ran added = add_credential();
  ASSERT_EQ(added.code, kOk) << added.err;
  EXPECT_EQ(added.json()["versions"][0]["state"], "current");
  EXPECT_EQ(add_credential().code, kNegative);  // the name is taken
  const Ran shown = run({"credential", "show", "--data", data, "openai-dev"});
  EXPECT_EQ(shown.code, kOk);
  EXPECT_EQ((added.out + shown.out).find(kProviderSecret.substr(4)), std::string::npos);
  EXPECT_EQ(run({"credential", "update", "--data", data, "openai-dev", "--secret-stdin"},
                "sk-second-0123456789abcd")
                .code,
            kOk);
  EXPECT_EQ(run({"credential", "rollback", "--data", data, "openai-dev"}).code, kOk);
  EXPECT_EQ(run({"credential", "disable", "--data", data, "openai-dev"}).code, kOk);
  EXPECT_EQ(run({"credential", "enable", "--data", data, "openai-dev"}).code, kOk);
  EXPECT_EQ(run({"credential", "destroy", "--data", data, "openai-dev", "--json"}).json()["state"],
            "destroyed");
  EXPECT_EQ(run({"credential", "show", "--data", data, "nosuch"}).code, kNegative);
  EXPECT_EQ(run({"credential", "list", "--data", data, "--json"}).json()["credentials"].size(), 1U);
}

TEST_F(CommandTest, an_empty_or_endless_secret_is_refused) {
  init();
  const std::vector<std::string> add{"credential", "add",    "--data",        data,  "--name",        "x",
                                     "--provider", "openai", "--environment", "dev", "--secret-stdin"};
  EXPECT_EQ(run(add, "").code, kUsage);
  EXPECT_EQ(run(add, "\n").code, kUsage);
  EXPECT_EQ(run(add, std::string(20'000, 'x')).code, kUsage);
  EXPECT_EQ(run({"credential", "list", "--data", data, "--json"}).json()["credentials"].size(), 0U);
}

TEST_F(CommandTest, a_key_is_created_shown_changed_and_rotated) {
  init();
  const Ran made = run({"key",
                        "create",
                        "--data",
                        data,
                        "--name",
                        "app",
                        "--team",
                        "core",
                        "--project",
                        "search",
                        "--environment",
                        "dev",
                        "--model",
                        "gpt-5*",
                        "--model",
                        "o*",
                        "--endpoint",
                        "chat",
                        "--cidr",
                        "10.0.0.0/8",
                        "--expires",
                        "30d",
                        "--budget",
                        "5usd/day",
                        "--rpm",
                        "60",
                        "--tpm",
                        "1000",
                        "--concurrency",
                        "2",
                        "--max-output-tokens",
                        "500",
                        "--json"});
  ASSERT_EQ(made.code, kOk) << made.err;
  const std::string id = made.json()["id"];
  const std::string token = made.json()["key"];
  EXPECT_EQ(identity::parse_token(token)->id, id);
  const Json shown = run({"key", "show", "--data", data, id, "--json"}).json();
  EXPECT_EQ(shown["scope"]["models"], Json({"gpt-5*", "o*"}));
  EXPECT_EQ(shown["tpm"], 1000);
  EXPECT_FALSE(shown.contains("key"));
  EXPECT_EQ(run({"key", "freeze", "--data", data, id, "--json"}).json()["state"], "frozen");
  EXPECT_EQ(run({"key", "unfreeze", "--data", data, id, "--json"}).json()["state"], "active");
  const Ran rotated = run({"key", "rotate", "--data", data, id, "--grace", "30m", "--json"});
  EXPECT_EQ(rotated.json()["id"], id);
  EXPECT_NE(rotated.json()["key"], token);
  EXPECT_EQ(run({"key", "revoke", "--data", data, id, "--json"}).json()["state"], "revoked");
  EXPECT_EQ(run({"key", "unfreeze", "--data", data, id}).code, kNegative);
  EXPECT_EQ(run({"key", "list", "--data", data, "--json"}).json()["keys"].size(), 1U);
  EXPECT_THAT(run({"key", "list", "--data", data}).out, HasSubstr("revoked"));
  EXPECT_EQ(run({"budget", "list", "--data", data, "--json"}).json()["budgets"][0]["on"], "key:" + id);
}

TEST_F(CommandTest, bad_values_end_with_2_and_unknown_objects_with_1) {
  init();
  const std::string id = create_key();
  EXPECT_EQ(run({"key", "show", "--data", data, "000000000000"}).code, kNegative);
  EXPECT_EQ(run({"key", "rotate", "--data", data, id, "--grace", "soon"}).code, kUsage);
  EXPECT_EQ(run({"budget", "set", "--data", data, "--on", "org", "--limit", "5usd"}).code, kUsage);
  EXPECT_EQ(run({"budget", "remove", "--data", data, "org.day"}).code, kNegative);
  EXPECT_EQ(run({"token", "revoke", "--data", data, "000000000000"}).code, kNegative);
  const Ran refused = run({"key", "show", "--data", data, "000000000000", "--json"});
  EXPECT_EQ(Json::parse(refused.err)["error"]["code"], "not_found");
  EXPECT_EQ(refused.out, "");
}

TEST_F(CommandTest, budgets_and_tokens_are_managed) {
  init();
  const Ran set = run({"budget", "set", "--data", data, "--on", "team:core", "--limit", "5usd/day",
                       "--action", "alert", "--alert-at", "50,80,100", "--json"});
  ASSERT_EQ(set.code, kOk) << set.err;
  EXPECT_EQ(set.json()["alert_at"], Json({50, 80, 100}));
  EXPECT_THAT(run({"budget", "list", "--data", data}).out, HasSubstr("team:core.day"));
  EXPECT_EQ(run({"budget", "remove", "--data", data, "team:core.day"}).code, kOk);
  const Ran token = run({"token", "create", "--data", data, "--name", "ci", "--role", "auditor", "--json"});
  ASSERT_EQ(token.code, kOk);
  EXPECT_TRUE(token.json()["token"].get<std::string>().starts_with("clva_"));
  EXPECT_EQ(run({"token", "list", "--data", data, "--json"}).json()["tokens"].size(), 1U);
  EXPECT_EQ(run({"token", "revoke", "--data", data, token.json()["id"].get<std::string>()}).code, kOk);
}

TEST_F(CommandTest, explain_ends_with_1_when_denied_and_says_which_rule) {
  init();
  ASSERT_EQ(add_credential().code, kOk);
  const std::string id = create_key({"--model", "gpt-5*", "--cidr", "10.0.0.0/8"});
  const auto explain = [&](std::string model, std::string endpoint, std::string ip) {
    return run({"explain", "--data", data, "--key", id, "--model", std::move(model), "--endpoint",
                std::move(endpoint), "--ip", std::move(ip), "--json"});
  };
  const Ran allowed = explain("gpt-5-mini", "chat", "10.1.2.3");
  EXPECT_EQ(allowed.code, kOk) << allowed.out << allowed.err;
  EXPECT_EQ(allowed.json()["allowed"], true);
  const Ran model = explain("o3", "chat", "10.1.2.3");
  EXPECT_EQ(model.code, kNegative);
  EXPECT_EQ(model.json()["allowed"], false);
  EXPECT_EQ(model.json()["rule"], "scope.models");
  EXPECT_EQ(explain("gpt-5-mini", "chat", "192.0.2.1").json()["rule"], "scope.cidrs");
  EXPECT_EQ(explain("gpt-5-mini", "messages", "10.1.2.3").json()["rule"], "environment");
  EXPECT_EQ(explain("gpt-5-mini", "juggling", "10.1.2.3").code, kUsage);
  ASSERT_EQ(run({"budget", "set", "--data", data, "--on", "org", "--limit", "0/day"}).code, kOk);
  EXPECT_EQ(explain("gpt-5-mini", "chat", "10.1.2.3").json()["rule"], "budgets and limits");
  ASSERT_EQ(run({"key", "revoke", "--data", data, id}).code, kOk);
  EXPECT_EQ(explain("gpt-5-mini", "chat", "10.1.2.3").json()["rule"], "key.revoked");
}

TEST_F(CommandTest, a_key_of_one_environment_does_not_reach_a_credential_of_another) {
  init();
  ASSERT_EQ(add_credential("openai-prod", "prod").code, kOk);
  const std::string id = create_key();
  const Ran denied =
      run({"explain", "--data", data, "--key", id, "--model", "gpt-5-mini", "--endpoint", "chat", "--json"});
  EXPECT_EQ(denied.code, kNegative);
  EXPECT_EQ(denied.json()["rule"], "environment");
}

TEST_F(CommandTest, usage_is_empty_at_first_and_refuses_unknown_groups) {
  init();
  for (const auto* by : {"key", "project", "team", "model", "environment", "day"})
    EXPECT_TRUE(run({"usage", "--data", data, "--by", by, "--json"}).json()["rows"].empty()) << by;
  EXPECT_EQ(run({"usage", "--data", data, "--by", "colour"}).code, kUsage);
}

TEST_F(CommandTest, the_journal_is_whole_and_a_changed_line_is_found) {
  init();
  create_key();
  const Ran whole = run({"journal", "verify", "--data", data, "--json"});
  EXPECT_EQ(whole.code, kOk) << whole.out;
  EXPECT_EQ(whole.json()["ok"], true);
  EXPECT_THAT(run({"journal", "tail", "--data", data, "--kind", "admin"}).out, HasSubstr("key.create"));
  EXPECT_EQ(run({"journal", "tail", "--data", data, "--kind", "gossip"}).code, kUsage);
  EXPECT_EQ(run({"journal", "export", "--data", data}).code, kOk);
  for (const auto& entry : std::filesystem::directory_iterator(data + "/journal")) {
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    std::string changed = text.str();
    const std::size_t at = changed.find("key.create");
    if (at == std::string::npos) continue;
    changed.replace(at, 10, "key.freeze");
    std::ofstream(entry.path()) << changed;
  }
  EXPECT_EQ(run({"journal", "verify", "--data", data}).code, kNegative);
  EXPECT_EQ(run({"journal", "verify", "--data", folder}).code, kNegative);
}

TEST_F(CommandTest, doctor_finds_what_is_open_or_damaged) {
  init();
  ASSERT_EQ(add_credential().code, kOk);
  const Ran well = run({"doctor", "--data", data, "--json"});
  EXPECT_EQ(well.code, kOk) << well.out;
  const auto level = [&](std::string_view check) -> std::string {
    const Json report = run({"doctor", "--data", data, "--json"}).json();
    for (const Json& one : report["checks"])
      if (one["check"] == check) return one["level"];
    return "absent";
  };
  EXPECT_EQ(level("permissions"), "ok");
  std::filesystem::permissions(data + "/claviger.db", std::filesystem::perms(0644));
  EXPECT_EQ(level("permissions"), "fail");
  EXPECT_EQ(run({"doctor", "--data", data}).code, kNegative);
  std::filesystem::permissions(data + "/claviger.db", std::filesystem::perms(0600));
  std::ofstream(data + "/claviger.toml") << "[sever]\n";
  EXPECT_EQ(level("configuration"), "fail");
  std::filesystem::remove(data + "/claviger.toml");
  EXPECT_EQ(level("vault"), "ok");
  std::filesystem::rename(data + "/root.key", folder + "/root.key");
  EXPECT_EQ(level("vault"), "fail");
  EXPECT_EQ(run({"doctor", "--data", folder + "/nothing"}).code, kNegative);
}

TEST_F(CommandTest, a_broken_configuration_stops_a_command_with_its_line) {
  init();
  const std::string config = folder + "/c.toml";
  std::ofstream(config) << "[server]\nport = 5\n";
  const Ran refused = run({"key", "list", "--data", data, "--config", config});
  EXPECT_EQ(refused.code, kFailure);
  EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("line 2"), HasSubstr("server.port")));
}

TEST_F(CommandTest, serve_and_sandbox_get_their_options) {
  EXPECT_EQ(run({"serve", "--data", "d", "--listen", "127.0.0.1:0", "--admin", "[::1]:1", "--config",
                 "c.toml", "--threads", "3", "--durability", "disk"})
                .code,
            kOk);
  EXPECT_EQ(served.data, "d");
  EXPECT_EQ(served.listen, "127.0.0.1:0");
  EXPECT_EQ(served.admin, "[::1]:1");
  EXPECT_EQ(served.config, "c.toml");
  EXPECT_EQ(served.threads, 3);
  EXPECT_EQ(served.durability, store::Durability::disk);
  EXPECT_EQ(run({"sandbox", "--listen", "127.0.0.1:0", "--script", "s.json", "--key", "a", "--key", "b",
                 "--admin-key", "c"})
                .code,
            kOk);
  EXPECT_EQ(played.admin_key, "c");
  EXPECT_EQ(played.script, "s.json");
  EXPECT_EQ(played.keys, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace claviger::app
