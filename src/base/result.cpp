// The table behind errors.def.
#include "base/result.hpp"

#include <array>

namespace claviger {
namespace {

struct Row {
  std::string_view name;
  int status;
  Retry retry;
  std::string_view text;
};

constexpr Row kRows[] = {
#define CLAVIGER_ERROR(code, status, retry, text) {#code, status, Retry::retry, text},
#include "base/errors.def"
#undef CLAVIGER_ERROR
};

const Row& row(Code code) { return kRows[static_cast<std::size_t>(code)]; }

}  // namespace

const int kCodeCount = static_cast<int>(std::size(kRows));

std::string_view code_name(Code code) { return row(code).name; }
int http_status(Code code) { return row(code).status; }
Retry retry_of(Code code) { return row(code).retry; }
std::string_view client_text(Code code) { return row(code).text; }

std::string_view origin_name(Origin origin) {
  constexpr std::string_view names[] = {"client", "policy", "upstream", "internal"};
  return names[static_cast<std::size_t>(origin)];
}

std::string_view told(const Error& error) { return error.say.empty() ? client_text(error.code) : error.say; }

std::unexpected<Error> refuse(Code code, std::string say) {
  return std::unexpected(Error{code, Origin::client, {}, std::move(say), 0});
}
std::unexpected<Error> deny(Code code, std::string say) {
  return std::unexpected(Error{code, Origin::policy, {}, std::move(say), 0});
}
std::unexpected<Error> fail(Code code, std::string detail, std::string say) {
  return std::unexpected(Error{code, Origin::internal, std::move(detail), std::move(say), 0});
}
std::unexpected<Error> fail_upstream(Code code, std::string detail, std::string say) {
  return std::unexpected(Error{code, Origin::upstream, std::move(detail), std::move(say), 0});
}

}  // namespace claviger
