// One exchange with a token endpoint, on a loop of its own.
#include "gate/mint.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "crypto/wipe.hpp"
#include "gate/inject.hpp"
#include "net/http.hpp"
#include "net/upstream.hpp"
#include "provider/service_account.hpp"

namespace claviger::gate {
namespace {

Result<void> too_late() {
  return fail_upstream(Code::upstream_timeout, "the token endpoint took too long",
                       "The token endpoint did not answer in time.");
}

Result<void> too_long() {
  return fail_upstream(Code::upstream_malformed, "the token endpoint's answer is too long",
                       "The answer of the token endpoint is too long.");
}

struct Exchanged {
  Result<void> done = too_late();  // until it is
  int status = 0;
  std::string body;
};

std::string head_of(const provider::TokenAsk& ask) {
  const bool usual = ask.where.port == (ask.where.scheme == "https" ? 443 : 80);
  return fmt::format(
      "POST {} HTTP/1.1\r\nhost: {}{}\r\ncontent-type: application/x-www-form-urlencoded\r\n"
      "accept-encoding: identity\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
      ask.where.path.empty() ? "/" : ask.where.path, ask.where.host,
      usual ? "" : fmt::format(":{}", ask.where.port), ask.body.size());
}

net::Task<void> exchange(net::Upstreams& upstreams, net::Loop& loop, const provider::TokenAsk& ask,
                         Exchanged& out) {
  const net::Origin origin{ask.where.scheme == "https", ask.where.host, ask.where.port};
  auto connected = co_await upstreams.acquire(origin);
  if (!connected) {
    out.done = std::unexpected(connected.error());
    loop.stop();
    co_return;
  }
  net::Stream& stream = **connected;
  const std::string head = head_of(ask);
  auto done = co_await stream.write(head, ask.body);
  net::ResponseReader reader(stream, net::Memory::confidential);
  wire::ResponseHead answer;
  if (done) done = co_await reader.read_head("POST", answer);
  out.status = answer.status;
  while (done && !reader.complete()) {
    const auto piece = co_await reader.next_piece();
    if (!piece)
      done = std::unexpected(piece.error());
    else if (out.body.size() + piece->size() > limits::kTokenAnswer)
      done = too_long();  // grown, the text would leave a copy of the token behind
    else
      out.body.append(*piece);
  }
  out.done = std::move(done);
  loop.stop();
}

// One deadline for all of it: names that are looked up and connections that come about slowly count, too.
net::Task<void> stop_after(net::Loop& loop, std::int64_t ms) {
  co_await loop.sleep_ns(ms * 1'000'000);
  loop.stop();
}

Result<provider::AccessToken> asked_for(const provider::TokenAsk& ask, const MintParts& parts) {
  Exchanged exchanged;
  exchanged.body.reserve(limits::kTokenAnswer);
  net::Loop loop;
  net::Upstreams upstreams(loop, parts.resolvers, parts.tls);
  loop.spawn(exchange(upstreams, loop, ask, exchanged));
  loop.spawn(stop_after(loop, parts.exchange_ms));
  loop.run();
  loop.destroy_tasks();
  if (exchanged.done) return provider::read_token(exchanged.status, exchanged.body);
  crypto::wipe(exchanged.body);
  return std::unexpected(exchanged.done.error());
}

}  // namespace

Minted mint(const CredentialEntry& credential, MintParts parts) {
  const Time now = parts.clock.now();
  if (parts.tokens.has(credential, now)) return {{}, false};
  if (auto failed = parts.tokens.failure(credential, parts.clock.monotonic_ns()))
    return {std::unexpected(std::move(*failed)), false};
  auto ask = Injector::token_ask(credential, parts.vault, now);
  if (!ask) return {std::unexpected(ask.error())};
  auto made = asked_for(*ask, parts);
  crypto::wipe(ask->body);
  if (!made) {
    parts.tokens.failed(credential, made.error(), parts.clock.monotonic_ns());
    return {std::unexpected(made.error())};
  }
  parts.tokens.put(credential, std::move(made->token), now + std::chrono::milliseconds(made->life_ms));
  return {};
}

}  // namespace claviger::gate
