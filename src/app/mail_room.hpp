// Sends mail by SMTP, over TLS only, to a server whose address was vetted as any other outside is.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "net/loop.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"
#include "steward/channel.hpp"

namespace claviger::app {

// As the Courier does it: each mail on a worker's thread with a loop and a connection of its own, the outcome
// posted to `home`. The server must show a certificate for its name before it is told anything.
class SmtpRoom final : public steward::MailRoom {
 public:
  SmtpRoom(net::Loop& home, const net::TlsContext& tls, std::vector<std::string> private_hosts);
  ~SmtpRoom() override;  // close()
  SmtpRoom(const SmtpRoom&) = delete;
  SmtpRoom& operator=(const SmtpRoom&) = delete;

  void send(steward::Mail mail, std::function<void(Result<void>)> done) override;
  void adopt(std::vector<std::string> private_hosts) { private_hosts_ = std::move(private_hosts); }
  // Breaks off what is under way.
  void close();

 private:
  struct Errand;
  Result<void> carry(Errand& errand);

  net::Loop& home_;
  const net::TlsContext& tls_;
  std::vector<std::string> private_hosts_;
  std::mutex lock_;
  bool closed_ = false;           // guarded by lock_
  std::set<net::Loop*> running_;  // guarded by lock_
  std::unique_ptr<net::Workers> workers_;
};

}  // namespace claviger::app
