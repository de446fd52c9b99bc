// Routes of credentials: the secret comes in once and is never shown.
#include <fmt/format.h>

#include <algorithm>

#include "console/change.hpp"
#include "console/incident_parts.hpp"
#include "console/render.hpp"
#include "crypto/hash.hpp"
#include "provider/admin_auth.hpp"

namespace claviger::console {
namespace {

Result<const provider::Provider*> find_provider(Session& s) {
  const std::string& name = s.body.text("provider");
  if (const auto* found = s.parts.catalog->find(name)) return found;
  if (const auto* found = s.parts.catalog->find(provider::builtin_name(name))) return found;
  std::string names;
  for (const provider::Provider& one : s.parts.catalog->providers())
    names.append(names.empty() ? "" : ", ").append(one.name);
  return refuse(Code::invalid_input,
                fmt::format("provider: '{}' is not known; known are {}. Others are added in the "
                            "configuration file.",
                            name, names));
}

// http is for self-hosted providers and for hosts that the configuration names.
vault::PlainHttp plain_http(Session& s, const provider::Provider& provider, std::string_view base_url) {
  if (provider.self_hosted) return vault::PlainHttp::allowed;
  const auto parsed = vault::parse_base_url(base_url, vault::PlainHttp::allowed);
  const auto& hosts = s.parts.plain_http_hosts;
  const bool named = parsed && std::ranges::find(hosts, parsed->host) != hosts.end();
  return named ? vault::PlainHttp::allowed : vault::PlainHttp::loopback_only;
}

// Parameters that no provider of this kind reads would be a wish that nobody fulfils.
Result<vault::SettingChange> read_setting(Session& s, const provider::Provider* provider) {
  vault::SettingChange setting{s.body.integer("priority"), s.body.integer("weight"),
                               s.body.texts("parameters")};
  for (const std::string_view text : setting.parameters) {
    const bool deployment = text.starts_with("deployment.") && provider != nullptr &&
                            provider->path_form == provider::PathForm::azure;
    const bool region =
        text.starts_with("region=") && provider != nullptr && provider->proof == provider::Proof::aws;
    if (!deployment && !region)
      return refuse(
          Code::invalid_input,
          fmt::format("parameters: '{}' is not read here. Azure OpenAI takes deployment.NAME=MODEL, "
                      "Bedrock region=NAME.",
                      text.substr(0, text.find('='))));
  }
  return setting;
}

Result<vault::CredentialKind> read_kind(Session& s) {
  const std::string& kind = s.body.text("kind");
  if (!kind.empty() && kind != "inference" && kind != "admin")
    return refuse(Code::invalid_input, "kind: inference or admin");
  return kind == "admin" ? vault::CredentialKind::admin : vault::CredentialKind::inference;
}

// A provider may be asked elsewhere whether a key works; that is for credentials at its own address only.
void allow_probe(vault::NewCredential& asked) {
  const provider::Adapter* adapter = provider::find_adapter(asked.provider);
  const auto* probe = adapter == nullptr ? nullptr : adapter->find(provider::Operation::probe);
  if (probe == nullptr || probe->at == "own") return;
  const auto url = vault::parse_base_url(probe->at == "admin" ? adapter->admin_url : probe->at);
  if (url) asked.origins.push_back(url->origin());
}

// An admin credential is for the provider's admin API, which may be elsewhere, and for where its access
// tokens are bought.
void aim_at_admin_api(const std::string& given, vault::NewCredential& asked) {
  const provider::Adapter* adapter = provider::find_adapter(asked.provider);
  if (adapter == nullptr) return;
  if (given.empty() && !adapter->admin_url.empty()) asked.base_url = adapter->admin_url;
  const auto origins = provider::admin_origins(*adapter, {asked.base_url, {}, {}});
  if (origins) asked.origins.insert(asked.origins.end(), origins->begin(), origins->end());
}

Result<vault::NewCredential> read_credential(Session& s) {
  TRY(const provider::Provider* provider, find_provider(s));
  vault::NewCredential asked;
  asked.name = s.body.text("name");
  asked.provider = provider->name;
  asked.environment = s.body.text("environment");
  const std::string& given = s.body.text("base_url");
  asked.base_url = given.empty() ? provider->default_base_url : given;
  asked.origins = s.body.texts("origins");
  TRY(asked.kind, read_kind(s));
  if (asked.kind == vault::CredentialKind::admin)
    aim_at_admin_api(given, asked);
  else if (given.empty())
    allow_probe(asked);
  if (asked.base_url.empty())
    return refuse(Code::invalid_input,
                  fmt::format("base_url: the provider '{}' has none of its own", provider->name));
  for (const std::string& origin : provider->further_origins) asked.origins.push_back(origin);
  TRY(asked.setting, read_setting(s, provider));
  asked.owner = s.body.text("owner");
  asked.rotate_days = s.body.integer("rotate_days").value_or(0);
  if (s.body.has("spend_alert")) {
    TRY(asked.spend_alert, parse_usd(s.body.text("spend_alert")));
  }
  asked.plain_http = plain_http(s, *provider, asked.base_url);
  return vault::normalised(std::move(asked));
}

Secret take_secret(Session& s) {
  std::string text = s.body.take_text("secret");
  return Secret::take(text);
}

using Operation = Result<vault::Credential> (vault::Vault::*)(std::string_view);

// An operation on one credential that takes nothing but its name.
Result<Answer> operate(Session& s, std::string_view action, Operation operation) {
  TRY(const vault::Credential before, s.parts.vault.get(s.subject));
  TRY(const vault::Credential after, carry_out(s, {action, "credential:" + before.id},
                                               [&] { return (s.parts.vault.*operation)(before.id); }));
  return Answer{200, render(after), {}, {}};
}

}  // namespace

Result<Answer> list_credentials(Session& s) {
  TRY(const auto credentials, s.parts.vault.list());
  Json list = Json::array();
  for (const vault::Credential& credential : credentials) list.push_back(render(credential));
  return Answer{200, {{"credentials", std::move(list)}}, {}, {}};
}

Result<Answer> create_credential(Session& s) {
  TRY(const vault::NewCredential asked, read_credential(s));
  const Digest hash = crypto::sha256(s.body.text("secret"));
  const Secret secret = take_secret(s);
  const std::string detail = Json{{"provider", asked.provider}, {"environment", asked.environment}}.dump();
  TRY(const vault::Credential made, carry_out(s, {"credential.create", "credential:" + asked.name, detail},
                                              [&] { return s.parts.vault.add(asked, secret); }));
  TRY_VOID(s.parts.incidents->recall(hash, doer_of(s)));
  return Answer{201, render(made), {}, {}};
}

Result<Answer> show_credential(Session& s) {
  TRY(const vault::Credential credential, s.parts.vault.get(s.subject));
  return Answer{200, render(credential), {}, {}};
}

Result<Answer> add_credential_version(Session& s) {
  const std::string& when = s.body.text("publish");
  if (!when.empty() && when != "now" && when != "later")
    return refuse(Code::invalid_input, "publish: now or later");
  const auto publish = when == "later" ? vault::Publish::later : vault::Publish::now;
  TRY(const vault::Credential before, s.parts.vault.get(s.subject));
  const Digest hash = crypto::sha256(s.body.text("secret"));
  const Secret secret = take_secret(s);
  TRY(const vault::Credential after, carry_out(s, {"credential.add_version", "credential:" + before.id}, [&] {
        return s.parts.vault.add_version(before.id, secret, publish);
      }));
  TRY_VOID(s.parts.incidents->recall(hash, doer_of(s)));
  return Answer{201, render(after), {}, {}};
}

Result<Answer> set_credential(Session& s) {
  TRY(const vault::Credential before, s.parts.vault.get(s.subject));
  TRY(const vault::SettingChange change, read_setting(s, s.parts.catalog->find(before.provider)));
  TRY(const vault::Credential after, carry_out(s, {"credential.set", "credential:" + before.id},
                                               [&] { return s.parts.vault.set(before.id, change); }));
  return Answer{200, render(after), {}, {}};
}

Result<Answer> rollback_credential(Session& s) {
  TRY(const vault::Credential it, s.parts.vault.get(s.subject));
  TRY_VOID(s.parts.incidents->check_free(steward::Owned::credential, it.id));
  return operate(s, "credential.rollback", &vault::Vault::rollback);
}
Result<Answer> disable_credential(Session& s) {
  return operate(s, "credential.disable", &vault::Vault::disable);
}
Result<Answer> enable_credential(Session& s) {
  TRY(const vault::Credential it, s.parts.vault.get(s.subject));
  TRY_VOID(s.parts.incidents->check_free(steward::Owned::credential, it.id));
  return operate(s, "credential.enable", &vault::Vault::enable);
}
Result<Answer> destroy_credential(Session& s) {
  return operate(s, "credential.destroy", &vault::Vault::destroy);
}

}  // namespace claviger::console
