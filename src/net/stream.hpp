// A connected byte stream on a loop: TCP or a unix socket, plain or TLS.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"
#include "net/tls.hpp"

namespace claviger::net {

// Owned by one coroutine at a time. When its deadline passes, what waits on it fails and so does every call
// until a new deadline is set; the connection itself stays usable, so that the peer can still be told.
class Stream final : private Deadlined {
 public:
  Stream(Loop& loop, int descriptor, Address peer);
  ~Stream() override;

  // Connects to the first address that answers. upstream_failed or upstream_timeout otherwise.
  static Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, std::vector<Address> addresses,
                                                       std::int64_t deadline_ns);
  // Wraps the connection in TLS; the handshake is done, and a client has verified the certificate for `host`.
  Task<Result<void>> start_tls_server(const TlsContext& context);
  Task<Result<void>> start_tls_client(const TlsContext& context, std::string host);

  // What is there now: > 0 bytes, 0 end of stream, kAgain nothing yet (then await readable()), kBroken.
  static constexpr ssize_t kAgain = -1;
  static constexpr ssize_t kBroken = -2;
  ssize_t try_read(char* into, std::size_t size);
  // Sends what fits, gathered; returns bytes taken, kAgain (then await writable()) or kBroken.
  ssize_t try_write(std::span<const std::string_view> pieces);

  // try_read when something may be there and the deadline has not passed. After kAgain, await more() and call
  // it again; after kBroken, error() says why.
  ssize_t read_now(char* into, std::size_t size);
  Watch::Either more() { return {*watch_}; }
  Error error() const;

  Watch::Readable readable() { return watch_->readable(); }
  Watch::Writable writable() { return watch_->writable(); }

  // Bytes read into `into`, 0 at the end of the stream.
  Task<Result<std::size_t>> read_some(char* into, std::size_t size);
  // All of it, gathered; the pieces must live until it is done. Fails with upstream_timeout when the peer has
  // not taken all of it by the deadline.
  Prompt<Result<void>> write(std::string_view first, std::string_view second = {},
                             std::string_view third = {});

  void set_deadline(std::int64_t at_ns);  // monotonic; INT64_MAX: none
  std::int64_t deadline_ns() const { return deadline(); }
  void expire_after_ms(std::int64_t ms);
  // Breaks the connection now; whoever waits on it goes on and sees kBroken.
  void abort();
  // Sends the last bytes on their way and closes; nothing may be awaited afterwards.
  void finish();

  // An idle connection may carry another exchange: the peer has not hung up and sent nothing unasked.
  bool quiet();
  bool broken() const { return broken_; }
  bool timed_out() const { return timed_out_; }
  bool hung_up() const { return watch_->hung_up(); }
  bool is_tls() const { return tls_ != nullptr; }
  const Address& peer() const { return peer_; }
  Loop& loop() { return watch_->loop(); }
  int descriptor() const { return descriptor_; }

 private:
  void deadline_passed() override;
  Task<Result<void>> handshake();
  void watch_tls();
  bool held_by_tls() const;
  using Pieces = std::array<std::string_view, 3>;
  enum class Sent : std::uint8_t { all, some, broken };
  Sent write_now(Pieces& left);
  Task<Result<void>> write_rest(Pieces left);
  ssize_t tls_result(int result);

  int descriptor_;
  std::unique_ptr<Watch> watch_;
  TlsSession tls_;
  Address peer_;
  bool broken_ = false;
  bool timed_out_ = false;
};

}  // namespace claviger::net
