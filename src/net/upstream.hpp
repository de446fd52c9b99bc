// Connections to providers: made on demand, verified, kept for reuse; one pool a loop.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "net/stream.hpp"
#include "net/worker.hpp"

namespace claviger::net {

// Where a provider is. Compared as a whole: a connection of one origin is never used for another.
struct Origin {
  bool tls = true;
  std::string host;  // lower case, without brackets
  std::uint16_t port = 443;
  friend auto operator<=>(const Origin&, const Origin&) = default;
  // "https://host:port", as credentials name it.
  std::string text() const;
};

class Upstreams {
 public:
  Upstreams(Loop& loop, Workers& workers, const TlsContext& tls)
      : loop_(loop), workers_(workers), tls_(tls) {}

  // A live connection, from the pool or new. No byte of a request has been sent on it.
  Prompt<Result<std::unique_ptr<Stream>>> acquire(const Origin& origin);
  // Gives a connection back whose last exchange ended cleanly; it is closed when the pool is full or it hung
  // up.
  void release(const Origin& origin, std::unique_ptr<Stream> stream);
  // Closes connections that were idle for longer than that. Called by the owner every few seconds.
  void close_idle(std::int64_t idle_ms = limits::kPoolIdleMs);
  std::size_t idle() const;

 private:
  struct Idle {
    std::unique_ptr<Stream> stream;
    std::int64_t since_ns;
  };
  Task<Result<std::unique_ptr<Stream>>> open(Origin origin);

  Loop& loop_;
  Workers& workers_;
  const TlsContext& tls_;
  std::map<Origin, std::vector<Idle>> pool_;
};

}  // namespace claviger::net
