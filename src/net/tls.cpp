// TLS contexts: protocol versions, ciphers, verification and ALPN set once for all sessions.
#include "net/tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/system_trust.hpp"

namespace claviger::net {
namespace {

void apply_common(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_read_ahead(context, 1);  // a record costs one read, not one for its head and one for its body
  // Line-delimited key logs of a debugging environment must never see our sessions.
  SSL_CTX_set_keylog_callback(context, nullptr);
}

int choose_http1(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in,
                 unsigned int size, void*) {
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  const int found =
      SSL_select_next_proto(const_cast<unsigned char**>(out), length, kHttp1, sizeof(kHttp1) - 1, in, size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool is_ip_literal(const std::string& host) {
  unsigned char address[16];
  return ::inet_pton(AF_INET, host.c_str(), address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address) == 1;
}

}  // namespace

void CloseTls::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void CloseTls::operator()(ssl_st* session) const { SSL_free(session); }

std::string tls_error() {
  std::string text = "TLS failed";
  while (const unsigned long code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof(line));
    text = line;
  }
  return text;
}

Result<TlsContext> TlsContext::server(const std::string& certificate_file, const std::string& key_file) {
  TlsContext made(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = made.context_.get();
  apply_common(context);
  SSL_CTX_set_alpn_select_cb(context, choose_http1, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return fail(
        Code::configuration, tls_error(),
        fmt::format("the certificate file {} cannot be used: it must hold a PEM chain", certificate_file));
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return fail(Code::configuration, tls_error(),
                fmt::format("the key file {} cannot be used: it must hold the PEM key of that certificate",
                            key_file));
  return made;
}

Result<TlsContext> TlsContext::client(const std::string& ca_file) {
  TlsContext made(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made.context_.get();
  apply_common(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (ca_file.empty()) {
    trust_system(context);
  } else if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1) {
    return fail(Code::configuration, tls_error(),
                fmt::format("the CA file {} cannot be read as PEM", ca_file));
  }
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kHttp1, sizeof(kHttp1) - 1);
  return made;
}

// A session holds on to the settings it was made with.
TlsSession TlsContext::session() const {
  const std::lock_guard lock(*lock_);
  return TlsSession(SSL_new(context_.get()));
}

void TlsContext::adopt(TlsContext&& next) {
  const std::lock_guard lock(*lock_);
  context_ = std::move(next.context_);
}

TlsSession TlsContext::accept(int descriptor) const {
  TlsSession session = this->session();
  SSL_set_fd(session.get(), descriptor);
  SSL_set_accept_state(session.get());
  return session;
}

TlsSession TlsContext::connect(int descriptor, const std::string& host) const {
  TlsSession session = this->session();
  SSL_set_fd(session.get(), descriptor);
  SSL_set_connect_state(session.get());
  if (is_ip_literal(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str());
  } else {
    SSL_set_tlsext_host_name(session.get(), host.c_str());
    SSL_set_hostflags(session.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(session.get(), host.c_str());
  }
  return session;
}

Result<Time> certificate_end(const std::string& certificate_file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(certificate_file.c_str(), "r"),
                                                       &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free);
  std::tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
    return fail(
        Code::configuration, tls_error(),
        fmt::format("the certificate file {} cannot be used: it must hold a PEM chain", certificate_file));
  return Time{static_cast<std::int64_t>(::timegm(&end)) * 1'000'000'000};
}

}  // namespace claviger::net
