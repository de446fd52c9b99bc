// Arming an admin call: the one place where a secret meets it. Whoever sends calls holds the secret only
// here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "provider/admin.hpp"
#include "provider/service_account.hpp"

namespace claviger::provider {

// A request that holds a secret: move-only, wiped when dropped.
struct Armed {
  Armed() = default;
  Armed(Armed&&) = default;
  Armed& operator=(Armed&&) = default;
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed();

  std::string method;
  BaseUrl base;          // where it goes; base.path stands in front of `path`
  std::string host;      // the Host header's value: a signature covers it
  std::string path;      // with its query, without base.path
  HeaderFields headers;  // without host and content-length
  std::string body;
};

// The request that buys the access token this call needs, or nothing when `secret` is used as it is.
// read_token() (service_account.hpp) reads its answer; the token then takes the secret's place in arm().
Result<std::optional<Armed>> token_call(const AdminCall& call, std::string_view secret, Time now);

// The call with its proof: the secret, or the token bought with it. Refuses with credential_unavailable a
// secret that cannot prove anything here, without repeating it.
Result<Armed> arm(const AdminCall& call, std::string_view secret, Time now);

// Every origin ("https://host:port") that the admin secret or a token bought with it is sent to by the calls
// of this adapter.
Result<std::vector<std::string>> admin_origins(const Adapter& adapter, const Link& link);

}  // namespace claviger::provider
