// A scripted provider and a plain client for the end-to-end tests, both on loopback.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "net/http.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "wire/chunked.hpp"
#include "wire/http1.hpp"

namespace claviger::gate {

// One thing that the scripted provider does in answer to a request.
struct Step {
  enum class Do : std::uint8_t { send, wait_for_go, cut };
  Do what = Do::send;
  std::string bytes = {};
};
inline Step send_bytes(std::string bytes) { return {Step::Do::send, std::move(bytes)}; }
inline Step wait_for_go() { return {Step::Do::wait_for_go}; }  // until Upstream::go()
inline Step cut() { return {Step::Do::cut}; }

// Plays one script for each request, on its own thread.
class Upstream {
 public:
  Upstream() {
    auto on_connection = [this](std::unique_ptr<net::Stream> stream) {
      connections_.fetch_add(1);
      loop_.spawn(serve(std::move(stream)));
    };
    loop_.spawn(listener_.accept_on(loop_, [] { return true; }, on_connection));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Upstream() {
    loop_.stop();
    thread_.join();
    loop_.destroy_tasks();
  }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  void plays(std::vector<Step> script) {
    const std::lock_guard lock(lock_);
    script_ = std::move(script);
  }
  void go() { going_.store(true); }
  std::string base_url() const { return "http://" + listener_.text() + "/v1"; }
  int connections() const { return connections_.load(); }
  std::size_t bytes_received() const { return bytes_.load(); }
  // Heads and bodies as they came.
  std::vector<std::pair<std::string, std::string>> requests() {
    const std::lock_guard lock(lock_);
    return requests_;
  }

 private:
  net::Task<void> serve(std::unique_ptr<net::Stream> stream) {
    net::ServerConnection connection(std::move(stream));
    for (;;) {
      wire::RequestHead head;
      const auto got = co_await connection.read_head(head);
      if (!got || !*got) co_return;
      const auto body = co_await connection.read_body(head, limits::kRequestBody);
      if (!body) co_return;
      note(head, *body, connection.request_bytes());
      const bool goes_on = co_await play(connection.stream());
      if (!goes_on) co_return;
      connection.consume();
    }
  }

  net::Task<bool> play(net::Stream& stream) {
    const std::vector<Step> script = current();
    for (const Step& step : script) {
      if (step.what == Step::Do::cut) co_return false;
      while (step.what == Step::Do::wait_for_go && !going_.load()) co_await loop_.sleep_ns(1'000'000);
      const auto sent = co_await stream.write(step.bytes);
      if (!sent) co_return false;
    }
    co_return true;
  }

  void note(const wire::RequestHead& head, std::string_view body, std::size_t bytes) {
    std::string text = std::string(head.method) + " " + std::string(head.target) + "\n";
    for (const wire::Header& field : head.headers)
      text.append(field.name).append(": ").append(field.value).append("\n");
    const std::lock_guard lock(lock_);
    requests_.emplace_back(std::move(text), std::string(body));
    bytes_.fetch_add(bytes);
  }
  std::vector<Step> current() {
    const std::lock_guard lock(lock_);
    return script_;
  }

  std::atomic<bool> going_{false};
  std::atomic<int> connections_{0};
  std::atomic<std::size_t> bytes_{0};
  std::mutex lock_;
  std::vector<Step> script_;                                   // guarded by lock_
  std::vector<std::pair<std::string, std::string>> requests_;  // guarded by lock_
  net::Loop loop_;
  net::Listener listener_ = std::move(net::Listener::tcp({"127.0.0.1", 0}, 1).value().front());
  std::thread thread_;
};

// What a client got.
struct Answer {
  int status = 0;  // 0: the connection ended before a head
  std::string head, body;
  bool whole = false;  // the body's framing came to its end
  std::string header(std::string_view name) const {
    wire::ResponseHead read;
    return wire::parse_response_head(head, "POST", read) ? std::string(read.headers.find(name))
                                                         : std::string();
  }
};

// A client on a blocking socket.
class Dialer {
 public:
  explicit Dialer(std::string_view address) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(std::string(address.substr(address.rfind(':') + 1)))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  }
  ~Dialer() { leave(); }
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Reads until `text` has come; false when the connection ended before.
  bool sees(std::string_view text) {
    while (in_.find(text) == std::string::npos)
      if (!receive()) return false;
    return true;
  }
  // Reads one answer to its end.
  Answer answer() {
    Answer out;
    wire::ResponseHead head;
    std::size_t size = 0;
    for (;;) {
      const auto parsed = wire::parse_response_head(in_, "POST", head);
      EXPECT_TRUE(parsed) << in_;
      size = parsed.value_or(0);
      if (size > 0 && head.status >= 200) break;
      in_.erase(0, size);
      if (!receive()) return out;
    }
    out.status = head.status;
    out.head = in_.substr(0, size);
    const wire::Framing framing = head.framing;
    const std::size_t length = static_cast<std::size_t>(head.content_length);
    in_.erase(0, size);
    read_body(framing, length, out);
    return out;
  }
  // The peer has closed and nothing is left to read.
  bool at_end() { return in_.empty() && !receive(); }
  // What has come and was not read yet; it stays where it is.
  std::string peeked() const {
    std::string out(64 * 1024, '\0');
    const ssize_t got = ::recv(socket_, out.data(), out.size(), MSG_PEEK | MSG_DONTWAIT);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  // Everything until the peer closes.
  std::string to_the_end() {
    while (receive()) {
    }
    return in_;
  }
  // Closes with a reset, as an aborted program does.
  void leave_rudely() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    leave();
  }
  void leave() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

 private:
  bool receive() {
    char buffer[4096];
    const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  void read_body(wire::Framing framing, std::size_t length, Answer& out) {
    if (framing == wire::Framing::length || framing == wire::Framing::none) {
      while (in_.size() < length)
        if (!receive()) break;
      out.whole = in_.size() >= length;
      out.body = in_.substr(0, length);
      in_.erase(0, length);
      return;
    }
    wire::ChunkedDecoder decoder;
    for (;;) {
      const auto taken = decoder.feed(in_, out.body);
      EXPECT_TRUE(taken) << in_;
      in_.erase(0, taken.value_or(in_.size()));
      out.whole = decoder.done();
      if (!taken || out.whole || !receive()) return;
    }
  }
  int socket_ = -1;
  std::string in_;
};

}  // namespace claviger::gate
