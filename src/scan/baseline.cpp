// Importers of other scanners' baselines.
#include "scan/baseline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/hash.hpp"
#include "crypto/sha1.hpp"
#include "wire/json.hpp"

namespace claviger::scan {
namespace {

std::string_view cut(std::string_view file) {
  while (file.starts_with("./")) file.remove_prefix(2);
  return file;
}

// Whether a baseline made from another folder means this file.
bool same_file(std::string_view written, std::string_view found) {
  if (written == found) return true;
  const bool longer = written.size() > found.size();
  const std::string_view whole = longer ? written : found, end = longer ? found : written;
  return !end.empty() && whole.ends_with(end) && whole[whole.size() - end.size() - 1] == '/';
}

bool is_commit(std::string_view text) {
  return text.size() >= 7 && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

template <class Array>
bool fill(Array& digest, const std::optional<std::string>& text) {
  const auto bytes = text ? unhex(*text) : std::nullopt;
  if (!bytes || bytes->size() != digest.size()) return false;
  std::ranges::copy(*bytes, digest.begin());
  return true;
}

std::unexpected<Error> strange(std::string_view name, std::string_view why) {
  return refuse(Code::configuration, fmt::format("{} is no baseline that is known: {}.", name, why));
}

}  // namespace

void Baseline::add_place(std::string_view file, std::int64_t line, std::string_view commit) {
  places_.emplace(line, Place{std::string(cut(file)), std::string(commit)});
}

bool Baseline::add_fingerprint(std::string_view text) {
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos || last == 0) return false;
  const std::size_t rule = text.rfind(':', last - 1);
  if (rule == std::string_view::npos || rule == 0) return false;
  std::int64_t line = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data() + last + 1, end, line).ptr != end) return false;
  std::string_view file = text.substr(0, rule), commit;
  const std::size_t colon = file.find(':');
  if (colon != std::string_view::npos && is_commit(file.substr(0, colon))) {
    commit = file.substr(0, colon);
    file.remove_prefix(colon + 1);
  }
  add_place(file, line, commit);
  return true;
}

Result<void> Baseline::add_json(std::string_view text, std::string_view name) {
  wire::Json json;
  const auto read = wire::scan(text, json, wire::Duplicates::allow);
  if (!read) return strange(name, told(read.error()));
  const wire::JsonValue root = json.root();
  if (root["findings"].is_array()) {  // our own report
    for (const wire::JsonValue finding : root["findings"].elements()) {
      Digest digest;
      if (!fill(digest, finding["secret_sha256"].text()))
        return strange(name, "a finding has no secret_sha256");
      secrets_.insert(digest);
    }
    return {};
  }
  if (root["results"].is_object()) {  // detect-secrets
    for (const auto& [file, found] : root["results"].members())
      for (const wire::JsonValue one : found.elements()) {
        Sha1Digest digest;
        if (!fill(digest, one["hashed_secret"].text())) return strange(name, "a result has no hashed_secret");
        hashed_.emplace(digest, std::string(cut(file)));
      }
    return {};
  }
  if (!root.is_array()) return strange(name, "it has neither findings nor results");
  for (const wire::JsonValue one : root.elements()) {  // gitleaks
    const auto secret = one["Secret"].text(), file = one["File"].text();
    if (!secret || !file) return strange(name, "an entry has no Secret and File");
    if (!secret->empty() && !secret->contains("REDACTED") && !secret->ends_with("..."))
      secrets_.insert(crypto::sha256(*secret));
    else
      add_place(*file, one["StartLine"].integer().value_or(0), one["Commit"].text().value_or(""));
  }
  return {};
}

Result<void> Baseline::add(std::string_view text, std::string_view name) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '['))
    return add_json(text, name);
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (!add_fingerprint(line))
      return strange(name, fmt::format("line {} is not commit:file:rule:line", number));
  }
  return {};
}

bool Baseline::covers(const Finding& finding) const {
  if (secrets_.contains(finding.sha256)) return true;
  const std::string_view file = cut(finding.file);
  if (!hashed_.empty()) {
    const Sha1Digest digest = crypto::Sha1().add(finding.secret).finish();
    auto at = hashed_.lower_bound({digest, std::string()});
    for (; at != hashed_.end() && at->first == digest; ++at)
      if (same_file(at->second, file)) return true;
  }
  const auto [first, end] = places_.equal_range(finding.line);
  return std::any_of(first, end, [&](const auto& one) {
    const Place& place = one.second;
    const bool commit = place.commit.empty() || finding.commit.empty() ||
                        finding.commit.starts_with(place.commit) ||
                        finding.first_commit.starts_with(place.commit);
    return commit && same_file(place.file, file);
  });
}

}  // namespace claviger::scan
