// Writes refusals as application/problem+json.
#include "console/problem.hpp"

#include "base/json_writer.hpp"

namespace claviger::console {

ApiResponse problem(const Error& error, const ApiRequest& request) {
  ApiResponse answer;
  answer.status = http_status(error.code);
  answer.content_type = "application/problem+json";
  const std::string code(code_name(error.code));
  JsonWriter out(answer.body);
  out.open('{');
  out.field("type", "urn:claviger:problem:" + code);
  out.field("title", client_text(error.code));
  out.field("status", answer.status);
  out.field("detail", told(error));
  out.field("instance", request.path);
  out.field("code", code);
  out.field("request_id", request.request_id);
  out.close('}');
  answer.headers.emplace_back("Cache-Control", "no-store");
  if (error.code == Code::unauthenticated) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retry_after_ms > 0)
    answer.headers.emplace_back("Retry-After", std::to_string((error.retry_after_ms + 999) / 1000));
  return answer;
}

}  // namespace claviger::console
