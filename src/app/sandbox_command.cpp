// `claviger sandbox`: the built-in double of the providers, on a port of its own.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/cli.hpp"
#include "base/clock.hpp"
#include "net/address.hpp"
#include "provider/price.hpp"
#include "sandbox/server.hpp"

namespace claviger::app {
namespace {

Result<std::string> read_script(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  if (!file) return refuse(Code::invalid_input, fmt::format("the script {} cannot be read", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<int> run_sandbox(const SandboxOptions& options) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const SystemClock clock;
  TRY(const provider::PriceBook prices, provider::PriceBook::parse(provider::kPricesData));
  sandbox::ServerOptions wanted;
  TRY(wanted.listen, net::parse_host_port(options.listen));
  wanted.provider.keys = options.keys;
  wanted.provider.admin_key = options.admin_key;
  wanted.provider.key_file = options.key_file;
  TRY(wanted.provider.script, read_script(options.script));
  wanted.manner = options.lean ? sandbox::Manner::lean : sandbox::Manner::full;
  TRY(const auto server, sandbox::Server::make(wanted, prices, clock));
  fmt::print("sandbox http://{}\n", server->address());
  std::fflush(stdout);
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&set, &signal);
    server->stop();
  });
  server->run();
  waiter.join();
  return kOk;
}

}  // namespace

int sandbox(const SandboxOptions& options) {
  const auto ran = run_sandbox(options);
  if (ran) return *ran;
  fmt::print(stderr, "claviger: {}\n", told(ran.error()));
  return kFailure;
}

}  // namespace claviger::app
