// One exchange on a loop of its own, for the steward.
#include "app/outside.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "crypto/wipe.hpp"
#include "net/http.hpp"
#include "net/stream.hpp"
#include "vault/origin.hpp"
#include "wire/http1.hpp"

namespace claviger::app {

using steward::OutsideAnswer;
using steward::OutsideCall;

struct Courier::Errand {
  OutsideCall call;
  std::vector<std::string> private_hosts;  // of the time it was sent
  Done done;

  ~Errand() {
    for (auto& [name, value] : call.headers) crypto::wipe(value);
    crypto::wipe(call.body);
    crypto::wipe(call.target);
  }
};

// The loop of one call, known while it runs so that close() can end it.
struct Courier::Running {
  explicit Running(Courier& of) : owner(of) {
    const std::scoped_lock lock(owner.lock_);
    allowed = !owner.closed_;
    if (allowed) owner.running_.insert(&loop);
  }
  ~Running() {
    const std::scoped_lock lock(owner.lock_);
    owner.running_.erase(&loop);
  }
  Courier& owner;
  net::Loop loop;
  bool allowed = false;
};

namespace {

struct Exchange {
  const OutsideCall& call;
  const net::TlsContext& tls;
  net::Loop& loop;
  vault::BaseUrl base;
  std::vector<net::Address> addresses;
  std::string request;
  Result<OutsideAnswer> result = fail(Code::shutting_down, "the call was broken off");
};

bool is_plain(const OutsideCall& call) {
  for (const auto& [name, value] : call.headers)
    if (!wire::is_header_name(name) || !wire::is_header_value(value)) return false;
  for (const char c : call.target)
    if (c <= 0x20 || c >= 0x7f) return false;
  return wire::is_header_name(call.method) && call.target.starts_with('/');
}

std::string request_text(const OutsideCall& call, const vault::BaseUrl& base) {
  const std::string origin = base.text();
  std::string_view host = std::string_view(origin).substr(origin.find("//") + 2);
  host = host.substr(0, host.find('/'));
  std::string text;
  std::size_t room = call.target.size() + call.body.size() + origin.size() + 256;
  for (const auto& [name, value] : call.headers) room += name.size() + value.size() + 4;
  text.reserve(room);  // grown, it would leave pieces of secrets behind
  text.append(call.method).append(" ").append(base.path).append(call.target).append(" HTTP/1.1\r\n");
  wire::append_header(text, "host", host);
  wire::append_header(text, "accept-encoding", "identity");
  wire::append_header(text, "connection", "close");
  if (!call.body.empty() || (call.method != "GET" && call.method != "DELETE"))
    wire::append_header(text, "content-length", std::to_string(call.body.size()));
  for (const auto& [name, value] : call.headers) wire::append_header(text, name, value);
  return text.append("\r\n").append(call.body);
}

void take_headers(const wire::ResponseHead& head, OutsideAnswer& answer) {
  answer.status = head.status;
  for (const auto& [name, value] : head.headers) {
    std::string lower(name);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    answer.headers.emplace_back(std::move(lower), value);
  }
}

net::Task<Result<OutsideAnswer>> talk(Exchange& it) {
  const std::int64_t now = it.loop.now_ns();
  const std::int64_t end = now + it.call.timeout_ms * 1'000'000;
  const std::int64_t connected_by = now + std::min(it.call.timeout_ms, limits::kConnectTimeoutMs) * 1'000'000;
  CO_TRY(const std::unique_ptr<net::Stream> stream,
         co_await net::Stream::connect(it.loop, it.addresses, connected_by));
  stream->set_deadline(end);
  if (it.base.scheme == "https") CO_TRY_VOID(co_await stream->start_tls_client(it.tls, it.base.host));
  CO_TRY_VOID(co_await stream->write(it.request));
  net::ResponseReader reader(*stream, net::Memory::confidential);  // it may hold a new key
  wire::ResponseHead head;
  CO_TRY_VOID(co_await reader.read_head(it.call.method, head));
  OutsideAnswer answer;
  answer.body.reserve(it.call.most);  // it does not grow: nothing of it stays in memory it has left
  take_headers(head, answer);
  while (!reader.complete()) {
    CO_TRY(const std::string_view piece, co_await reader.next_piece());
    if (piece.empty()) break;
    if (answer.body.size() + piece.size() > it.call.most)
      co_return fail_upstream(Code::upstream_malformed, "the answer is too long", "The answer is too long.");
    answer.body.append(piece);
  }
  co_return answer;
}

net::Task<void> run(Exchange& it) {
  it.result = co_await talk(it);
  it.loop.stop();
}

}  // namespace

Courier::Courier(net::Loop& home, const net::TlsContext& tls, std::vector<std::string> private_hosts)
    : home_(home),
      tls_(tls),
      private_hosts_(std::move(private_hosts)),
      workers_(std::make_unique<net::Workers>(limits::kOutsideThreads)) {}

Courier::~Courier() { close(); }

void Courier::close() {
  {
    const std::scoped_lock lock(lock_);
    closed_ = true;
    for (net::Loop* loop : running_) loop->stop();
  }
  workers_.reset();
}

void Courier::send(OutsideCall call, Done done) {
  auto errand = std::make_shared<Errand>(Errand{std::move(call), private_hosts_, std::move(done)});
  bool closed = false;
  {
    const std::scoped_lock lock(lock_);
    closed = closed_;
  }
  ++under_way_;
  if (closed) return answer(errand, fail(Code::shutting_down, "the steward has ended"));
  if (under_way_ > limits::kOutsideCalls)
    return answer(errand, fail(Code::overloaded, "too many calls to the outside are under way",
                               "Too many calls to the outside are under way."));
  if (!is_plain(errand->call))
    return answer(errand, refuse(Code::invalid_input, "The call holds a byte that no header may hold."));
  workers_->submit([this, errand] { answer(errand, carry(*errand)); });
}

void Courier::answer(std::shared_ptr<Errand> errand, Result<OutsideAnswer> result) {
  auto kept = std::make_shared<Result<OutsideAnswer>>(std::move(result));
  home_.post([this, errand = std::move(errand), kept] {
    --under_way_;
    errand->done(std::move(*kept));
  });
}

Result<OutsideAnswer> Courier::carry(Errand& errand) {
  const OutsideCall& call = errand.call;
  TRY(const vault::BaseUrl base, vault::parse_base_url(call.base, vault::PlainHttp::allowed));
  const net::HostPort where{base.host, base.port};
  std::vector<net::Address> addresses(1);
  if (!net::numeric_address(where, addresses.front())) {
    TRY(addresses, net::resolve(where));
  }
  if (call.reach == steward::Reach::guarded) {
    std::vector<std::string> ips;
    for (const net::Address& address : addresses) ips.push_back(address.ip());
    TRY_VOID(steward::check_reach(base.host, ips, errand.private_hosts));
    const auto& named = errand.private_hosts;
    if (base.scheme != "https" && std::ranges::find(named, base.host) == named.end())
      return refuse(Code::invalid_input, "Plain http is only for hosts in outside.private_hosts.");
  }
  Running running(*this);
  if (!running.allowed) return fail(Code::shutting_down, "the steward has ended");
  Exchange it{call, tls_, running.loop, base, std::move(addresses), request_text(call, base)};
  running.loop.spawn(run(it));
  running.loop.run();
  running.loop.destroy_tasks();
  crypto::wipe(it.request);
  return std::move(it.result);
}

}  // namespace claviger::app
