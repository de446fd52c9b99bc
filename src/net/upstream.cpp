// The pool of upstream connections.
#include "net/upstream.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace claviger::net {

std::string Origin::text() const {
  const bool colons = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "https" : "http", colons ? "[" : "", host, colons ? "]" : "",
                     port);
}

Prompt<Result<std::unique_ptr<Stream>>> Upstreams::acquire(const Origin& origin) {
  if (const auto found = pool_.find(origin); found != pool_.end()) {
    std::vector<Idle>& idle = found->second;
    while (!idle.empty()) {
      std::unique_ptr<Stream> stream = std::move(idle.back().stream);
      idle.pop_back();
      if (stream->quiet()) return Result<std::unique_ptr<Stream>>(std::move(stream));
    }
  }
  return open(origin);
}

Task<Result<std::unique_ptr<Stream>>> Upstreams::open(Origin origin) {
  const HostPort where{origin.host, origin.port};
  const std::int64_t deadline = loop_.now_ns() + limits::kConnectTimeoutMs * 1'000'000;
  Address literal;
  std::vector<Address> addresses;
  if (numeric_address(where, literal)) {
    addresses.push_back(literal);
  } else {
    const auto look_up = [where] { return resolve(where); };
    auto found = co_await on_worker(workers_, loop_, look_up);
    if (!found) co_return std::unexpected(found.error());
    addresses = std::move(*found);
  }
  auto connected = co_await Stream::connect(loop_, std::move(addresses), deadline);
  if (!connected) co_return std::unexpected(connected.error());
  std::unique_ptr<Stream> stream = std::move(*connected);
  if (origin.tls) {
    stream->set_deadline(deadline);
    auto secured = co_await stream->start_tls_client(tls_, origin.host);
    if (!secured) {
      secured.error().detail = fmt::format("TLS to {}: {}", origin.text(), secured.error().detail);
      co_return std::unexpected(secured.error());
    }
    stream->set_deadline(INT64_MAX);
  }
  co_return stream;
}

void Upstreams::release(const Origin& origin, std::unique_ptr<Stream> stream) {
  if (stream->broken() || stream->hung_up()) return;
  std::vector<Idle>& idle = pool_[origin];
  if (idle.size() >= limits::kPoolPerOrigin) return;
  stream->set_deadline(INT64_MAX);
  idle.push_back({std::move(stream), loop_.now_ns()});
}

void Upstreams::close_idle(std::int64_t idle_ms) {
  const std::int64_t oldest = loop_.now_ns() - idle_ms * 1'000'000;
  for (auto& [origin, idle] : pool_)
    std::erase_if(idle, [&](const Idle& one) {
      return one.since_ns < oldest || one.stream->hung_up() || one.stream->broken();
    });
  std::erase_if(pool_, [](const auto& entry) { return entry.second.empty(); });
}

std::size_t Upstreams::idle() const {
  std::size_t count = 0;
  for (const auto& [origin, idle] : pool_) count += idle.size();
  return count;
}

}  // namespace claviger::net
