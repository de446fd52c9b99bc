// The blocking client of the admin socket, and the door into an own house.
#include "app/admin_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "app/house.hpp"
#include "base/limits.hpp"
#include "crypto/wipe.hpp"
#include "wire/chunked.hpp"
#include "wire/http1.hpp"

namespace claviger::app {
namespace {

constexpr std::size_t kAnswerBytes = 256 * 1024 * 1024;  // a list of a million keys
constexpr int kSocketTimeoutS = 120;
constexpr int kPatience = 30;  // attempts to reach a data directory that is in use
constexpr std::chrono::milliseconds kBetweenAttempts{100};

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::unexpected<Error> broken(std::string_view doing) {
  const int reason = errno;
  return fail(Code::io_failed, fmt::format("{}: {}", doing, std::strerror(reason)),
              fmt::format("The server's socket failed while {}: {}.", doing, std::strerror(reason)));
}

std::string request_text(const console::ApiRequest& request) {
  std::string text =
      fmt::format("{} {}{}{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", request.method,
                  request.path, request.query.empty() ? "" : "?", request.query);
  const auto header = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text.append(name).append(": ").append(value).append("\r\n");
  };
  header("Content-Type", request.content_type);
  header("Accept", request.accept);
  header("Idempotency-Key", request.idempotency_key);
  if (!request.body.empty() || request.method != "GET")
    text += fmt::format("Content-Length: {}\r\n", request.body.size());
  return text.append("\r\n").append(request.body);
}

Result<void> send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return broken("sending");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> receive_all(int socket) {
  std::string text;
  char piece[16 * 1024];
  for (;;) {
    const ssize_t got = ::recv(socket, piece, sizeof(piece), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return broken("receiving");
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > kAnswerBytes)
      return fail_upstream(Code::upstream_malformed, "the answer is too long");
    text.append(piece, static_cast<std::size_t>(got));
  }
}

Result<std::string> body_of(const wire::ResponseHead& head, std::string_view rest) {
  const auto cut =
      fail_upstream(Code::upstream_failed, "the answer is not whole", "The server broke off its answer.");
  switch (head.framing) {
    case wire::Framing::none:
      return std::string();
    case wire::Framing::until_close:
      return std::string(rest);
    case wire::Framing::length:
      if (rest.size() < head.content_length) return cut;
      return std::string(rest.substr(0, head.content_length));
    case wire::Framing::chunked:
      break;
  }
  wire::ChunkedDecoder decoder;
  std::string body;
  TRY([[maybe_unused]] const std::size_t consumed, decoder.feed(rest, body));
  if (!decoder.done()) return cut;
  return body;
}

class SocketDoor final : public Door {
 public:
  SocketDoor(std::string path, int first) : path_(std::move(path)), first_(first) {}

  Result<console::ApiResponse> ask(const console::ApiRequest& request) override {
    int socket = first_.release();
    if (socket < 0) {
      TRY(socket, connect_unix(path_));
    }
    if (socket < 0)
      return fail(Code::io_failed, "the server has gone", "The server stopped listening on its socket.");
    return exchange(socket, request);
  }

 private:
  std::string path_;
  Fd first_;  // the connection that showed that somebody listens
};

class HouseDoor final : public Door {
 public:
  static Result<std::unique_ptr<Door>> open(const DoorOptions& options) {
    auto door = std::unique_ptr<HouseDoor>(new HouseDoor);
    TRY(Config config, load_config(config_path(options.config, options.data), options.data));
    TRY(door->house_, House::open({options.data, std::move(config), options.unlock, store::Durability::disk},
                                  door->clock_, door->rng_));
    return std::unique_ptr<Door>(std::move(door));
  }

  Result<console::ApiResponse> ask(const console::ApiRequest& request) override {
    const console::Actor actor{fmt::format("local:{}", ::getuid()), identity::Role::owner,
                               console::Via::socket};
    return house_->api().handle(request, actor);
  }
  bool served() const override { return false; }

 private:
  HouseDoor() = default;
  SystemClock clock_;
  SystemRng rng_;
  std::unique_ptr<House> house_;
};

}  // namespace

Result<int> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t slash = path.rfind('/');
  if (path.size() >= sizeof(address.sun_path) && slash != std::string::npos) {
    // A path that does not fit is reached through its folder's descriptor.
    const Fd folder(::open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) return -1;
    return connect_unix(fmt::format("/proc/self/fd/{}{}", folder.get(), path.substr(slash)));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return broken("making a socket");
  const timeval timeout{kSocketTimeoutS, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return socket.release();
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return -1;
  return broken("connecting");
}

Result<console::ApiResponse> exchange(int socket, const console::ApiRequest& request) {
  const Fd owned(socket);
  std::string text = request_text(request);
  const auto sent = send_all(socket, text);
  crypto::wipe(text);
  if (!sent) return std::unexpected(sent.error());
  TRY(std::string answer, receive_all(socket));
  wire::ResponseHead head;
  TRY(const std::size_t size, wire::parse_response_head(answer, request.method, head));
  if (size == 0)
    return fail_upstream(Code::upstream_failed, "no whole head", "The server broke off its answer.");
  console::ApiResponse response;
  response.status = head.status;
  response.content_type = head.headers.find("content-type");
  TRY(response.body, body_of(head, std::string_view(answer).substr(size)));
  crypto::wipe(answer);
  return response;
}

Result<std::unique_ptr<Door>> open_door(const DoorOptions& options) {
  const std::string path = options.data + "/claviger.sock";
  for (int attempt = 0;; ++attempt) {
    TRY(const int socket, connect_unix(path));
    if (socket >= 0) return std::unique_ptr<Door>(new SocketDoor(path, socket));
    auto door = HouseDoor::open(options);
    // Somebody holds the data and does not listen: a server that is starting or stopping, or another command.
    if (door || door.error().code != Code::data_in_use || attempt == kPatience) return door;
    std::this_thread::sleep_for(kBetweenAttempts);
  }
}

}  // namespace claviger::app
