// A loop of its own for one exchange.
#include "app/http_call.hpp"

#include <fmt/format.h>

#include <optional>

#include "crypto/wipe.hpp"
#include "net/http.hpp"
#include "net/upstream.hpp"
#include "net/worker.hpp"
#include "vault/origin.hpp"

namespace claviger::app {
namespace {

struct Exchange {
  net::Loop& loop;
  net::Upstreams& upstreams;
  net::Origin origin;
  std::string_view method;
  std::string request;
  std::size_t most;
  std::int64_t timeout_ms;
  Result<HttpReply> result = HttpReply{};
};

net::Task<Result<HttpReply>> talk(Exchange& it) {
  auto acquired = co_await it.upstreams.acquire(it.origin);
  if (!acquired) co_return std::unexpected(acquired.error());
  net::Stream& stream = **acquired;
  stream.expire_after_ms(it.timeout_ms);
  CO_TRY_VOID(co_await stream.write(it.request));
  net::ResponseReader reader(stream);
  wire::ResponseHead head;
  CO_TRY_VOID(co_await reader.read_head(it.method, head));
  HttpReply reply;
  reply.status = head.status;
  while (!reader.complete()) {
    CO_TRY(const std::string_view piece, co_await reader.next_piece());
    if (piece.empty()) break;
    if (reply.body.size() + piece.size() > it.most)
      co_return fail_upstream(Code::upstream_malformed, "the answer is too long", "The answer is too long.");
    reply.body.append(piece);
  }
  co_return reply;
}

net::Task<void> run(Exchange& it) {
  it.result = co_await talk(it);
  it.loop.stop();
}

std::string request_text(const HttpCall& asked, const vault::BaseUrl& base) {
  std::string text = fmt::format("{} {}{} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n", asked.method,
                                 base.path, asked.path, base.origin().substr(base.origin().find("//") + 2));
  for (const auto& [name, value] : asked.headers) text += fmt::format("{}: {}\r\n", name, value);
  if (!asked.body.empty() || asked.method != "GET")
    text += fmt::format("content-type: application/json\r\ncontent-length: {}\r\n", asked.body.size());
  return text.append("connection: close\r\n\r\n").append(asked.body);
}

}  // namespace

Result<HttpReply> call(const HttpCall& asked, std::size_t most, std::int64_t timeout_ms) {
  TRY(const vault::BaseUrl base, vault::parse_base_url(asked.base));
  TRY(const net::TlsContext tls, net::TlsContext::client(""));
  net::Workers workers(1);
  net::Loop loop;
  net::Upstreams upstreams(loop, workers, tls);
  Exchange it{loop,
              upstreams,
              {base.scheme == "https", base.host, base.port},
              asked.method,
              request_text(asked, base),
              most,
              timeout_ms};
  loop.spawn(run(it));
  loop.run();
  loop.destroy_tasks();
  crypto::wipe(it.request);
  return std::move(it.result);
}

}  // namespace claviger::app
