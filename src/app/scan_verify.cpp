// --verify: asks each provider whether its keys work, after saying what is about to leave this host.
#include <fmt/format.h>

#include <map>
#include <ostream>

#include "app/http_call.hpp"
#include "app/scan_command.hpp"
#include "base/limits.hpp"
#include "crypto/wipe.hpp"
#include "scan/probe.hpp"
#include "scan/text_form.hpp"

namespace claviger::app {
namespace {

using Bases = std::map<std::string, std::string, std::less<>>;  // provider to address

Result<Bases> read_bases(const std::vector<std::string>& given) {
  Bases bases;
  for (const scan::Probe& probe : scan::probes()) bases.emplace(probe.provider, probe.base);
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    const auto known = bases.find(one.substr(0, equals));
    if (equals == std::string::npos || known == bases.end())
      return refuse(
          Code::invalid_input,
          fmt::format("--verify-base {}: say PROVIDER=URL with a provider that can be asked.", one));
    known->second = one.substr(equals + 1);
  }
  return bases;
}

scan::Asked ask(const scan::Probe& probe, const std::string& base, const std::string& secret) {
  HttpCall asked{probe.method, base, std::string(probe.path), {}, {}};
  asked.headers.emplace_back(probe.key_header, fmt::format("{}{}", probe.key_prefix, secret));
  if (!probe.extra_header.empty()) asked.headers.emplace_back(probe.extra_header, probe.extra_value);
  const auto reply = call(asked, limits::kProbeAnswer);
  crypto::wipe(asked.headers.front().second);
  // What the provider wrote is not repeated: providers quote parts of the key.
  if (!reply) return {"unknown", "no answer: " + std::string(told(reply.error()))};
  const scan::Verdict verdict = scan::judge_answer(probe.provider, reply->status, reply->body);
  return {std::string(scan::verdict_name(verdict)),
          fmt::format("{} answered with status {}", probe.provider, reply->status)};
}

}  // namespace

Result<void> verify_findings(const std::vector<std::string>& given, std::vector<scan::Finding>& findings,
                             std::ostream& err) {
  TRY(const Bases bases, read_bases(given));
  std::map<std::pair<std::string, Digest>, scan::Asked> asked;  // by provider and secret
  std::map<std::string, std::size_t> counts;
  for (const scan::Finding& finding : findings) {
    const bool fit = scan::probe_of(finding.provider, finding.secret) != nullptr;
    if (fit && asked.try_emplace({finding.provider, finding.sha256}).second) ++counts[finding.provider];
  }
  for (const auto& [provider, count] : counts)
    err << fmt::format("claviger: --verify sends {} to {} at {}\n", scan::counted(count, "key"), provider,
                       bases.find(provider)->second);
  err.flush();
  for (scan::Finding& finding : findings) {
    const auto at = asked.find({finding.provider, finding.sha256});
    if (at == asked.end()) continue;
    if (at->second.verdict.empty())
      at->second = ask(*scan::probe_of(finding.provider, finding.secret),
                       bases.find(finding.provider)->second, finding.secret);
    finding.asked = at->second;
  }
  return {};
}

}  // namespace claviger::app
