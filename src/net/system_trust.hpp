// The system's certificate authorities, each read when a chain first needs it: reading all of them takes as
// long as everything else at the start, and memory.
#pragma once

#include <string>

struct ssl_ctx_st;

namespace claviger::net {

// Trusts what OpenSSL trusts by default. The variables SSL_CERT_FILE and SSL_CERT_DIR count as they do there.
void trust_system(ssl_ctx_st* context);
// Trusts the authorities in `folder` by the hashes of their names (as `openssl rehash` makes them), and those
// in the PEM file `bundle`, which is read when the folder lacks one.
void trust_lazily(ssl_ctx_st* context, const std::string& folder, const std::string& bundle);

}  // namespace claviger::net
