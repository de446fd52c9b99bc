// PEM blocks as RFC 7468 has them.
#include "base/pem.hpp"

namespace claviger {

std::string pem_block(std::string_view label, std::string_view body) {
  std::string out = "-----BEGIN " + std::string(label) + "-----\n";
  for (std::size_t at = 0; at < body.size(); at += 64) out.append(body.substr(at, 64)).append("\n");
  return out.append("-----END ").append(label).append("-----");
}

}  // namespace claviger
