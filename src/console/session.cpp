// Admin connections: one exchange after the other, each handed to the Api on the steward's thread.
#include "console/session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "console/problem.hpp"
#include "net/http.hpp"
#include "wire/http1.hpp"

namespace claviger::console {
namespace {

constexpr std::size_t kAdminConnections = 256;
// The headers that signed bodies come with.
constexpr std::string_view kSigning[] = {"x-hub-signature-256", "x-github-event", "x-github-delivery",
                                         "github-public-key-identifier", "github-public-key-signature"};

ApiRequest read_request(const wire::RequestHead& head, std::string_view body, const net::Stream& stream,
                        Door door) {
  ApiRequest request;
  const std::size_t mark = head.target.find('?');
  request.method = head.method;
  request.path = head.target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = head.target.substr(mark + 1);
  request.content_type = head.headers.find("content-type");
  request.accept = head.headers.find("accept");
  request.idempotency_key = head.headers.find("idempotency-key");
  for (const std::string_view name : kSigning)
    if (const std::string_view value = head.headers.find(name); !value.empty())
      request.signature.emplace_back(name, value);
  if (door == Door::tcp) request.ip = stream.peer().ip();
  request.body = body;
  return request;
}

Result<Actor> actor_of(const wire::RequestHead& head, const net::Stream& stream, Api& api, Door door) {
  if (door == Door::local && net::peer_user(stream) == static_cast<int>(::geteuid()))
    return Actor{fmt::format("socket:{}", ::geteuid()), identity::Role::owner, Via::socket};
  const std::string_view shown = head.headers.find("authorization");
  if (shown.empty()) return Actor{"nobody", identity::Role::auditor, Via::nobody};
  return api.actor_of(shown);
}

std::string write_response(const ApiResponse& response, std::string_view method, bool keep_alive) {
  std::string out;
  out.reserve(512 + response.body.size());
  wire::append_status_line(out, response.status);
  if (!response.content_type.empty()) wire::append_header(out, "content-type", response.content_type);
  wire::append_header(out, "content-length", std::to_string(response.body.size()));
  for (const auto& [name, value] : response.headers) wire::append_header(out, name, value);
  if (!keep_alive) wire::append_header(out, "connection", "close");
  out += "\r\n";
  if (method != "HEAD") out += response.body;
  return out;
}

// One exchange. False: the connection ends.
net::Task<bool> answer_next(net::ServerConnection& connection, Api& api, Door door, std::uint64_t number) {
  wire::RequestHead head;
  net::Stream& stream = connection.stream();
  const auto got = co_await connection.read_head(head);
  if (got && !*got) co_return false;
  ApiRequest request;
  ApiResponse response;
  bool keep_alive = got.has_value();
  Result<std::string_view> body = got ? Result<std::string_view>() : std::unexpected(got.error());
  if (got) body = co_await connection.read_body(head, limits::kAdminBody);
  if (body) request = read_request(head, *body, stream, door);
  request.request_id = fmt::format("adm_{:x}", number);
  if (!body) {
    response = problem(body.error(), request);
    keep_alive = false;
  } else {
    keep_alive = head.keep_alive;
    const auto actor = actor_of(head, stream, api, door);
    response = actor ? api.handle(request, *actor) : problem(actor.error(), request);
  }
  wipe_memory(request.body.data(), request.body.size());
  std::string out = write_response(response, request.method, keep_alive);
  stream.expire_after_ms(limits::kWriteStallMs);
  const auto sent = co_await stream.write(out);
  wipe_memory(out.data(), out.size());
  wipe_memory(response.body.data(), response.body.size());
  connection.consume();
  co_return sent.has_value() && keep_alive;
}

struct Count {
  std::size_t open = 0;
  std::uint64_t requests = 0;
};

net::Task<void> serve_one(std::unique_ptr<net::Stream> stream, Api& api, Door door,
                          const net::TlsContext* tls, std::shared_ptr<Count> count) {
  ++count->open;
  net::ServerConnection connection(std::move(stream), net::Memory::confidential);
  bool open = true;
  if (tls != nullptr) {
    connection.stream().expire_after_ms(limits::kHeadTimeoutMs);
    const auto secured = co_await connection.stream().start_tls_server(*tls);
    open = secured.has_value();
  }
  while (open) open = co_await answer_next(connection, api, door, ++count->requests);
  connection.stream().finish();
  --count->open;
}

}  // namespace

net::Task<void> serve_admin(net::Loop& loop, net::Listener& listener, Api& api, Door door,
                            const net::TlsContext* tls) {
  const auto count = std::make_shared<Count>();
  const auto may_accept = [count] { return count->open < kAdminConnections; };
  const auto on_connection = [&loop, &api, door, tls, count](std::unique_ptr<net::Stream> stream) {
    loop.spawn(serve_one(std::move(stream), api, door, tls, count));
  };
  co_await listener.accept_on(loop, may_accept, on_connection);
}

}  // namespace claviger::console
