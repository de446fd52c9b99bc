// Connections, one request after the other.
#include "gate/serve.hpp"

#include <algorithm>
#include <latch>
#include <optional>

#include "base/limits.hpp"
#include "gate/admit.hpp"
#include "gate/delegate.hpp"
#include "gate/forward.hpp"
#include "gate/refusal.hpp"
#include "gate/request.hpp"
#include "net/http.hpp"
#include "net/thread.hpp"

namespace claviger::gate {
namespace {

// A client's connection and what is the same for all its requests.
struct Client {
  Lane& lane;
  net::ServerConnection connection;
  policy::IpAddress address{};
  std::string ip{};
};

net::Task<Connection> refuse_request(Client& client, const Request& request, Docket& docket,
                                     const Error& error, AfterRefusal after) {
  docket.refused(error);
  docket.close();
  const std::string answer = refusal_response(error, request.dialect(), docket.request_id(), after);
  client.connection.stream().expire_after_ms(limits::kWriteStallMs);
  const auto sent = co_await client.connection.stream().write(answer);
  co_return sent&& after == AfterRefusal::keep_alive ? Connection::keep : Connection::close;
}

// How much a body may turn out to be.
std::size_t announced_body(const wire::RequestHead& head) {
  return head.framing == wire::Framing::chunked ? limits::kRequestBody
                                                : static_cast<std::size_t>(head.content_length);
}

// A body that is not here yet is only waited for when the key is known: strangers cannot make us hold
// megabytes.
Result<void> may_send_body(Client& client, const Request& request, const World& world) {
  Lane& lane = client.lane;
  if (!lane.journal().healthy()) return fail(Code::journal_unavailable, "the journal cannot be written");
  if (client.connection.body_is_here(request.head)) return {};
  const std::size_t announced = announced_body(request.head);
  if (announced <= limits::kRequestBody && lane.body_bytes + announced > lane.shared().body_room)
    return fail(Code::overloaded, "request bodies fill the room they have");
  if (auto caller = authenticate(request, world, lane.shared().pepper, lane.now()); !caller)
    return std::unexpected(caller.error());
  return {};
}

// The address rules are held against, and the text of it for the record.
Result<void> locate(Client& client, Request& request, Docket& docket) {
  request.ip = client.address;
  docket.came_from(client.ip);
  const auto& trusted = client.lane.shared().trusted_proxies;
  if (trusted.empty()) return {};
  TRY(request.ip, came_through(client.address, trusted, request.head.headers));
  request.ip_text = request.ip.text();
  docket.came_from(request.ip_text);
  return {};
}

net::Task<Connection> serve_request(Client& client, Request& request, Docket& docket) {
  Lane& lane = client.lane;
  std::shared_ptr<const World> world = lane.world();
  const Result<void> located = locate(client, request, docket);
  docket.came_with(request.head.headers.find("user-agent"));
  if (located && is_own(request.head.target))
    co_return co_await delegate(lane, client.connection, request, docket);
  Result<void> ready = read_target(request, *world);
  if (!located) ready = located;
  if (request.match.route != nullptr)
    docket.asks_for(request.route().id, provider::endpoint_name(request.route().endpoint));
  if (ready) ready = may_send_body(client, request, *world);
  if (ready) request.room.take(lane.body_bytes, std::min(announced_body(request.head), limits::kRequestBody));
  if (ready && request.head.expect_continue && !client.connection.body_is_here(request.head)) {
    const auto sent = co_await client.connection.stream().write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!sent) ready = refuse(Code::request_timeout);
  }
  if (ready) ready = co_await read_body(client.connection, request);
  if (!ready) {
    const AfterRefusal after =
        client.connection.skip_body(request.head) ? AfterRefusal::keep_alive : AfterRefusal::close;
    co_return co_await refuse_request(client, request, docket, ready.error(), after);
  }
  docket.came_with(
      request.head.headers.find("user-agent"));  // the head has moved if the body had to be waited for
  docket.received(client.connection.request_bytes());
  world = lane.world();  // the newest: the body may have taken a while
  docket.judged_by(world);
  auto admitted = admit(request, *world, lane.shared().pepper, lane.shared().ledger, lane.now(), docket);
  request.json.forget();  // what was asked is known
  request.has_json = false;
  if (!admitted)
    co_return co_await refuse_request(client, request, docket, admitted.error(), AfterRefusal::keep_alive);
  const Grant& grant = admitted->grant;
  docket.granted(grant.credential->provider->name, grant.ask.model, grant.credential->id,
                 grant.price == nullptr ? std::string_view{} : std::string_view(grant.price->version));
  co_return co_await forward(lane, client.connection, request, *admitted, *world, docket);
}

// One request. Whatever happens to it, its docket closes here at the latest.
net::Task<Connection> serve_next(Client& client) {
  Request request;
  std::optional<Waiting> waiting(std::in_place, client.lane, client.connection.stream());
  const auto got = co_await client.connection.read_head(request.head);
  waiting.reset();
  if (got && !*got) co_return Connection::close;
  Docket docket(client.lane.journal(), client.lane.clock(), client.lane.next_request_id());
  docket.came_from(client.ip);
  Connection after = Connection::close;
  if (!got) {
    after = co_await refuse_request(client, request, docket, got.error(), AfterRefusal::close);
  } else {
    const bool keep_alive = request.head.keep_alive;
    after = co_await serve_request(client, request, docket);
    if (!keep_alive) after = Connection::close;
  }
  docket.close();
  client.connection.consume();
  co_return after;
}

net::Task<void> serve_connection(Lane& lane, std::unique_ptr<net::Stream> stream) {
  ++lane.connections;
  Client client{lane, net::ServerConnection(std::move(stream))};
  net::Stream& socket = client.connection.stream();
  client.ip = socket.peer().ip();
  if (auto parsed = policy::IpAddress::parse(client.ip)) client.address = *parsed;
  bool open = true;
  if (const net::TlsContext* tls = lane.shared().inbound_tls; tls != nullptr) {
    socket.expire_after_ms(limits::kHeadTimeoutMs);
    const auto secured = co_await socket.start_tls_server(*tls);
    open = secured.has_value();
  }
  while (open && !lane.draining()) {
    const Connection after = co_await serve_next(client);
    open = after == Connection::keep;
  }
  socket.finish();
  --lane.connections;
}

}  // namespace

Result<std::unique_ptr<Gate>> Gate::open(Shared& shared, const net::HostPort& where,
                                         std::vector<std::unique_ptr<journal::Writer>> journals) {
  TRY(std::vector<net::Listener> listeners, net::Listener::tcp(where, journals.size()));
  return std::unique_ptr<Gate>(new Gate(shared, std::move(listeners), std::move(journals)));
}

Gate::Gate(Shared& shared, std::vector<net::Listener> listeners,
           std::vector<std::unique_ptr<journal::Writer>> journals)
    : shared_(shared), journals_(std::move(journals)), listeners_(std::move(listeners)) {
  address_ = listeners_.front().text();
  for (std::size_t i = 0; i < journals_.size(); ++i) {
    loops_.push_back(std::make_unique<net::Loop>());
    lanes_.push_back(std::make_unique<Lane>(*loops_[i], shared_, *journals_[i], i));
  }
}

Gate::~Gate() { stop(0); }

void Gate::start(std::shared_ptr<const World> first) {
  running_ = true;
  const std::size_t share = shared_.connections / lanes_.size();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = *lanes_[i];
    lane.adopt(first);
    const auto may_accept = [&lane, share] { return lane.connections < share; };
    const auto on_connection = [&lane](std::unique_ptr<net::Stream> stream) {
      lane.loop().spawn(serve_connection(lane, std::move(stream)));
    };
    lane.loop().spawn(listeners_[i].accept_on(lane.loop(), may_accept, on_connection));
    threads_.emplace_back([&lane, i] {
      net::name_thread("lane-" + std::to_string(i));
      lane.loop().run();
    });
  }
}

void Gate::run_on_all(const std::function<void(std::size_t)>& job) {
  std::latch done(static_cast<std::ptrdiff_t>(lanes_.size()));
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    loops_[i]->post([&, i] {
      job(i);
      done.count_down();
    });
  done.wait();
}

void Gate::publish(const std::shared_ptr<const World>& next) {
  if (!running_) return;
  run_on_all([&](std::size_t i) { lanes_[i]->adopt(next); });
}

bool Gate::journals_writable() const {
  for (const auto& journal : journals_)
    if (!journal->writable()) return false;
  return true;
}

void Gate::stop(std::int64_t grace_ms) {
  if (!running_) return;
  run_on_all([&](std::size_t i) {
    listeners_[i].stop_accepting();
    lanes_[i]->drain();
  });
  const std::int64_t deadline = shared_.clock.monotonic_ns() + grace_ms * 1'000'000;
  constexpr auto kLook = std::chrono::milliseconds(10);
  for (bool busy = true; busy && shared_.clock.monotonic_ns() < deadline;) {
    busy = false;
    std::vector<std::size_t> left(lanes_.size());
    run_on_all([&](std::size_t i) { left[i] = lanes_[i]->connections; });
    for (const std::size_t count : left) busy = busy || count > 0;
    if (busy) std::this_thread::sleep_for(kLook);
  }
  for (const auto& loop : loops_) loop->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  running_ = false;
  // What was cut off posts its hold now, and writes its receipt into a journal that still lives. What the
  // loops watch goes before the loops.
  for (const auto& lane : lanes_) lane->stopped();
  for (const auto& loop : loops_) loop->destroy_tasks();
  lanes_.clear();
  listeners_.clear();
  loops_.clear();
  for (const auto& journal : journals_) (void)journal->close(shared_.clock.now());
}

}  // namespace claviger::gate
