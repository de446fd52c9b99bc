// Non-blocking reads and writes with remembered readiness.
#include "net/stream.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace claviger::net {
namespace {

constexpr std::size_t kMaxPieces = 8;

Error broken_error(const Stream& stream) {
  if (stream.timed_out()) return {Code::upstream_timeout, Origin::upstream, "deadline passed", {}, 0};
  return {Code::upstream_failed, Origin::upstream, "connection broken", {}, 0};
}

// Called around each read of TLS from its socket: a short one has emptied it, so that nothing is read just to
// learn that.
long note_read(BIO* socket, int step, const char*, std::size_t asked, int, long, int result,
               std::size_t* got) {
  if (step != (BIO_CB_READ | BIO_CB_RETURN)) return result;
  auto* watch = reinterpret_cast<Watch*>(BIO_get_callback_arg(socket));
  if ((result <= 0 || *got < asked) && !watch->hung_up()) watch->no_longer_readable();
  return result;
}

}  // namespace

Stream::Stream(Loop& loop, int descriptor, Address peer)
    : Deadlined(loop),
      descriptor_(descriptor),
      watch_(std::make_unique<Watch>(loop, descriptor)),
      peer_(peer) {
  if (peer.storage.ss_family == AF_INET || peer.storage.ss_family == AF_INET6) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
}

Stream::~Stream() {
  watch_.reset();
  ::close(descriptor_);
}

void Stream::deadline_passed() {
  timed_out_ = true;
  watch_->wake();
}

void Stream::expire_after_ms(std::int64_t ms) { set_deadline(watch_->loop().now_ns() + ms * 1'000'000); }

void Stream::set_deadline(std::int64_t at_ns) {
  timed_out_ = false;
  Deadlined::set_deadline(at_ns);
}

void Stream::abort() {
  broken_ = true;
  ::shutdown(descriptor_, SHUT_RDWR);
  watch_->wake();
}

void Stream::finish() {
  if (tls_ && !broken_) SSL_shutdown(tls_.get());
  ERR_clear_error();
  ::shutdown(descriptor_, SHUT_WR);
}

Task<Result<std::unique_ptr<Stream>>> Stream::connect(Loop& loop, std::vector<Address> addresses,
                                                      std::int64_t deadline_ns) {
  Error last{Code::upstream_failed, Origin::upstream, "no address to connect to", {}, 0};
  std::size_t left = addresses.size();
  for (const Address& address : addresses) {
    // An address that never answers may use up its share of the time, not that of the addresses behind it.
    const std::int64_t now_ns = loop.now_ns();
    const std::int64_t share_ns = (deadline_ns - now_ns) / static_cast<std::int64_t>(left--);
    const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      last.detail = fmt::format("socket: {}", std::strerror(errno));
      continue;
    }
    const int started = ::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
    const int reason = errno;
    auto stream = std::make_unique<Stream>(loop, fd, address);
    if (started == 0) co_return stream;
    if (reason == EINPROGRESS) {
      stream->set_deadline(now_ns + share_ns);
      stream->watch_->no_longer_writable();
      co_await stream->writable();
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (stream->timed_out_) {
        last = broken_error(*stream);
        last.detail = fmt::format("{} did not accept the connection in time", address.text());
        continue;
      }
      if (error == 0 && !stream->broken_) {
        stream->set_deadline(INT64_MAX);
        co_return stream;
      }
      last.detail = fmt::format("{}: {}", address.text(), std::strerror(error));
    } else {
      last.detail = fmt::format("{}: {}", address.text(), std::strerror(reason));
    }
  }
  co_return std::unexpected(last);
}

Task<Result<void>> Stream::start_tls_server(const TlsContext& context) {
  tls_ = context.accept(descriptor_);
  watch_tls();
  return handshake();
}

Task<Result<void>> Stream::start_tls_client(const TlsContext& context, std::string host) {
  tls_ = context.connect(descriptor_, host);
  watch_tls();
  return handshake();
}

// Bytes were read from the socket that TLS has not given out.
bool Stream::held_by_tls() const { return tls_ && SSL_has_pending(tls_.get()) == 1; }

void Stream::watch_tls() {
  BIO* socket = SSL_get_rbio(tls_.get());
  BIO_set_callback_ex(socket, note_read);
  BIO_set_callback_arg(socket, reinterpret_cast<char*>(watch_.get()));
}

Task<Result<void>> Stream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(tls_.get());
    if (done == 1) co_return Result<void>();
    const int why = SSL_get_error(tls_.get(), done);
    if (broken_ || timed_out_) co_return std::unexpected(broken_error(*this));
    if (why == SSL_ERROR_WANT_READ) {
      watch_->no_longer_readable();
      co_await watch_->readable();
    } else if (why == SSL_ERROR_WANT_WRITE) {
      watch_->no_longer_writable();
      co_await watch_->writable();
    } else {
      const long verdict = SSL_get_verify_result(tls_.get());
      std::string detail = tls_error();
      if (verdict != X509_V_OK) detail += fmt::format(" ({})", X509_verify_cert_error_string(verdict));
      broken_ = true;
      co_return fail_upstream(Code::upstream_failed, detail);
    }
  }
}

ssize_t Stream::tls_result(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      watch_->no_longer_readable();
      return kAgain;
    case SSL_ERROR_WANT_WRITE:
      watch_->no_longer_writable();
      return kAgain;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      ERR_clear_error();
      broken_ = true;
      return kBroken;
  }
}

ssize_t Stream::try_read(char* into, std::size_t size) {
  if (broken_) return kBroken;
  if (tls_) {
    ERR_clear_error();
    const int got = SSL_read(tls_.get(), into, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
    return got > 0 ? got : tls_result(got);
  }
  const ssize_t got = ::recv(descriptor_, into, size, 0);
  if (got > 0) {
    // A short read has emptied the socket: the next arrival (or the end) raises a new edge.
    if (static_cast<std::size_t>(got) < size && !watch_->hung_up()) watch_->no_longer_readable();
    return got;
  }
  if (got == 0) return 0;
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    watch_->no_longer_readable();
    return kAgain;
  }
  broken_ = true;
  return kBroken;
}

ssize_t Stream::try_write(std::span<const std::string_view> pieces) {
  if (broken_) return kBroken;
  if (tls_) {
    ssize_t total = 0;
    for (const std::string_view piece : pieces) {
      if (piece.empty()) continue;
      ERR_clear_error();
      const int sent =
          SSL_write(tls_.get(), piece.data(), static_cast<int>(std::min<std::size_t>(piece.size(), 1 << 20)));
      if (sent <= 0) {
        const ssize_t why = tls_result(sent);
        return total > 0 ? total : why == 0 ? kBroken : why;
      }
      total += sent;
      if (static_cast<std::size_t>(sent) < piece.size()) break;
    }
    return total;
  }
  std::array<iovec, kMaxPieces> parts;
  std::size_t count = 0;
  for (const std::string_view piece : pieces)
    if (!piece.empty()) parts[count++] = {const_cast<char*>(piece.data()), piece.size()};
  if (count == 0) return 0;
  ssize_t sent = 0;
  if (count == 1) {
    sent = ::send(descriptor_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);  // the kernel copies less
  } else {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
  }
  if (sent >= 0) return sent;
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    watch_->no_longer_writable();
    return kAgain;
  }
  broken_ = true;
  return kBroken;
}

bool Stream::quiet() {
  if (broken_ || hung_up()) return false;
  if (!watch_->may_read() && !held_by_tls()) return true;
  char unasked = 0;
  return try_read(&unasked, 1) == kAgain;
}

ssize_t Stream::read_now(char* into, std::size_t size) {
  if (timed_out_) return kBroken;
  if (!watch_->may_read() && !broken_ && !held_by_tls()) return kAgain;
  return try_read(into, size);
}

Error Stream::error() const { return broken_error(*this); }

Task<Result<std::size_t>> Stream::read_some(char* into, std::size_t size) {
  for (;;) {
    const ssize_t got = read_now(into, size);
    if (got >= 0) co_return static_cast<std::size_t>(got);
    if (got == kBroken) co_return std::unexpected(error());
    co_await more();
  }
}

// Takes from `left` what could be sent without waiting.
Stream::Sent Stream::write_now(Pieces& left) {
  while (!timed_out_) {
    ssize_t sent = try_write(left);
    if (sent == kBroken) break;
    if (sent == kAgain) return Sent::some;
    for (std::string_view& piece : left) {
      const std::size_t taken = std::min(piece.size(), static_cast<std::size_t>(sent));
      piece.remove_prefix(taken);
      sent -= static_cast<ssize_t>(taken);
    }
    if (left[0].empty() && left[1].empty() && left[2].empty()) return Sent::all;
  }
  return Sent::broken;
}

Prompt<Result<void>> Stream::write(std::string_view first, std::string_view second, std::string_view third) {
  Pieces left{first, second, third};
  switch (write_now(left)) {
    case Sent::all:
      return Result<void>();
    case Sent::broken:
      return Result<void>(std::unexpected(error()));
    case Sent::some:
      break;
  }
  return write_rest(left);
}

Task<Result<void>> Stream::write_rest(Pieces left) {
  for (;;) {
    co_await watch_->writable();
    const Sent sent = write_now(left);
    if (sent == Sent::all) co_return Result<void>();
    if (sent == Sent::broken) co_return std::unexpected(error());
  }
}

}  // namespace claviger::net
