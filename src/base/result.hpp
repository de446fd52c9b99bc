// Results and errors: expected refusals are values that say what happened, whose fault it is and what to do.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace claviger {

enum class Code : std::uint8_t {
#define CLAVIGER_ERROR(code, status, retry, text) code,
#include "base/errors.def"
#undef CLAVIGER_ERROR
};

// Whose fault it is.
enum class Origin : std::uint8_t { client, policy, upstream, internal };

enum class Retry : std::uint8_t { never, soon, client };

struct Error {
  Code code = Code::internal;
  Origin origin = Origin::internal;
  std::string detail;  // for operators; never reaches a client
  std::string say;     // for the client, instead of the code's text: names the rule or limit and what to do
  std::int64_t retry_after_ms = 0;  // 0: not known
};

template <class T>
using Result = std::expected<T, Error>;

// The code's name as it stands in errors.def, e.g. "budget_exceeded".
std::string_view code_name(Code code);
int http_status(Code code);
Retry retry_of(Code code);
// What a client is told when the error carries no sentence of its own.
std::string_view client_text(Code code);
std::string_view origin_name(Origin origin);
// The sentence for the client: `say` when set, else the code's text.
std::string_view told(const Error& error);
// Number of codes in errors.def; codes are 0..kCodeCount-1.
extern const int kCodeCount;

// Shorthands for the way refusals are made: std::unexpected with the origin in the name.
std::unexpected<Error> refuse(Code code, std::string say = {});                    // origin client
std::unexpected<Error> deny(Code code, std::string say = {});                      // origin policy
std::unexpected<Error> fail(Code code, std::string detail, std::string say = {});  // origin internal
std::unexpected<Error> fail_upstream(Code code, std::string detail, std::string say = {});

}  // namespace claviger

// TRY(auto x, f()): x is the value, or the enclosing function returns the error. CO_TRY: the same in a
// coroutine.
#define CLAVIGER_JOIN2(a, b) a##b
#define CLAVIGER_JOIN(a, b) CLAVIGER_JOIN2(a, b)
#define TRY(declaration, expression) \
  CLAVIGER_TRY_(declaration, expression, CLAVIGER_JOIN(try_result_, __LINE__), return)
#define CO_TRY(declaration, expression) \
  CLAVIGER_TRY_(declaration, expression, CLAVIGER_JOIN(try_result_, __LINE__), co_return)
#define CLAVIGER_TRY_(declaration, expression, name, leave)  \
  auto name = (expression);                                  \
  if (!name) leave std::unexpected(std::move(name).error()); \
  declaration = std::move(name).value()
// The same for Result<void>.
#define TRY_VOID(expression) CLAVIGER_TRY_VOID_(expression, CLAVIGER_JOIN(try_void_, __LINE__), return)
#define CO_TRY_VOID(expression) CLAVIGER_TRY_VOID_(expression, CLAVIGER_JOIN(try_void_, __LINE__), co_return)
#define CLAVIGER_TRY_VOID_(expression, name, leave) \
  if (auto name = (expression); !name) leave std::unexpected(std::move(name).error())
