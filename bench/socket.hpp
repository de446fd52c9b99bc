// What the load tools share: time, non-blocking loopback connections, options from the command line.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace claviger::bench {

inline constexpr std::int64_t kSecond = 1'000'000'000;

[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

inline std::int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

// "--name value" pairs; a name that is asked for and missing ends the program.
class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) given_[argv[i]] = argv[i + 1];
  }
  const std::string& text(const std::string& name) const {
    const auto at = given_.find(name);
    if (at != given_.end()) return at->second;
    std::fprintf(stderr, "%s is missing\n", name.c_str());
    std::exit(2);
  }
  std::int64_t number(const std::string& name) const { return std::atoll(text(name).c_str()); }
  std::string file(const std::string& name) const {
    std::ifstream in(text(name), std::ios::binary);
    if (!in) give_up(text(name).c_str());
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::map<std::string, std::string> given_;
};

// Timers as sharp as the kernel makes them, and as many descriptors as it allows.
inline void prepare_process() {
  ::prctl(PR_SET_TIMERSLACK, 1);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

inline sockaddr_in loopback(std::int64_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline void send_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// Connected, then made non-blocking.
inline int connect_to(std::int64_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket");
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) give_up("connect");
  send_at_once(fd);
  const timeval forever{};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
  return fd;
}

class Poll {
 public:
  Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)), events_(1024) {
    if (fd_ < 0) give_up("epoll_create1");
  }
  void add(int fd, std::uint32_t what, std::uint64_t tag) {
    epoll_event event{.events = what, .data = {.u64 = tag}};
    if (::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
  }
  // Calls visit(tag) for each that is ready, after `until_ns` (of now_ns) at the latest.
  template <class Visit>
  void wait_until(std::int64_t until_ns, Visit&& visit) {
    const std::int64_t left = std::max<std::int64_t>(until_ns - now_ns(), 0);
    const timespec wait{left / kSecond, left % kSecond};
    const int ready = ::epoll_pwait2(fd_, events_.data(), static_cast<int>(events_.size()), &wait, nullptr);
    for (int i = 0; i < ready; ++i) visit(events_[static_cast<std::size_t>(i)].data.u64);
  }

 private:
  int fd_;
  std::vector<epoll_event> events_;
};

// The value below which `share` of the values lie; 0 when there are none. Reorders them.
inline double quantile_us(std::vector<std::int64_t>& nanoseconds, double share) {
  if (nanoseconds.empty()) return 0;
  const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(nanoseconds.size() - 1));
  std::nth_element(nanoseconds.begin(), nanoseconds.begin() + place, nanoseconds.end());
  return static_cast<double>(nanoseconds[static_cast<std::size_t>(place)]) / 1000.0;
}

}  // namespace claviger::bench
