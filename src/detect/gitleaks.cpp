// Rules, allowlists and extension of gitleaks.
#include "detect/gitleaks.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <utility>

#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::string_view kFileStart = R"(\A[^\n]{1,64})";  // what a rule on paths alone points at

// Ids of rules that both have, so that disabledRules and allowlists keep their meaning.
constexpr std::array<std::pair<std::string_view, std::string_view>, 30> kSame{
    {{"generic-api-key", "generic-secret"},
     {"generic-api-key", "generic-password"},
     {"aws-access-token", "aws-access-key-id"},
     {"gcp-api-key", "google-api-key"},
     {"github-pat", "github-token"},
     {"github-oauth", "github-token"},
     {"github-app-token", "github-token"},
     {"github-refresh-token", "github-token"},
     {"github-fine-grained-pat", "github-fine-grained-token"},
     {"gitlab-pat", "gitlab-token"},
     {"openai-api-key", "openai-project-key"},
     {"openai-api-key", "openai-legacy-key"},
     {"openai-api-key", "openai-context-key"},
     {"openai-api-key", "sk-key"},
     {"anthropic-admin-api-key", "anthropic-admin-key"},
     {"huggingface-access-token", "huggingface-token"},
     {"huggingface-organization-api-token", "huggingface-org-token"},
     {"cohere-api-token", "cohere-api-key"},
     {"slack-bot-token", "slack-token"},
     {"slack-user-token", "slack-token"},
     {"slack-webhook-url", "slack-webhook"},
     {"stripe-access-token", "stripe-secret-key"},
     {"npm-access-token", "npm-token"},
     {"pypi-upload-token", "pypi-token"},
     {"sendgrid-api-token", "sendgrid-key"},
     {"databricks-api-token", "databricks-token"},
     {"grafana-service-account-token", "grafana-service-token"},
     {"hashicorp-tf-api-token", "terraform-cloud-token"},
     {"azure-ad-client-secret", "azure-client-secret"},
     {"curl-auth-user", "url-password"}}};

void add_id(std::vector<std::string>& ids, const std::string& id) {
  ids.push_back(id);
  for (const auto& [theirs, ours] : kSame)
    if (id == theirs) ids.emplace_back(ours);
}

std::vector<std::string> texts(const toml::node* node) {
  std::vector<std::string> out;
  const toml::array* array = node != nullptr ? node->as_array() : nullptr;
  if (array == nullptr) return out;
  for (const toml::node& item : *array)
    if (auto text = item.value<std::string>()) out.push_back(std::move(*text));
  return out;
}

std::string text(const toml::table& table, std::string_view key) {
  return table[key].value<std::string>().value_or("");
}

Allowlist read_allowlist(const toml::table& table) {
  Allowlist out;
  out.description = text(table, "description");
  for (const std::string& id : texts(table.get("targetRules"))) add_id(out.rules, id);
  out.paths = texts(table.get("paths"));
  out.regexes = texts(table.get("regexes"));
  out.commits = texts(table.get("commits"));
  out.stopwords = texts(table.get("stopwords"));
  for (std::string& word : out.stopwords) std::ranges::transform(word, word.begin(), lower);
  const std::string target = text(table, "regexTarget");
  if (target == "line") out.target = Allowlist::Target::line;
  if (target == "match") out.target = Allowlist::Target::match;
  const std::string condition = text(table, "condition");
  out.all = condition == "AND" || condition == "and" || condition == "&&";
  return out;
}

// [allowlist] and [[allowlists]], of the file or of one rule.
void read_allowlists(const toml::table& table, const std::string& rule, std::vector<Allowlist>& out) {
  for (const std::string_view key : {"allowlist", "allowlists"}) {
    const toml::node* node = table.get(key);
    if (node == nullptr) continue;
    const auto add = [&](const toml::table& one) {
      out.push_back(read_allowlist(one));
      if (!rule.empty()) out.back().rules = {rule};
    };
    if (const toml::table* one = node->as_table()) add(*one);
    if (const toml::array* array = node->as_array())
      for (const toml::node& item : *array)
        if (const toml::table* one = item.as_table()) add(*one);
  }
}

Result<Rule> read_rule(const toml::table& table, std::string_view name) {
  Rule rule;
  rule.id = text(table, "id");
  rule.provider = "unknown";
  rule.description = text(table, "description");
  rule.kind = Kind::pattern;
  rule.pattern = text(table, "regex");
  rule.path = text(table, "path");
  rule.entropy = table["entropy"].value<double>().value_or(0);
  rule.group = static_cast<int>(table["secretGroup"].value<std::int64_t>().value_or(kFirstGroup));
  if (rule.group == 0) rule.group = kFirstGroup;
  rule.advice = "Find out what it opens and replace it.";
  for (std::string word : texts(table.get("keywords"))) {
    std::ranges::transform(word, word.begin(), lower);
    if (!word.empty()) rule.anchors.push_back(std::move(word));
  }
  if (rule.id.empty()) return refuse(Code::configuration, fmt::format("{}: a rule has no id.", name));
  if (rule.pattern.empty() && rule.path.empty())
    return refuse(Code::configuration, fmt::format("{}: rule {} has neither regex nor path.", name, rule.id));
  if (rule.pattern.empty()) rule.pattern = kFileStart;
  return rule;
}

Result<void> read_extend(const toml::table& file, std::string_view name, Gitleaks& out) {
  const toml::table* extend = file["extend"].as_table();
  if (extend == nullptr) return {};
  for (const std::string_view key : {"path", "url"})
    if (!text(*extend, key).empty())
      return refuse(Code::configuration,
                    fmt::format("{}: extend.{} names another file; put its rules into this one.", name, key));
  out.use_default = (*extend)["useDefault"].value<bool>().value_or(false);
  for (const std::string& id : texts(extend->get("disabledRules"))) add_id(out.disabled, id);
  return {};
}

}  // namespace

bool is_gitleaks(std::string_view source) {
  try {
    const toml::table file = toml::parse(source);
    for (const std::string_view key : {"rules", "extend", "allowlist", "allowlists", "title"})
      if (file.contains(key)) return true;
  } catch (const toml::parse_error&) {
    return false;  // told by whoever reads it next
  }
  return false;
}

Result<Gitleaks> read_gitleaks(std::string_view source, std::string_view name) {
  Gitleaks out;
  try {
    const toml::table file = toml::parse(source, name);
    TRY_VOID(read_extend(file, name, out));
    read_allowlists(file, {}, out.allowlists);
    const toml::array* rules = file["rules"].as_array();
    if (rules == nullptr) return out;
    for (const toml::node& item : *rules) {
      const toml::table* table = item.as_table();
      if (table == nullptr) return refuse(Code::configuration, fmt::format("{}: rules are tables.", name));
      TRY(Rule rule, read_rule(*table, name));
      read_allowlists(*table, rule.id, out.allowlists);
      out.rules.push_back(std::move(rule));
    }
  } catch (const toml::parse_error& error) {
    return refuse(Code::configuration,
                  fmt::format("{}, line {}: {}", name, error.source().begin.line, error.description()));
  }
  return out;
}

}  // namespace claviger::detect
