// What is trusted, from where, and when it is read.
#include "net/system_trust.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <filesystem>

#include "net/tls_rig_test.hpp"

namespace claviger::net {
namespace {

constexpr const char* kName = "DNS:localhost";

class SystemTrust : public testing::Test {
 protected:
  SystemTrust() { std::filesystem::create_directory(hashes); }

  void write_by_hash(const Identity& authority) {
    const unsigned long hash =
        X509_NAME_hash_ex(X509_get_subject_name(authority.certificate.get()), nullptr, nullptr, nullptr);
    write_certificate(authority, fmt::format("{}/{:08x}.0", hashes, hash));
  }
  bool trusts(const Identity& identity) {
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> verifying(X509_STORE_CTX_new(),
                                                                                    &X509_STORE_CTX_free);
    X509_STORE_CTX_init(verifying.get(), SSL_CTX_get_cert_store(context.get()), identity.certificate.get(),
                        nullptr);
    return X509_verify_cert(verifying.get()) == 1;
  }
  Identity signed_by(const Identity& authority) { return make_identity(kName, &authority); }

  ScratchFolder folder;
  const std::string hashes = folder / "hashes", bundle = folder / "bundle.pem";
  const std::unique_ptr<SSL_CTX, CloseTls> context{SSL_CTX_new(TLS_client_method())};
  const Identity hashed = make_identity("", nullptr), bundled = make_identity("", nullptr),
                 unknown = make_identity("", nullptr);
};

TEST_F(SystemTrust, an_authority_is_found_in_the_folder_or_in_the_bundle_and_no_other) {
  write_by_hash(hashed);
  write_certificate(bundled, bundle);
  trust_lazily(context.get(), hashes, bundle);
  for (int again = 0; again < 2; ++again) {
    EXPECT_TRUE(trusts(signed_by(hashed)));
    EXPECT_TRUE(trusts(signed_by(bundled)));
    EXPECT_FALSE(trusts(signed_by(unknown)));
  }
}

TEST_F(SystemTrust, the_bundle_is_read_when_the_folder_lacks_an_authority_and_not_before) {
  write_by_hash(hashed);
  trust_lazily(context.get(), hashes, bundle);
  EXPECT_TRUE(trusts(signed_by(hashed)));
  write_certificate(bundled, bundle);
  EXPECT_TRUE(trusts(signed_by(bundled)));
}

TEST_F(SystemTrust, without_a_bundle_nothing_more_is_trusted) {
  write_by_hash(hashed);
  trust_lazily(context.get(), hashes, bundle);
  EXPECT_FALSE(trusts(signed_by(bundled)));
  EXPECT_TRUE(trusts(signed_by(hashed)));
}

}  // namespace
}  // namespace claviger::net
