// An upstream that streams: every request gets so many deltas, so far apart, each with the time it left at.
#include <functional>
#include <queue>

#include "socket.hpp"

namespace claviger::bench {
namespace {

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\n"
    "transfer-encoding: chunked\r\n\r\n";
constexpr std::string_view kFrame =
    R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,)"
    R"("model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],)"
    R"("usage":null,"at":%020ld})"
    "\n\n";
constexpr std::string_view kEnd =
    R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,)"
    R"("model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":64,)"
    R"("total_tokens":76}})"
    "\n\ndata: [DONE]\n\n";

struct Stream {
  std::int64_t due = 0;
  int fd = -1;
  std::int64_t left = 0;  // deltas to come
  bool operator>(const Stream& other) const { return due > other.due; }
};

class Drip {
 public:
  explicit Drip(const Options& options)
      : deltas_(options.number("--deltas")), gap_ns_(options.number("--gap-ms") * 1'000'000) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const sockaddr_in address = loopback(options.number("--port"));
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) give_up("bind");
    if (::listen(listener_, 16'384) != 0) give_up("listen");
    poll_.add(listener_, EPOLLIN, static_cast<std::uint64_t>(listener_));
  }

  [[noreturn]] void run() {
    for (;;) {
      const std::int64_t next = send_due();
      poll_.wait_until(next, [&](std::uint64_t fd) { take(static_cast<int>(fd)); });
    }
  }

 private:
  void take(int fd) {
    if (fd != listener_) return read_request(fd);
    for (;;) {
      const int made = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (made < 0) return;
      send_at_once(made);
      poll_.add(made, EPOLLIN, static_cast<std::uint64_t>(made));
    }
  }

  // A request is small and ends with the brace of its body.
  void read_request(int fd) {
    char buffer[65'536];
    const auto n = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      ::close(fd);
      return;
    }
    if (buffer[n - 1] != '}') return;
    send(fd, std::string(kHead));
    running_.push({now_ns(), fd, deltas_});
  }

  // A late delta does not move the next one: else what stalls the machine once makes all streams march in
  // step.
  std::int64_t send_due() {
    while (!running_.empty() && running_.top().due <= now_ns()) {
      const Stream stream = running_.top();
      running_.pop();
      if (stream.left == 0) {
        send(stream.fd, chunk(kEnd) + "0\r\n\r\n");
        continue;
      }
      char frame[512];
      const int size = std::snprintf(frame, sizeof(frame), kFrame.data(), static_cast<long>(now_ns()));
      if (!send(stream.fd, chunk({frame, static_cast<std::size_t>(size)}))) continue;
      running_.push({stream.due + gap_ns_, stream.fd, stream.left - 1});
    }
    return running_.empty() ? INT64_MAX : running_.top().due;
  }

  static std::string chunk(std::string_view bytes) {
    char size[32];
    std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
    return size + std::string(bytes) + "\r\n";
  }

  static bool send(int fd, const std::string& bytes) {
    return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }

  std::int64_t deltas_, gap_ns_;
  int listener_ = -1;
  std::priority_queue<Stream, std::vector<Stream>, std::greater<>> running_;
  Poll poll_;
};

}  // namespace
}  // namespace claviger::bench

int main(int argc, char** argv) {
  claviger::bench::prepare_process();
  claviger::bench::Drip(claviger::bench::Options(argc, argv)).run();
}
