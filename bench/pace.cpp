// Open-loop load: requests are due at a constant rate, and an answer's time counts from when its request was
// due, also when no connection was free then: a slow answer cannot hide the ones that had to wait for it.
#include <cstring>

#include <deque>

#include "socket.hpp"

namespace claviger::bench {
namespace {

// An answer with a Content-Length, as far as it has come.
class Answer {
 public:
  enum class State { more, whole, broken };

  State feed(const char* data, std::size_t size) {
    bytes_.append(data, size);
    if (wanted_ == 0 && !read_head()) return bytes_.size() > 65'536 ? State::broken : State::more;
    return bytes_.size() < wanted_ ? State::more : bytes_.size() == wanted_ ? State::whole : State::broken;
  }
  bool good() const { return bytes_.compare(0, 12, "HTTP/1.1 200") == 0; }
  void clear() {
    bytes_.clear();
    wanted_ = 0;
  }

 private:
  bool read_head() {
    const std::size_t end = bytes_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const char* length = strcasestr(bytes_.c_str(), "\r\ncontent-length:");
    if (length == nullptr) return false;
    wanted_ = end + 4 + static_cast<std::size_t>(std::atoll(length + 17));
    return true;
  }
  std::string bytes_;
  std::size_t wanted_ = 0;  // head and body; 0: not known yet
};

struct Connection {
  int fd = -1;
  std::int64_t due = 0;
  std::size_t sent = 0;  // of the request under way
  Answer answer;
};

class Pace {
 public:
  explicit Pace(const Options& options)
      : port_(options.number("--port")),
        request_(options.file("--request")),
        gap_ns_(kSecond / static_cast<double>(options.number("--rate"))),
        total_(options.number("--rate") * options.number("--seconds")),
        connections_(static_cast<std::size_t>(options.number("--connections"))) {
    taken_.reserve(static_cast<std::size_t>(total_));
    for (std::size_t i = 0; i < connections_.size(); ++i) open(i);
  }

  int run() {
    const std::int64_t start = now_ns();
    const std::int64_t give_up_at =
        start + static_cast<std::int64_t>(gap_ns_ * static_cast<double>(total_)) + 5 * kSecond;
    while (answered_ + failed_ < total_ && now_ns() < give_up_at) {
      const std::int64_t next = issue_due(start);
      poll_.wait_until(std::min(next, give_up_at), [&](std::uint64_t at) { go_on(at); });
    }
    failed_ = total_ - answered_;
    const double seconds = static_cast<double>(now_ns() - start) / kSecond;
    std::printf("{\"requests\":%ld,\"failed\":%ld,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
                static_cast<long>(answered_), static_cast<long>(failed_), seconds, quantile_us(taken_, 0.5),
                quantile_us(taken_, 0.99));
    return 0;
  }

 private:
  void open(std::size_t at) {
    Connection& c = connections_[at];
    c = {};
    c.fd = connect_to(port_);
    poll_.add(c.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, at);
    free_.push_back(at);
  }

  std::int64_t due_of(std::int64_t start, std::int64_t number) const {
    return start + static_cast<std::int64_t>(gap_ns_ * static_cast<double>(number));
  }

  // Sends what is due as far as connections are free; when the next one is due.
  std::int64_t issue_due(std::int64_t start) {
    while (issued_ < total_ && !free_.empty() && due_of(start, issued_) <= now_ns()) {
      const std::size_t at = free_.front();
      free_.pop_front();
      connections_[at].due = due_of(start, issued_++);
      connections_[at].sent = 0;
      send_on(at);
    }
    return issued_ < total_ && !free_.empty() ? due_of(start, issued_) : INT64_MAX;
  }

  void send_on(std::size_t at) {
    Connection& c = connections_[at];
    if (c.due == 0 || c.sent == request_.size()) return;
    const auto n =
        ::send(c.fd, request_.data() + c.sent, request_.size() - c.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) c.sent += static_cast<std::size_t>(n);
    if (n < 0 && errno != EAGAIN) lose(at);
  }

  void go_on(std::size_t at) {
    send_on(at);
    Connection& c = connections_[at];
    char buffer[16'384];
    for (;;) {
      const auto n = ::recv(c.fd, buffer, sizeof(buffer), MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0 || c.due == 0) return lose(at);
      const Answer::State state = c.answer.feed(buffer, static_cast<std::size_t>(n));
      if (state == Answer::State::broken || (state == Answer::State::whole && !c.answer.good()))
        return lose(at);
      if (state == Answer::State::whole) finish(at);
    }
  }

  void finish(std::size_t at) {
    Connection& c = connections_[at];
    taken_.push_back(now_ns() - c.due);
    ++answered_;
    c.due = 0;
    c.answer.clear();
    free_.push_back(at);
  }

  // The request under way failed; its connection is replaced.
  void lose(std::size_t at) {
    if (connections_[at].due != 0) ++failed_;
    ::close(connections_[at].fd);
    std::erase(free_, at);
    open(at);
  }

  std::int64_t port_;
  std::string request_;
  double gap_ns_;
  std::int64_t total_;
  std::int64_t issued_ = 0, answered_ = 0, failed_ = 0;
  std::vector<Connection> connections_;
  std::deque<std::size_t> free_;
  std::vector<std::int64_t> taken_;
  Poll poll_;
};

}  // namespace
}  // namespace claviger::bench

int main(int argc, char** argv) {
  claviger::bench::prepare_process();
  return claviger::bench::Pace(claviger::bench::Options(argc, argv)).run();
}
