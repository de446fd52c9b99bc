// What the engine compiles its rules into: the literals of the one pass, what each of them means, and the
// exact matchers, which are built when they are first needed.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/engine.hpp"
#include "detect/heads.hpp"
#include "detect/literals.hpp"

namespace re2 {
class RE2;
}

namespace claviger::detect {

// A regular expression over bytes, compiled at its first use. Thread-safe.
class Matcher {
 public:
  explicit Matcher(std::string pattern);
  ~Matcher();
  // nullptr for an empty or bad pattern.
  const re2::RE2* get() const;
  // The match at `from` or after it, as offsets into `text`; group as in the rule. False when there is none.
  bool find(std::string_view text, std::size_t from, bool anchored, int group, std::size_t& begin,
            std::size_t& end, std::size_t& whole_begin, std::size_t& whole_end) const;
  bool is_whole(std::string_view text) const;
  bool is_in(std::string_view text) const;

 private:
  std::string pattern_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<re2::RE2> regex_;
};

// Many regular expressions at once, each of which must fit the whole of a text. Compiled at the first use.
// Thread-safe.
class Shapes {
 public:
  explicit Shapes(std::vector<std::string> patterns);
  ~Shapes();
  Shapes(Shapes&&) noexcept;
  Shapes& operator=(Shapes&&) noexcept;
  // The numbers of those that fit, ascending.
  void fitting(std::string_view text, std::vector<int>& out) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

enum class Role : std::uint8_t {
  anchor,   // stands in a token
  name,     // part of a name that is given secrets, or of a provider
  address,  // "://"
  block,    // head of a private key
  seam,     // where two pieces of a string are joined
  keyword,  // wakes `pattern` rules
};

struct Meaning {
  Role role = Role::anchor;
  std::uint32_t size = 0;
  std::vector<std::uint32_t> rules;
};

// Literals and what they mean, by number.
struct Watch {
  std::optional<Heads> heads;  // when they are few; else
  Literals literals;
  std::vector<Meaning> meanings;
  std::size_t longest = 0;  // bytes of a literal
};

// What the engine derives from one rule.
struct Form {
  std::unique_ptr<Matcher> matcher;
  std::unique_ptr<Matcher> path;
  bool leads = true;      // the secret begins with its anchor
  bool one_run = false;   // the secret ends where a run does (see survey.hpp)
  std::uint8_t body = 0;  // classes of bytes that would make the secret longer
};

struct Engine::Parts {
  Parts(Watch all, Watch few) : anywhere(std::move(all)), near_dense(std::move(few)) {}

  Watch anywhere;           // of the whole text
  Watch near_dense;         // of what stands before and in the runs that a survey calls dense
  std::vector<Form> forms;  // by rule
  std::vector<std::uint32_t> context_rules;
  Shapes context_shapes{{}};                  // their patterns, in the same order
  std::vector<std::uint32_t> public_rules;    // whose keys are public by design, always or in some places
  std::vector<std::uint32_t> refusing_rules;  // whose tokens hold a checksum, or are known as examples
  std::vector<std::uint32_t> always;          // pattern rules without keywords
  std::optional<std::uint32_t> generic_secret, generic_password, basic_auth;
  struct Allow {
    std::vector<std::unique_ptr<Matcher>> paths, regexes;
  };
  std::vector<Allow> allows;  // by allowlist
};

// The literals of a ruleset and their meanings, in one order: what the build compiles and the program loads.
struct Catalogue {
  std::vector<Literal> literals;
  std::vector<Meaning> meanings;
};
struct Plan {
  Catalogue anywhere, near_dense;
};
Plan plan(const Ruleset& rules);

}  // namespace claviger::detect
