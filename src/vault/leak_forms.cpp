// Whole secrets, halves of pairs, private keys of documents.
#include "vault/leak_forms.hpp"

#include <algorithm>

#include "base/pem.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "wire/json.hpp"

namespace claviger::vault {
namespace {

constexpr std::size_t kLeastPart = 16;  // shorter ones prove nothing where they are found

// A PEM block as it is compared, whatever its lines were; empty when it is none.
std::string canonical_pem(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "\n-----END ";
  const std::size_t head = pem.find("-----\n"), tail = pem.rfind(kEnd);
  if (!pem.starts_with(kBegin) || head == std::string_view::npos || tail == std::string_view::npos ||
      tail < head)
    return {};
  std::string body(pem.substr(head + 6, tail - std::min(tail, head + 6)));
  std::erase_if(body, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  std::string out = pem_block(pem.substr(kBegin.size(), head - kBegin.size()), body);
  crypto::wipe(body);
  return out;
}

void add_private_key(std::string_view document, std::vector<Digest>& forms) {
  wire::Json json;
  if (!wire::scan(document, json)) return;
  std::string pem = json.root()["private_key"].text().value_or("");
  std::string canonical = canonical_pem(pem);
  if (!canonical.empty()) forms.push_back(crypto::sha256(canonical));
  crypto::wipe(pem);
  crypto::wipe(canonical);
}

}  // namespace

std::vector<Digest> leak_forms(std::string_view secret) {
  std::vector<Digest> forms{crypto::sha256(secret)};
  if (secret.starts_with('{')) {
    add_private_key(secret, forms);
    return forms;
  }
  std::size_t at = secret.find(':');
  while (at != std::string_view::npos) {
    const std::size_t end = secret.find(':', at + 1);
    const std::string_view part = secret.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
    if (part.size() >= kLeastPart) forms.push_back(crypto::sha256(part));
    at = end;
  }
  return forms;
}

}  // namespace claviger::vault
