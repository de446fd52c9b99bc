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

struct Exchanged {
  Result<void> done{};
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
  stream.expire_after_ms(limits::kTokenExchangeMs);
  const std::string head = head_of(ask);
  out.done = co_await stream.write(head, ask.body);
  net::ResponseReader reader(stream, net::Memory::confidential);
  wire::ResponseHead answer;
  if (out.done) out.done = co_await reader.read_head("POST", answer);
  out.status = answer.status;
  while (out.done && !reader.complete() && out.body.size() < limits::kTokenAnswer) {
    const auto piece = co_await reader.next_piece();
    if (piece)
      out.body.append(*piece);
    else
      out.done = std::unexpected(piece.error());
  }
  loop.stop();
}

}  // namespace

Result<void> mint(const CredentialEntry& credential, MintParts parts) {
  const Time now = parts.clock.now();
  if (parts.tokens.has(credential, now)) return {};
  TRY(provider::TokenAsk ask, Injector::token_ask(credential, parts.vault, now));
  Exchanged exchanged;
  exchanged.body.reserve(limits::kTokenAnswer);
  {
    net::Loop loop;
    net::Upstreams upstreams(loop, parts.resolvers, parts.tls);
    loop.spawn(exchange(upstreams, loop, ask, exchanged));
    loop.run();
    loop.destroy_tasks();
  }
  crypto::wipe(ask.body);
  if (!exchanged.done) return std::unexpected(exchanged.done.error());
  TRY(provider::AccessToken made, provider::read_token(exchanged.status, exchanged.body));
  parts.tokens.put(credential, std::move(made.token), now + std::chrono::milliseconds(made.life_ms));
  return {};
}

}  // namespace claviger::gate
