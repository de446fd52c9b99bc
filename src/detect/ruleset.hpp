// The rules of one scan: the program's own, extended by the user's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "detect/rule.hpp"

namespace claviger::detect {

// Findings that are not wanted, as a gitleaks.toml or a user's file states them.
struct Allowlist {
  std::string description;
  std::vector<std::string> rules;      // ids it applies to; empty: all
  std::vector<std::string> paths;      // RE2
  std::vector<std::string> regexes;    // RE2, tried on `target`
  std::vector<std::string> stopwords;  // lower case, in the secret in any case
  std::vector<std::string> commits;    // for whoever knows commits: the engine does not
  enum class Target : std::uint8_t { secret, match, line } target = Target::secret;
  bool all = false;  // every kind of condition that is given must hold, not just one
};

class Ruleset {
 public:
  // The rules compiled into the program.
  static Result<Ruleset> built_in();
  // Rules from TOML of the form of rules/*.toml. Refuses configuration: unknown keys, double ids, bad
  // patterns.
  static Result<Ruleset> from_toml(std::string_view text, std::string_view name);

  // Adds a user's file: the project's own form, or a gitleaks.toml (told apart by its keys). A rule with a
  // known id replaces it. `[extend] useDefault = false`, disabledRules and allowlists do what they do in
  // gitleaks; a gitleaks file that does not say useDefault = true uses only its own rules.
  Result<void> extend(std::string_view text, std::string_view name);
  // Leaves only these rules; refuses invalid_input for an id that is not known.
  Result<void> only(const std::vector<std::string>& ids);

  std::size_t size() const { return rules_.size(); }
  const Rule& at(std::uint32_t index) const { return rules_.at(index); }
  const std::vector<Rule>& rules() const { return rules_; }
  std::optional<std::uint32_t> find(std::string_view id) const;
  const std::vector<Allowlist>& allowlists() const { return allowlists_; }

  // Runs each rule's own examples and counter-examples through a whole engine of this set; one sentence a
  // failure.
  Result<std::vector<std::string>> test() const;

  void add(Rule rule);
  void add(Allowlist list) { allowlists_.push_back(std::move(list)); }
  void drop(const std::vector<std::string>& ids);

 private:
  std::vector<Rule> rules_;
  std::vector<Allowlist> allowlists_;
};

}  // namespace claviger::detect
