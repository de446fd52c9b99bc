// Rules that are a regular expression over the whole text, as gitleaks has them.
#include <algorithm>

#include "detect/find.hpp"
#include "detect/judge.hpp"

namespace claviger::detect {

void find_pattern(Look& look, std::uint32_t index) {
  const Rule& rule = look.rule(index);
  const Form& form = look.engine.parts().forms[index];
  // A path that is not known may be any.
  if (!rule.path.empty() && !look.place.path.empty() && !form.path->is_in(look.place.path)) return;
  std::size_t from = 0, begin = 0, end = 0, whole_begin = 0, whole_end = 0;
  while (form.matcher->find(look.text, from, false, rule.group, begin, end, whole_begin, whole_end)) {
    const std::string_view secret = look.text.substr(begin, end - begin);
    if (!secret.empty() && (rule.entropy <= 0 || entropy(secret) > rule.entropy))
      report(look, index, begin, end, std::string(secret));
    from = std::max(whole_end, from + 1);
  }
}

}  // namespace claviger::detect
