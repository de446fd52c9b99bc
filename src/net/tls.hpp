// TLS 1.2 (ECDHE with AEAD only) and 1.3 through OpenSSL, on both sides. Upstream certificates are always
// verified.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace claviger::net {

struct CloseTls {
  void operator()(ssl_ctx_st* context) const;
  void operator()(ssl_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_st, CloseTls>;

// Settings shared by many connections; safe to use from several loops once made.
class TlsContext {
 public:
  // For a listener: certificate chain and private key as PEM files.
  static Result<TlsContext> server(const std::string& certificate_file, const std::string& key_file);
  // For upstreams: verifies against the system's authorities, or only those of `ca_file` when it is not
  // empty.
  static Result<TlsContext> client(const std::string& ca_file);

  // A session over a connected socket. `host` (clients only) is checked against the certificate and sent as
  // SNI.
  TlsSession accept(int descriptor) const;
  TlsSession connect(int descriptor, const std::string& host) const;

  // Sessions made from here on have `next`'s settings; those that run keep theirs. From any thread.
  void adopt(TlsContext&& next);

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  TlsSession session() const;
  std::unique_ptr<ssl_ctx_st, CloseTls> context_;  // guarded by *lock_ once it is shared
  std::unique_ptr<std::mutex> lock_ = std::make_unique<std::mutex>();
};

// When the first certificate of a PEM file ends; configuration when there is none.
Result<Time> certificate_end(const std::string& certificate_file);

// The newest error of OpenSSL's queue as a sentence for operators; empties the queue.
std::string tls_error();

}  // namespace claviger::net
