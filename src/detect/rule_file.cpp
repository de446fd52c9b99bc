// Rules from TOML: strict, so that a misspelt key is told and not ignored.
#include "detect/rule_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace claviger::detect {
namespace {

constexpr std::array<std::pair<std::string_view, Kind>, 6> kKinds{{{"token", Kind::token},
                                                                   {"context", Kind::context},
                                                                   {"assignment", Kind::assignment},
                                                                   {"connection", Kind::connection},
                                                                   {"private_key", Kind::private_key},
                                                                   {"pattern", Kind::pattern}}};
constexpr std::array<std::pair<std::string_view, Check>, 11> kChecks{
    {{"none", Check::none},
     {"github", Check::github},
     {"claviger", Check::claviger},
     {"grafana", Check::grafana},
     {"azure", Check::azure},
     {"bedrock", Check::bedrock},
     {"bedrock_url", Check::bedrock_url},
     {"jwt", Check::jwt},
     {"marker", Check::marker},
     {"aws_id", Check::aws_id},
     {"service_account", Check::service_account}}};

constexpr std::array<std::pair<std::string_view, std::string Rule::*>, 8> kTexts{
    {{"id", &Rule::id},
     {"provider", &Rule::provider},
     {"description", &Rule::description},
     {"advice", &Rule::advice},
     {"revoke", &Rule::revoke},
     {"pattern", &Rule::pattern},
     {"marker", &Rule::marker},
     {"path", &Rule::path}}};
constexpr std::array<std::pair<std::string_view, std::vector<std::string> Rule::*>, 7> kLists{
    {{"anchors", &Rule::anchors},
     {"context", &Rule::context},
     {"stopwords", &Rule::stopwords},
     {"public_near", &Rule::public_near},
     {"samples", &Rule::samples},
     {"examples", &Rule::examples},
     {"counter_examples", &Rule::counter_examples}}};

template <class Table>
auto find_in(const Table& table, std::string_view name) -> const decltype(table[0].second)* {
  for (const auto& [key, value] : table)
    if (key == name) return &value;
  return nullptr;
}

std::unexpected<Error> bad(std::string_view file, std::string_view rule, std::string_view what) {
  return refuse(Code::configuration, fmt::format("{}: rule {}: {}", file, rule, what));
}

Result<void> read_word(const toml::node& node, std::string_view key, Rule& rule, std::string_view file) {
  const auto word = node.value_exact<std::string>().value_or("");
  if (key == "severity") {
    const auto severity = parse_severity(word);
    if (!severity) return bad(file, rule.id, "severity is one of low, medium, high, critical.");
    rule.severity = *severity;
  } else if (key == "kind") {
    const auto* kind = find_in(kKinds, word);
    if (kind == nullptr) return bad(file, rule.id, fmt::format("there is no kind \"{}\".", word));
    rule.kind = *kind;
  } else {
    const auto* check = find_in(kChecks, word);
    if (check == nullptr) return bad(file, rule.id, fmt::format("there is no check \"{}\".", word));
    rule.check = *check;
  }
  return {};
}

Result<void> read_key(std::string_view key, const toml::node& node, Rule& rule, std::string_view file) {
  if (const auto* text = find_in(kTexts, key)) {
    const auto value = node.value_exact<std::string>();
    if (!value) return bad(file, rule.id, fmt::format("{} is a text.", key));
    rule.** text = *value;
  } else if (const auto* list = find_in(kLists, key)) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return bad(file, rule.id, fmt::format("{} is a list of texts.", key));
    for (const toml::node& item : *array) {
      const auto value = item.value_exact<std::string>();
      if (!value) return bad(file, rule.id, fmt::format("{} is a list of texts.", key));
      (rule.**list).push_back(*value);
    }
  } else if (key == "severity" || key == "kind" || key == "check") {
    return read_word(node, key, rule, file);
  } else if (key == "entropy") {
    rule.entropy = node.value<double>().value_or(0);
  } else if (key == "group") {
    rule.group = static_cast<int>(node.value<std::int64_t>().value_or(0));
  } else if (key == "public") {
    rule.is_public = node.value<bool>().value_or(false);
  } else {
    return bad(file, rule.id, fmt::format("unknown key \"{}\".", key));
  }
  return {};
}

Result<void> examine(const Rule& rule, std::string_view file) {
  if (rule.id.empty()) return bad(file, "without an id", "every rule has an id.");
  const bool by_pattern =
      rule.kind == Kind::token || rule.kind == Kind::context || rule.kind == Kind::pattern;
  if (by_pattern && rule.pattern.empty()) return bad(file, rule.id, "a pattern is missing.");
  if (rule.kind == Kind::token && rule.anchors.empty())
    return bad(file, rule.id, "a token rule names anchors: literals one of which stands in every secret.");
  if (rule.kind == Kind::context && rule.context.empty())
    return bad(file, rule.id, "a context rule names the words one of which stands near.");
  for (const std::string& anchor : rule.anchors)
    if (anchor.size() < 2) return bad(file, rule.id, "an anchor has at least two characters.");
  return {};
}

}  // namespace

Result<std::vector<Rule>> read_rules(std::string_view text, std::string_view name) {
  std::vector<Rule> out;
  try {
    const toml::table file = toml::parse(text, name);
    for (const auto& [key, node] : file) {
      const toml::array* rules = node.as_array();
      if (key.str() != "rule" || rules == nullptr)
        return refuse(Code::configuration,
                      fmt::format("{}: unknown key \"{}\"; rules stand under [[rule]].", name, key.str()));
      for (const toml::node& item : *rules) {
        const toml::table* table = item.as_table();
        if (table == nullptr)
          return refuse(Code::configuration, fmt::format("{}: [[rule]] is a table.", name));
        Rule rule;
        rule.id = (*table)["id"].value<std::string>().value_or("");
        for (const auto& [field, value] : *table) TRY_VOID(read_key(field.str(), value, rule, name));
        TRY_VOID(examine(rule, name));
        out.push_back(std::move(rule));
      }
    }
  } catch (const toml::parse_error& error) {
    return refuse(Code::configuration,
                  fmt::format("{}, line {}: {}", name, error.source().begin.line, error.description()));
  }
  return out;
}

}  // namespace claviger::detect
