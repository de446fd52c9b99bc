// Holding a wish against the parent's scope, field by field.
#include "policy/narrow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace claviger::policy {
namespace {

std::unexpected<Error> wider(std::string_view field, std::string_view entry, std::string_view parent) {
  return deny(
      Code::scope_exceeded,
      fmt::format("{0}: '{1}' is not within what the parent has ({2}): ask for less, or leave {0} out "
                  "to get the parent's.",
                  field, entry, parent));
}

template <class T, class Text>
std::string listed(const std::vector<T>& entries, Text text_of) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < entries.size() && i < kShown; ++i)
    text.append(i == 0 ? "" : ", ").append(text_of(entries[i]));
  if (entries.size() > kShown) text += fmt::format(" and {} more", entries.size() - kShown);
  return text;
}

// A list of which an empty one means all.
template <class T, class Covers, class Text>
Result<std::vector<T>> narrow_list(std::string_view field, const std::vector<T>& parent,
                                   const std::vector<T>& wish, Covers covers, Text text_of) {
  if (wish.empty()) return parent;
  if (parent.empty()) return wish;
  for (const T& entry : wish)
    if (std::ranges::none_of(parent, [&](const T& outer) { return covers(outer, entry); }))
      return wider(field, text_of(entry), listed(parent, text_of));
  return wish;
}

Result<std::vector<Schedule>> narrow_schedules(const std::vector<Schedule>& parent,
                                               const std::vector<Schedule>& wish) {
  if (wish.empty()) return parent;
  if (parent.empty()) return wish;
  const auto text_of = [](const Schedule& one) { return one.text(); };
  for (const Schedule& inner : wish) {
    std::vector<WeekSpan> hours;
    for (const Schedule& outer : parent)
      if (outer.zone() == inner.zone()) hours.insert(hours.end(), outer.spans().begin(), outer.spans().end());
    if (!all_within(inner.spans(), united(std::move(hours))))
      return wider("schedules", inner.text(), listed(parent, text_of));
  }
  return wish;
}

// Runs of wildcards in one order, "??*", so that equal runs look equal.
std::string ordered_wildcards(std::string_view glob) {
  std::string out;
  for (std::size_t i = 0; i < glob.size();) {
    if (glob[i] != '*' && glob[i] != '?') {
      out.push_back(glob[i++]);
      continue;
    }
    bool star = false;
    for (; i < glob.size() && (glob[i] == '*' || glob[i] == '?'); ++i) {
      star = star || glob[i] == '*';
      if (glob[i] == '?') out.push_back('?');
    }
    if (star) out.push_back('*');
  }
  return out;
}

}  // namespace

// As glob_match, with the inner pattern for a text: its star may stand for anything, so only a star may take
// it.
bool glob_covers(std::string_view outer_glob, std::string_view inner_glob) {
  const std::string outer = ordered_wildcards(outer_glob);
  const std::string inner = ordered_wildcards(inner_glob);
  std::size_t o = 0;
  std::size_t i = 0;
  std::size_t star = std::string::npos;
  std::size_t taken = 0;  // where the last star's run ends
  while (i < inner.size()) {
    const bool one = inner[i] != '*';  // stands for exactly one byte
    if (o < outer.size() && outer[o] == '*') {
      star = o++;
      taken = i;
    } else if (o < outer.size() && one && (outer[o] == '?' || (outer[o] == inner[i] && inner[i] != '?'))) {
      ++o;
      ++i;
    } else if (star != std::string::npos) {
      o = star + 1;
      i = ++taken;
    } else {
      return false;
    }
  }
  while (o < outer.size() && outer[o] == '*') ++o;
  return o == outer.size();
}

Result<std::optional<std::int64_t>> narrow_limit(std::string_view field, std::optional<std::int64_t> parent,
                                                 std::optional<std::int64_t> wish) {
  if (!wish) return parent;
  if (parent && *wish > *parent) return wider(field, fmt::format("{}", *wish), fmt::format("{}", *parent));
  return wish;
}

Result<Scope> narrow(const Scope& parent, const Scope& wish) {
  const auto same = [](const std::string& text) { return text; };
  const auto equal = [](const std::string& outer, const std::string& inner) { return outer == inner; };
  const auto in_network = [](const Cidr& outer, const Cidr& inner) { return outer.contains(inner); };
  const auto network = [](const Cidr& cidr) { return cidr.text(); };
  Scope out;
  TRY(out.models, narrow_list("models", parent.models, wish.models, glob_covers, same));
  TRY(out.endpoints, narrow_list("endpoints", parent.endpoints, wish.endpoints, equal, same));
  TRY(out.cidrs, narrow_list("cidrs", parent.cidrs, wish.cidrs, in_network, network));
  TRY(out.schedules, narrow_schedules(parent.schedules, wish.schedules));
  TRY(out.tools, narrow_list("tools", parent.tools, wish.tools, glob_covers, same));
  TRY(out.max_output_tokens,
      narrow_limit("max_output_tokens", parent.max_output_tokens, wish.max_output_tokens));
  TRY(out.max_choices, narrow_limit("max_choices", parent.max_choices, wish.max_choices));
  out.max_tier = wish.max_tier ? wish.max_tier : parent.max_tier;
  if (parent.max_tier && *out.max_tier > *parent.max_tier)
    return wider("max_tier", tier_name(*out.max_tier), tier_name(*parent.max_tier));
  return out;
}

}  // namespace claviger::policy
