// Counting in a draft, and cutting it into steps.
#include "sandbox/draft.hpp"

namespace claviger::sandbox {

std::string Draft::text() const {
  std::string all;
  for (const std::string& word : words) all += word;
  return all;
}

std::int64_t Draft::word_tokens(std::size_t word) const { return weights.empty() ? 1 : weights[word]; }

std::int64_t Draft::choice_output() const {
  std::int64_t tokens = reasoning;
  for (std::size_t word = 0; word < words.size(); ++word) tokens += word_tokens(word);
  return tokens;
}

std::vector<std::pair<std::size_t, std::size_t>> steps(std::size_t words) {
  constexpr std::size_t kSingly = 64;
  constexpr std::size_t kTogether = 16;
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (std::size_t at = 0; at < words;) {
    const std::size_t end = std::min(words, at + (at < kSingly ? 1 : kTogether));
    out.emplace_back(at, end);
    at = end;
  }
  return out;
}

}  // namespace claviger::sandbox
