// Many streams at once: counts their frames and how long each was on its way from the upstream (bench_drip).
#include "socket.hpp"

namespace claviger::bench {
namespace {

constexpr std::string_view kStamp = "\"at\":";
constexpr std::size_t kStampDigits = 20;
constexpr std::string_view kDone = "[DONE]";
constexpr std::int64_t kSilence = 30 * kSecond;  // longer than any pause of the upstream

struct Stream {
  int fd = -1;
  std::int64_t asked = 0;
  std::int64_t frames = 0;
  bool done = false;
  std::string tail;  // not yet understood
};

class Streams {
 public:
  explicit Streams(const Options& options)
      : port_(options.number("--port")),
        request_(options.file("--request")),
        deltas_(options.number("--deltas")),
        pause_ns_(options.number("--ramp-ms") * 1'000'000 / options.number("--streams")),
        streams_(static_cast<std::size_t>(options.number("--streams"))) {}

  int run() {
    const std::int64_t start = now_ns();
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      open(i);
      do serve(std::min(start + pause_ns_ * static_cast<std::int64_t>(i + 1), now_ns() + kSecond));
      while (now_ns() < start + pause_ns_ * static_cast<std::int64_t>(i + 1));
    }
    while (first_.size() + failed_ < streams_.size() && !silent()) serve(now_ns() + kSecond);
    std::printf("OPEN\n");
    std::fflush(stdout);
    while (ended_ < streams_.size() && !silent()) serve(now_ns() + kSecond);
    report();
    return 0;
  }

 private:
  bool silent() const { return now_ns() - heard_ > kSilence; }

  void open(std::size_t at) {
    Stream& s = streams_[at];
    s.fd = connect_to(port_);
    s.asked = now_ns();
    if (::send(s.fd, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size()))
      give_up("send");
    poll_.add(s.fd, EPOLLIN, at);
  }

  void serve(std::int64_t until) {
    poll_.wait_until(until, [&](std::uint64_t at) { take(streams_[at]); });
  }

  void take(Stream& s) {
    char buffer[16'384];
    const auto n = ::recv(s.fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    heard_ = now_ns();
    if (n <= 0) return end(s);
    s.tail.append(buffer, static_cast<std::size_t>(n));
    count(s, heard_);
    if (s.tail.find(kDone) != std::string::npos) {
      s.done = true;
      end(s);
    }
  }

  // Counts the whole stamps in what has come; what is behind the last one stays.
  void count(Stream& s, std::int64_t now) {
    std::size_t from = 0;
    for (;;) {
      const std::size_t at = s.tail.find(kStamp, from);
      if (at == std::string::npos || at + kStamp.size() + kStampDigits > s.tail.size()) break;
      const std::int64_t left = std::atoll(s.tail.c_str() + at + kStamp.size());
      if (s.frames++ == 0) first_.push_back(now - s.asked);
      delays_.push_back(now - left);
      from = at + kStamp.size() + kStampDigits;
    }
    s.tail.erase(0, from);
  }

  void end(Stream& s) {
    if (!s.done || s.frames != deltas_) ++failed_;
    ++ended_;
    ::close(s.fd);
    s.fd = -1;
  }

  void report() {
    std::int64_t frames = 0;
    for (const Stream& s : streams_) frames += s.frames;
    const std::int64_t lost = deltas_ * static_cast<std::int64_t>(streams_.size()) - frames;
    failed_ += streams_.size() - ended_;
    std::printf(
        "{\"streams\":%zu,\"failed\":%zu,\"frames\":%ld,\"lost\":%ld,\"first_p50_us\":%.1f,"
        "\"delay_p50_us\":%.1f,\"delay_p99_us\":%.1f}\n",
        streams_.size(), failed_, static_cast<long>(frames), static_cast<long>(lost),
        quantile_us(first_, 0.5), quantile_us(delays_, 0.5), quantile_us(delays_, 0.99));
  }

  std::int64_t port_;
  std::string request_;
  std::int64_t deltas_, pause_ns_;
  std::vector<Stream> streams_;
  std::int64_t heard_ = now_ns();
  std::size_t ended_ = 0, failed_ = 0;
  std::vector<std::int64_t> first_, delays_;
  Poll poll_;
};

}  // namespace
}  // namespace claviger::bench

int main(int argc, char** argv) {
  claviger::bench::prepare_process();
  return claviger::bench::Streams(claviger::bench::Options(argc, argv)).run();
}
