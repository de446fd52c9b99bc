// The sandbox provider on a port: plays the plans that sandbox::Provider makes.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/address.hpp"
#include "net/http.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "sandbox/provider.hpp"

namespace claviger::sandbox {

// Lean: every request gets the same small chat completion at once, nothing is looked at and nothing booked.
// For benchmarks, so that the upstream costs as little as it can.
enum class Manner : std::uint8_t { full, lean };

struct ServerOptions {
  net::HostPort listen;
  Options provider;
  Manner manner = Manner::full;
};

// One loop on the calling thread.
class Server {
 public:
  // io_failed when the address cannot be opened, invalid_input when the script cannot be used. `prices` and
  // `clock` must outlive the server.
  static Result<std::unique_ptr<Server>> make(const ServerOptions& options, const provider::PriceBook& prices,
                                              const Clock& clock);
  // "127.0.0.1:8090", with the real port.
  const std::string& address() const { return listener_.text(); }
  void run();   // until stop()
  void stop();  // any thread

 private:
  Server(net::Listener listener, Provider provider, Manner manner)
      : listener_(std::move(listener)), provider_(std::move(provider)), manner_(manner) {}

  net::Task<void> session(std::unique_ptr<net::Stream> stream);
  net::Task<bool> exchange(net::ServerConnection& connection);
  net::Task<bool> play(net::Stream& stream, const Plan& plan);
  net::Task<bool> play_pieces(net::Stream& stream, const Plan& plan, std::string head);
  net::Task<bool> pause(net::Stream& stream, std::int64_t ms);

  net::Listener listener_;
  Provider provider_;
  Manner manner_;
  net::Loop loop_;  // last: its frames use what stands above
};

}  // namespace claviger::sandbox
