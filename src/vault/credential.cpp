// What a credential may be called and hold.
#include "vault/credential.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace claviger::vault {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<void> check_name(std::string_view field, std::string_view text) {
  const bool good = !text.empty() && text.size() <= limits::kName && is_alphanumeric(text.front()) &&
                    std::ranges::all_of(
                        text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
  if (good) return {};
  return refuse(
      Code::invalid_input,
      fmt::format("The {} must be 1 to {} letters, digits, '.', '_' or '-', and begin with a letter or a "
                  "digit.",
                  field, limits::kName));
}

Result<void> check_numbers(const NewCredential& asked) {
  if (asked.rotate_days < 0 || asked.rotate_days > kRotateDaysMax)
    return refuse(Code::invalid_input,
                  fmt::format("The rotation interval must be 0 to {} days.", kRotateDaysMax));
  if (asked.spend_alert && asked.spend_alert->value < 0)
    return refuse(Code::invalid_input, "The spend alert must not be negative.");
  return {};
}

}  // namespace

std::string_view name_of(CredentialKind kind) {
  return kind == CredentialKind::admin ? "admin" : "inference";
}

std::string_view name_of(CredentialState state) {
  constexpr std::string_view names[] = {"enabled", "disabled", "destroyed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(VersionState state) {
  constexpr std::string_view names[] = {"pending", "current", "previous", "revoked", "destroyed"};
  return names[static_cast<std::size_t>(state)];
}

const CredentialVersion* Credential::current() const {
  const auto found = std::ranges::find(versions, VersionState::current, &CredentialVersion::state);
  return found == versions.end() ? nullptr : &*found;
}

Result<NewCredential> normalised(NewCredential asked) {
  TRY_VOID(check_name("name", asked.name));
  if (asked.name.starts_with("cred_"))
    return refuse(Code::invalid_input, "The name must not begin with 'cred_': that is how ids begin.");
  TRY_VOID(check_name("provider", asked.provider));
  TRY_VOID(check_name("environment", asked.environment));
  if (asked.owner.size() > limits::kName ||
      std::ranges::any_of(asked.owner, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }))
    return refuse(Code::invalid_input,
                  fmt::format("The owner must be at most {} bytes without control bytes.", limits::kName));
  TRY_VOID(check_numbers(asked));
  TRY([[maybe_unused]] const Setting setting, changed({}, asked.setting));
  TRY(const BaseUrl url, parse_base_url(asked.base_url, asked.plain_http));
  std::vector<std::string> origins{url.origin()};
  for (const std::string& text : asked.origins) {
    TRY(std::string origin, parse_origin(text, asked.plain_http));
    origins.push_back(std::move(origin));
  }
  std::ranges::sort(origins);
  origins.erase(std::ranges::unique(origins).begin(), origins.end());
  if (origins.size() > kOriginsPerCredential)
    return refuse(Code::invalid_input,
                  fmt::format("A credential has at most {} origins.", kOriginsPerCredential));
  asked.base_url = url.text();
  asked.origins = std::move(origins);
  return asked;
}

Result<Setting> changed(Setting setting, const SettingChange& change) {
  for (const auto& number : {change.priority, change.weight})
    if (number && (*number < 0 || *number > kPriorityMax))
      return refuse(Code::invalid_input, fmt::format("Priority and weight are 0 to {}.", kPriorityMax));
  setting.priority = change.priority.value_or(setting.priority);
  setting.weight = change.weight.value_or(setting.weight);
  for (const std::string& text : change.parameters) {
    const std::size_t equals = text.find('=');
    const bool good = equals != std::string::npos && equals > 0 && text.size() <= kParameterBytes &&
                      std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
    if (!good)
      return refuse(
          Code::invalid_input,
          fmt::format("A parameter is NAME=VALUE in at most {} visible characters.", kParameterBytes));
    const std::string name = text.substr(0, equals + 1);
    std::erase_if(setting.parameters, [&](const std::string& old) { return old.starts_with(name); });
    if (text.size() > name.size()) setting.parameters.push_back(text);
  }
  std::ranges::sort(setting.parameters);
  if (setting.parameters.size() > kParameters)
    return refuse(Code::invalid_input, fmt::format("A credential has at most {} parameters.", kParameters));
  return setting;
}

std::string_view parameter(const std::vector<std::string>& parameters, std::string_view name) {
  for (const std::string_view text : parameters)
    if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=')
      return text.substr(name.size() + 1);
  return {};
}

Result<void> check_secret(const Secret& secret, const SecretAccess& access) {
  const std::span<const char> bytes = secret.open(access);
  if (bytes.empty()) return refuse(Code::invalid_input, "The secret is empty.");
  if (bytes.size() > kSecretBytes)
    return refuse(Code::invalid_input, fmt::format("The secret is longer than {} bytes.", kSecretBytes));
  const bool document = bytes.front() == '{' && bytes.back() == '}';
  const auto fits = [document](char c) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    return (c > 0x20 && c < 0x7f) || (document && space);
  };
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (!fits(bytes[i]))
      return refuse(
          Code::invalid_input,
          fmt::format("The secret holds something else than visible ASCII at byte {} of {}: a space, a line "
                      "end or a letter with an accent cannot stand in a header.",
                      i + 1, bytes.size()));
  return {};
}

}  // namespace claviger::vault
