// One walk over a regular expression, adding up what must stand.
#include "detect/shortest.hpp"

#include <algorithm>
#include <charconv>

#include "detect/text.hpp"

namespace claviger::detect {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view pattern) : text_(pattern) {}

  // The branches up to the group's end: the shortest of them.
  std::size_t choice() {
    std::size_t least = branch();
    while (at_ < text_.size() && text_[at_] == '|') {
      ++at_;
      least = std::min(least, branch());
    }
    return least;
  }

 private:
  std::size_t branch() {
    std::size_t sum = 0;
    while (at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      const std::size_t one = atom();
      sum += one * times();
    }
    return sum;
  }

  std::size_t atom() {
    const char c = text_[at_++];
    if (c == '(') return group();
    if (c == '[') return char_class();
    if (c == '^' || c == '$') return 0;
    if (c != '\\' || at_ >= text_.size()) return 1;
    const char escaped = text_[at_++];
    if (escaped == 'x') at_ = std::min(at_ + 2, text_.size());
    return std::string_view("bBAz").contains(escaped) ? 0 : 1;
  }

  std::size_t group() {
    if (text_.substr(at_, 1) == "?") {  // (?:...), (?i), (?P<name>...)
      while (at_ < text_.size() && text_[at_] != ':' && text_[at_] != ')' && text_[at_] != '>') ++at_;
      if (at_ < text_.size() && text_[at_] != ')') ++at_;
    }
    const std::size_t inside = choice();
    if (at_ < text_.size()) ++at_;
    return inside;
  }

  std::size_t char_class() {
    if (text_.substr(at_, 1) == "^") ++at_;
    if (text_.substr(at_, 1) == "]") ++at_;
    while (at_ < text_.size() && text_[at_] != ']') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    return 1;
  }

  // How often what was read must stand at least.
  std::size_t times() {
    std::size_t least = 1;
    if (at_ >= text_.size()) return least;
    const char c = text_[at_];
    if (c == '?' || c == '*') least = 0;
    if (c == '{' && at_ + 1 < text_.size() && is(text_[at_ + 1], kDigit)) {
      std::from_chars(text_.data() + at_ + 1, text_.data() + text_.size(), least);
      at_ = std::min(text_.find('}', at_), text_.size() - 1);
    } else if (c != '?' && c != '*' && c != '+') {
      return least;
    }
    ++at_;
    if (text_.substr(at_, 1) == "?") ++at_;  // as little as may be
    return least;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::size_t shortest_match(std::string_view pattern) { return Reader(pattern).choice(); }

}  // namespace claviger::detect
