// Small steps over text.
#include "detect/text.hpp"

#include <algorithm>

namespace claviger::detect {

bool holds_any_case(std::string_view text, std::string_view needle) {
  const auto found = std::search(text.begin(), text.end(), needle.begin(), needle.end(),
                                 [](char a, char b) { return lower(a) == b; });
  return found != text.end() || needle.empty();
}

std::string_view line_around(std::string_view text, std::size_t at, std::size_t most) {
  std::size_t begin = at, end = at;
  while (begin > 0 && at - begin < most && text[begin - 1] != '\n') --begin;
  while (end < text.size() && end - at < most && text[end] != '\n') ++end;
  return text.substr(begin, end - begin);
}

bool after_escape(std::string_view text, std::size_t at) {
  if (at >= 2 && text[at - 2] == '\\' && std::string_view("nrtbfv0").contains(text[at - 1])) return true;
  if (at >= 3 && text.substr(at - 3, 3) == "=3D") return true;  // of mail
  if (at >= 3 && text[at - 3] == '%' && hex_of(text[at - 2]) >= 0 && hex_of(text[at - 1]) >= 0) return true;
  if (at >= 4 && text[at - 4] == '\\' && text[at - 3] == 'x' && hex_of(text[at - 2]) >= 0) return true;
  if (at >= 6 && text[at - 6] == '\\' && text[at - 5] == 'u' && hex_of(text[at - 4]) >= 0) return true;
  if (at >= 1 && text[at - 1] == 'm') {  // a terminal's colour
    std::size_t i = at - 1;
    while (i > 0 && at - i < 12 && (is(text[i - 1], kDigit) || text[i - 1] == ';')) --i;
    return i > 0 && text[i - 1] == '[';
  }
  return false;
}

}  // namespace claviger::detect
