// Certificates for the TLS tests: an authority made on the spot, and what it signs, as PEM files.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

#include "net/rig_test.hpp"
#include "net/tls.hpp"

namespace claviger::net {

struct FreeOpenssl {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};

struct Identity {
  std::unique_ptr<EVP_PKEY, FreeOpenssl> key;
  std::unique_ptr<X509, FreeOpenssl> certificate;
};

enum class Validity { now, expired, not_yet };

inline void add_extension(X509* certificate, X509* issuer, int which, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A certificate for `names` ("DNS:localhost,IP:127.0.0.1"), or an authority when there are none; signed by
// `issuer`, or by itself without one.
inline Identity make_identity(const std::string& names, const Identity* issuer,
                              Validity validity = Validity::now) {
  constexpr long kDay = 86'400;
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  const long start = validity == Validity::now ? -kDay : validity == Validity::expired ? -10 * kDay : kDay;
  const long end = validity == Validity::expired ? -kDay : 10 * kDay;
  X509_gmtime_adj(X509_getm_notBefore(certificate), start);
  X509_gmtime_adj(X509_getm_notAfter(certificate), end);
  X509_set_pubkey(certificate, made.key.get());
  const std::string name = names.empty() ? "Test authority " + std::to_string(serial) : "Test server";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* signer = issuer == nullptr ? certificate : issuer->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  if (names.empty()) {
    add_extension(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    add_extension(certificate, signer, NID_subject_alt_name, names);
  }
  EXPECT_GT(X509_sign(certificate, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256()), 0);
  return made;
}

inline void write_certificate(const Identity& identity, const std::string& path) {
  FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(PEM_write_X509(file, identity.certificate.get()), 1);
  std::fclose(file);
}

inline void write_key(const Identity& identity, const std::string& path) {
  FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(PEM_write_PrivateKey(file, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
  std::fclose(file);
}

// An authority, its file, and contexts for servers it signed and clients that trust it.
class TlsTest : public NetTest {
 protected:
  static constexpr const char* kNames = "DNS:localhost,DNS:*.example.test,IP:127.0.0.1";

  TlsTest() : authority(make_identity("", nullptr)) { write_certificate(authority, folder / "ca.pem"); }

  TlsContext server(const Identity& identity) {
    write_certificate(identity, folder / "server.pem");
    write_key(identity, folder / "server.key");
    return TlsContext::server(folder / "server.pem", folder / "server.key").value();
  }
  TlsContext server(Validity validity = Validity::now) {
    return server(make_identity(kNames, &authority, validity));
  }
  TlsContext client() { return TlsContext::client(folder / "ca.pem").value(); }

  ScratchFolder folder;
  Identity authority;
};

}  // namespace claviger::net
