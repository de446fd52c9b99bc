// The finders: each looks at one place that a literal named, and reports what stands there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/engine.hpp"
#include "detect/parts.hpp"
#include "detect/text.hpp"

namespace claviger::detect {

// One text under examination.
struct Look {
  const Engine& engine;
  std::string_view text;
  const Place& place;
  std::vector<Hit>& hits;        // what is found goes here, positions in `text`
  Reach reach{};                 // what was read of `text` so far
  std::string_view name_done{};  // the last name that was judged: several literals may stand in one
  std::vector<int> fitting{};    // context rules that have the shape of the last value
  std::size_t run_done = 0;      // end of the word, or of its first KiB, in which tokens are being tried
  std::size_t run_tries = 0;     // and how often: a word of nothing but anchors is not worth a try at each

  const Rule& rule(std::uint32_t index) const { return engine.rules().at(index); }
};

// Holds `secret` against the rule's check, entropy, stopwords and the judge; adds a hit when it stands.
bool report(Look& look, std::uint32_t rule, std::size_t begin, std::size_t end, std::string secret,
            Encoding encoding = Encoding::plain);

// The secret holds a word that says that it is a well-known example.
bool holds_stopword(const Rule& rule, std::string_view secret);

// The value is a token of the rule's form, from its first byte to its last.
bool is_token(const Look& look, std::uint32_t rule, std::string_view value);

// The whole of text[begin, end) is a key that is public by design, by its form or by what stands beside it.
bool is_public_key(Look& look, std::size_t begin, std::size_t end, std::string_view value);

// A token of `rule` whose anchor is text[begin, end).
void find_token(Look& look, std::uint32_t rule, std::size_t begin, std::size_t end);
// A value given to the name that holds text[begin, end).
void find_value(Look& look, std::size_t begin, std::size_t end);
// User and password in a URL whose "://" begins at `at`.
void find_login(Look& look, std::size_t at);
// A private key whose head begins at `at`.
void find_private_key(Look& look, std::size_t at);
// All matches of a `pattern` rule.
void find_pattern(Look& look, std::uint32_t rule);

}  // namespace claviger::detect
