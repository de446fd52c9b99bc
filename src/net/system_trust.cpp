// Authorities by the hash of their name, and a bundle that is read once it is needed.
#include "net/system_trust.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>

namespace claviger::net {
namespace {

// A PEM file that is read once, when it is first asked.
struct Bundle {
  std::string path;
  std::once_flag read;
};

void forget(X509_LOOKUP* lookup) { delete static_cast<Bundle*>(X509_LOOKUP_get_method_data(lookup)); }

int find(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name, X509_OBJECT* found) {
  X509_STORE* store = X509_LOOKUP_get_store(lookup);
  auto* bundle = static_cast<Bundle*>(X509_LOOKUP_get_method_data(lookup));
  std::call_once(bundle->read, [&] {
    X509_STORE_load_file(store, bundle->path.c_str());
    ERR_clear_error();  // no bundle, no more authorities
  });
  if (type != X509_LU_X509) return 0;
  X509_STORE_lock(store);
  X509_OBJECT* object = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), type, name);
  X509* certificate = object == nullptr ? nullptr : X509_OBJECT_get0_X509(object);
  const int done = certificate == nullptr ? 0 : X509_OBJECT_set1_X509(found, certificate);
  X509_STORE_unlock(store);
  if (done == 1) X509_free(certificate);  // the caller takes its own share, and the store has one
  return done;
}

X509_LOOKUP_METHOD* lookup_method() {
  static const std::unique_ptr<X509_LOOKUP_METHOD, decltype(&X509_LOOKUP_meth_free)> method = [] {
    X509_LOOKUP_METHOD* made = X509_LOOKUP_meth_new("a bundle, when it is needed");
    X509_LOOKUP_meth_set_get_by_subject(made, find);
    X509_LOOKUP_meth_set_free(made, forget);
    return std::unique_ptr<X509_LOOKUP_METHOD, decltype(&X509_LOOKUP_meth_free)>(made,
                                                                                 &X509_LOOKUP_meth_free);
  }();
  return method.get();
}

// "5ed36f99.0"
bool is_hash(const std::string& name) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return name.size() == 10 && name[8] == '.' && std::all_of(name.begin(), name.begin() + 8, is_hex);
}

bool is_hashed(const char* folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (is_hash(entry.path().filename().string())) return true;
  return false;
}

}  // namespace

void trust_lazily(SSL_CTX* context, const std::string& folder, const std::string& bundle) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_STORE_load_path(store, folder.c_str());
  if (X509_LOOKUP* lookup = X509_STORE_add_lookup(store, lookup_method()))
    X509_LOOKUP_set_method_data(lookup, new Bundle{bundle, {}});
}

void trust_system(SSL_CTX* context) {
  const auto named_or = [](const char* variable, const char* usual) {
    const char* named = std::getenv(variable);
    return named == nullptr ? usual : named;
  };
  const char* folder = named_or(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  if (is_hashed(folder))  // not so of a list of folders
    trust_lazily(context, folder, named_or(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
  else
    SSL_CTX_set_default_verify_paths(context);
}

}  // namespace claviger::net
