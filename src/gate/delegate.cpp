// Petitions from their bytes to the counter, and the answers back.
#include "gate/delegate.hpp"

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "gate/authenticate.hpp"
#include "gate/authorize.hpp"
#include "gate/counted.hpp"
#include "gate/refusal.hpp"

namespace claviger::gate {
namespace {

constexpr std::string_view kOwn = "/claviger/v1/";
constexpr std::string_view kRouteId = "claviger.keys";

// co_await until the petition is answered; goes on on the lane's own loop.
struct Answered {
  Lane& lane;
  std::shared_ptr<Petition> petition;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    net::Loop& loop = lane.loop();
    lane.shared().counter(petition,
                          [&loop, waiter] { loop.post([&loop, waiter] { loop.resume_soon(waiter); }); });
  }
  void await_resume() const noexcept {}
};

// Who asks, and whether it may be here now. Before the body, so that strangers cannot make us hold one.
Result<std::string> may_ask(Lane& lane, Request& request, Docket& docket) {
  if (!lane.shared().counter) return refuse(Code::unknown_route);
  const std::shared_ptr<const World> world = lane.world();
  docket.judged_by(world);
  TRY(const Caller caller, authenticate(request, *world, lane.shared().pepper, lane.now()));
  docket.identified(caller.key());
  TRY_VOID(may_enter(caller.entry(), *world, request.ip, lane.now()));
  const std::string_view encoding = request.head.headers.find("content-encoding");
  if (!encoding.empty() && encoding != "identity") return refuse(Code::unsupported_encoding);
  if (lane.petitions >= limits::kPetitions)
    return fail(Code::overloaded, "as many petitions wait as may",
                "Too many requests for keys are waiting: try again in a moment.");
  return caller.key().id;
}

std::shared_ptr<Petition> write_down(const Request& request, const Docket& docket, std::string key) {
  auto petition = std::make_shared<Petition>();
  const wire::Headers& headers = request.head.headers;
  petition->key = std::move(key);
  petition->method = request.head.method;
  petition->path = request.path;
  petition->query = request.query;
  petition->content_type = headers.find("content-type");
  petition->idempotency_key = headers.find("idempotency-key");
  petition->request_id = docket.request_id();
  petition->ip = request.ip.text();
  petition->body = request.body;
  return petition;
}

std::string response_of(const PetitionAnswer& answer, const Docket& docket) {
  std::string out;
  out.reserve(512 + answer.body.size());
  wire::append_status_line(out, answer.status);
  if (!answer.body.empty()) wire::append_header(out, "content-type", "application/json");
  wire::append_header(out, "content-length", std::to_string(answer.body.size()));
  wire::append_header(out, "x-request-id", docket.request_id());
  for (const auto& [name, value] : answer.headers) wire::append_header(out, name, value);
  out += "\r\n";
  out += answer.body;
  return out;
}

}  // namespace

bool is_own(std::string_view target) { return target.starts_with(kOwn); }

net::Task<Connection> delegate(Lane& lane, net::ServerConnection& client, Request& request, Docket& docket) {
  read_own_target(request);
  docket.asks_for(kRouteId, "none");
  Result<std::string> key = may_ask(lane, request, docket);
  Result<void> ready;
  if (!key) ready = std::unexpected(key.error());
  if (ready && request.head.expect_continue && !client.body_is_here(request.head)) {
    const auto sent = co_await client.stream().write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!sent) ready = refuse(Code::request_timeout);
  }
  AfterRefusal after = AfterRefusal::keep_alive;
  if (ready) {
    const auto body = co_await client.read_body(request.head, limits::kAdminBody);
    if (body) request.body = *body;
    if (!body) ready = std::unexpected(body.error());
  }
  if (!ready && !client.skip_body(request.head)) after = AfterRefusal::close;
  std::string out;
  if (ready) {
    const Counted place(lane.petitions);
    const std::shared_ptr<Petition> petition = write_down(request, docket, *std::move(key));
    Answered answered{lane, petition};
    co_await answered;
    wipe_memory(petition->body.data(), petition->body.size());
    if (!petition->answer) ready = std::unexpected(petition->answer.error());
    if (ready) out = response_of(*petition->answer, docket);
    if (ready) wipe_memory(petition->answer->body.data(), petition->answer->body.size());
  }
  if (ready) {
    docket.discard();
  } else {
    docket.refused(ready.error());
    out = refusal_response(ready.error(), request.dialect(), docket.request_id(), after);
  }
  docket.close();
  client.stream().expire_after_ms(limits::kWriteStallMs);
  const auto sent = co_await client.stream().write(out);
  wipe_memory(out.data(), out.size());
  co_return sent&& after == AfterRefusal::keep_alive ? Connection::keep : Connection::close;
}

}  // namespace claviger::gate
