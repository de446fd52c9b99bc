// claviger scan rules: what is looked for, and whether each rule passes its own examples.
#include <fmt/format.h>

#include <ostream>

#include "app/command.hpp"
#include "app/scan_command.hpp"

namespace claviger::app {
namespace {

struct RulesAsked {
  std::string config;
  bool json = false;
};

Result<int> list_rules(Terminal& terminal, const RulesAsked& asked) {
  TRY(const detect::Ruleset rules, scan_rules(asked.config, {}));
  if (asked.json) {
    Json all{{"rules", Json::array()}};
    for (const detect::Rule& rule : rules.rules())
      all["rules"].push_back({{"id", rule.id},
                              {"provider", rule.provider},
                              {"description", rule.description},
                              {"severity", severity_name(rule.severity)},
                              {"public", rule.is_public},
                              {"advice", rule.advice},
                              {"revoke", rule.revoke.empty() ? Json() : Json(rule.revoke)}});
    terminal.out << all.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const detect::Rule& rule : rules.rules())
    rows.push_back({rule.id, rule.provider,
                    rule.is_public ? "public" : std::string(severity_name(rule.severity)), rule.description});
  print_table(terminal.out, {"RULE", "PROVIDER", "SEVERITY", "FINDS"}, rows);
  return kOk;
}

Result<int> test_rules(Terminal& terminal, const RulesAsked& asked) {
  TRY(const detect::Ruleset rules, scan_rules(asked.config, {}));
  TRY(const std::vector<std::string> failures, rules.test());
  std::size_t examples = 0;
  for (const detect::Rule& rule : rules.rules())
    examples += rule.examples.size() + rule.counter_examples.size();
  if (asked.json) {
    terminal.out << Json{{"rules", rules.size()}, {"examples", examples}, {"failures", failures}}.dump(2)
                 << '\n';
  } else {
    for (const std::string& failure : failures) terminal.out << failure << '\n';
    terminal.out << fmt::format("{} rules, {} examples and counter-examples, {} failed\n", rules.size(),
                                examples, failures.size());
  }
  return failures.empty() ? kOk : kNegative;
}

template <class What>
std::function<int()> telling(Terminal& terminal, std::shared_ptr<RulesAsked> asked, What what) {
  return [&terminal, asked, what] {
    const Result<int> code = what(terminal, *asked);
    return code ? *code : tell(terminal, asked->json ? Output::json : Output::text, code.error());
  };
}

}  // namespace

void add_scan_rule_commands(Bench& bench, CLI::App* scan) {
  CLI::App* rules = bench.command(scan, "rules", "Lists the rules",
                                  "  claviger scan rules --json\n"
                                  "  claviger scan rules test --config my-rules.toml");
  auto asked = std::make_shared<RulesAsked>();
  rules->add_option("--config", asked->config, "Rules of your own, or a gitleaks.toml");
  rules->add_flag("--json", asked->json, "Print JSON");
  CLI::App* test = bench.command(rules, "test", "Runs each rule over its own examples and counter-examples",
                                 "  claviger scan rules test --config my-rules.toml");
  test->fallthrough();  // its options may stand behind it
  bench.action(test, telling(bench.terminal, asked, test_rules));
  rules->callback([rules, &chosen = bench.chosen, run = telling(bench.terminal, asked, list_rules)] {
    if (rules->get_subcommands().empty()) chosen.run = run;
  });
}

}  // namespace claviger::app
