// --verify: asks each provider whether its keys work, after saying what is about to leave this host.
#include <fmt/format.h>

#include <map>
#include <ostream>

#include "app/http_call.hpp"
#include "app/scan_command.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "provider/admin_auth.hpp"
#include "provider/verdict.hpp"
#include "scan/text_form.hpp"

namespace claviger::app {
namespace {

using Bases = std::map<std::string, std::string, std::less<>>;  // provider to address

// The probe of `provider`, at its own address or the one that was given; nothing when it cannot be asked.
std::optional<provider::AdminCall> probe_of(std::string_view provider, const Bases& bases) {
  const provider::Adapter* adapter = provider::find_adapter(provider);
  if (!adapter) return std::nullopt;
  const auto base = bases.find(provider);
  provider::Link link;
  if (base != bases.end()) link.base_url = link.admin_base_url = base->second;
  auto call = provider::call_of(*adapter, provider::Operation::probe, link, {});
  const bool plain = call && call->auth != provider::AdminAuth::google;
  return plain ? std::optional(*std::move(call)) : std::nullopt;
}

Result<Bases> read_bases(const std::vector<std::string>& given) {
  Bases bases;
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    const std::string provider = one.substr(0, equals);
    if (equals != std::string::npos) bases[provider] = one.substr(equals + 1);
    if (equals == std::string::npos || !probe_of(provider, bases))
      return refuse(
          Code::invalid_input,
          fmt::format("--verify-base {}: say PROVIDER=URL with a provider that can be asked.", one));
  }
  return bases;
}

bool fits(const scan::Finding& finding, const Bases& bases) {
  const provider::Adapter* adapter = provider::find_adapter(finding.provider);
  return adapter && adapter->may_probe(finding.secret) && probe_of(finding.provider, bases) &&
         finding.secret.find_first_of("\r\n") == std::string::npos;
}

scan::Asked ask(std::string_view provider, const provider::AdminCall& probe, const std::string& secret) {
  const SystemClock clock;
  auto armed = provider::arm(probe, secret, clock.now());
  if (!armed) return {"unknown", "not asked: " + std::string(told(armed.error()))};
  HttpCall asked{armed->method, probe.base_url, armed->path, std::move(armed->headers),
                 std::move(armed->body)};
  const auto reply = call(asked, limits::kProbeAnswer);
  armed->headers = std::move(asked.headers);  // wiped with it
  // What the provider wrote is not repeated: providers quote parts of the key.
  if (!reply) return {"unknown", "no answer: " + std::string(told(reply.error()))};
  const provider::Verdict verdict = provider::classify(provider, reply->status, reply->body);
  return {std::string(provider::verdict_name(verdict)),
          fmt::format("{} answered with status {}", provider, reply->status)};
}

}  // namespace

Result<void> verify_findings(const std::vector<std::string>& given, std::vector<scan::Finding>& findings,
                             std::ostream& err) {
  TRY(const Bases bases, read_bases(given));
  std::map<std::pair<std::string, Digest>, scan::Asked> asked;  // by provider and secret
  std::map<std::string, std::size_t> counts;
  for (const scan::Finding& finding : findings)
    if (fits(finding, bases) && asked.try_emplace({finding.provider, finding.sha256}).second)
      ++counts[finding.provider];
  for (const auto& [provider, count] : counts)
    err << fmt::format("claviger: --verify sends {} to {} at {}\n", scan::counted(count, "key"), provider,
                       probe_of(provider, bases)->base_url);
  err.flush();
  for (scan::Finding& finding : findings) {
    const auto at = asked.find({finding.provider, finding.sha256});
    if (at == asked.end()) continue;
    if (at->second.verdict.empty())
      at->second = ask(finding.provider, *probe_of(finding.provider, bases), finding.secret);
    finding.asked = at->second;
  }
  return {};
}

}  // namespace claviger::app
