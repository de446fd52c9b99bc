// Secrets and public keys of webhooks.
#include "app/hook_keys.hpp"

#include <fmt/format.h>

#include <fstream>

#include "crypto/ecdsa.hpp"
#include "crypto/wipe.hpp"

namespace claviger::app {
namespace {

constexpr std::size_t kSecretFile = 64 * 1024;
constexpr std::size_t kShortest = 16;  // bytes of a webhook's secret

}  // namespace

Result<std::string> read_secret_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kSecretFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto size = static_cast<std::size_t>(file.gcount());
  const bool good = !file.bad() && (size > 0 || file.eof()) && size <= kSecretFile;
  if (!good) return refuse(Code::configuration, fmt::format("The file {} cannot be read as a secret.", path));
  text.resize(size);
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
    text.pop_back();
  if (text.empty()) return refuse(Code::configuration, fmt::format("The file {} is empty or missing.", path));
  return text;
}

Result<std::shared_ptr<const console::HookKeys>> read_hook_keys(const Config& config) {
  auto keys = std::make_shared<console::HookKeys>();
  if (!config.github_secret_file.empty()) {
    TRY(std::string text, read_secret_file(config.github_secret_file));
    for (std::string_view rest = text; !rest.empty();) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.size() >= kShortest) keys->github.emplace_back(as_bytes(line));
    }
    crypto::wipe(text);
    if (keys->github.empty())
      return refuse(Code::configuration, fmt::format("{}: a webhook's secret has at least {} bytes.",
                                                     config.github_secret_file, kShortest));
  }
  for (const Config::HookKey& key : config.github_keys) {
    TRY(std::string pem, read_secret_file(key.pem_file));
    if (!crypto::is_p256_key(pem))
      return refuse(Code::configuration,
                    fmt::format("{} holds no public key on P-256 in PEM.", key.pem_file));
    keys->partner.emplace(key.id, std::move(pem));
  }
  return std::shared_ptr<const console::HookKeys>(std::move(keys));
}

}  // namespace claviger::app
