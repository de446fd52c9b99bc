// Reading the way backwards.
#include "policy/forwarded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"

namespace claviger::policy {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

using Parts = std::vector<std::string_view>;

Parts split_list(std::string_view text) {
  Parts parts;
  for (std::size_t end = text.find(','); end != std::string_view::npos; end = text.find(',')) {
    parts.push_back(trimmed(text.substr(0, end)));
    text.remove_prefix(end + 1);
  }
  parts.push_back(trimmed(text));
  return parts;
}

// Splits at `mark` outside of quoted strings. Nothing when a quoted string does not end: what a client left
// open would swallow what the proxies wrote behind it.
Parts split_quoted(std::string_view text, char mark) {
  Parts parts;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == mark && !quoted) {
      parts.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(trimmed(text.substr(begin)));
  return quoted ? Parts{""} : parts;
}

Parts split_forwarded(std::string_view text) { return split_quoted(text, ','); }

// An address with or without a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80.
std::optional<IpAddress> read_node(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    text = text.substr(1, close - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  const auto address = IpAddress::parse(text);
  return address ? std::optional(*address) : std::nullopt;
}

// The for= of one element of Forwarded.
std::optional<IpAddress> read_element(std::string_view element) {
  std::optional<IpAddress> found;
  bool given = false;
  for (const std::string_view pair : split_quoted(element, ';')) {
    std::string_view value = pair.substr(std::min(pair.find('=') + 1, pair.size()));
    const std::string_view name = trimmed(pair.substr(0, pair.find('=')));
    const bool is_for =
        name.size() == 3 && (name[0] | 0x20) == 'f' && (name[1] | 0x20) == 'o' && (name[2] | 0x20) == 'r';
    if (!is_for) continue;
    if (given) return std::nullopt;
    given = true;
    value = trimmed(value);
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    found = read_node(value);
  }
  return found;
}

// How a field is written: its list, and one entry of it.
struct Form {
  std::string_view field;
  Parts (*split)(std::string_view);
  std::optional<IpAddress> (*read)(std::string_view);
};
constexpr Form kList{"X-Forwarded-For", split_list, read_node};
constexpr Form kForwarded{"Forwarded", split_forwarded, read_element};

bool holds(std::span<const Cidr> trusted, const IpAddress& address) {
  return std::ranges::any_of(trusted, [&](const Cidr& one) { return one.contains(address); });
}

Result<IpAddress> walk(const IpAddress& peer, std::span<const Cidr> trusted,
                       std::span<const std::string_view> values, const Form& form) {
  IpAddress at = peer;
  std::size_t hops = 0;
  for (std::size_t i = values.size(); i > 0; --i) {
    const Parts entries = form.split(values[i - 1]);
    for (std::size_t j = entries.size(); j > 0; --j) {
      if (!holds(trusted, at)) return at;
      const auto next = form.read(entries[j - 1]);
      if (!next || ++hops > limits::kForwardedHops)
        return refuse(
            Code::malformed_request,
            fmt::format("{} does not say where the request came from: a proxy in front of the gate must "
                        "write addresses there, at most {}.",
                        form.field, limits::kForwardedHops));
      at = *next;
    }
  }
  return at;
}

}  // namespace

Result<IpAddress> client_address(const IpAddress& peer, std::span<const Cidr> trusted, const Way& way) {
  if (!holds(trusted, peer)) return peer;
  TRY(const IpAddress by_list, walk(peer, trusted, way.x_forwarded_for, kList));
  if (way.forwarded.empty()) return by_list;
  TRY(const IpAddress by_field, walk(peer, trusted, way.forwarded, kForwarded));
  if (way.x_forwarded_for.empty() || by_list == by_field) return by_field;
  return refuse(Code::malformed_request,
                "X-Forwarded-For and Forwarded name different addresses: the proxy in front of the gate must "
                "remove the one it does not write.");
}

}  // namespace claviger::policy
