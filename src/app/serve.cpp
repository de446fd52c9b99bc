// `claviger serve`: the house is opened, the gate is put in front of it, and both run until a signal.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include "app/cli.hpp"
#include "app/house.hpp"
#include "app/key_file.hpp"
#include "app/mail_room.hpp"
#include "app/memory.hpp"
#include "app/notify.hpp"
#include "app/outside.hpp"
#include "app/petitions.hpp"
#include "app/watch.hpp"
#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "console/session.hpp"
#include "gate/explain.hpp"
#include "gate/serve.hpp"
#include "journal/syncer.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"

namespace claviger::app {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::size_t kWorkers = 2;  // name resolution only

// Signals that end the program or have it read its configuration again, as a descriptor the steward's loop
// can wait on. Made before any thread.
int open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Lines on stderr; CLAVIGER_LOG sets the level.
Result<void> open_log() {
  const auto log = spdlog::stderr_logger_mt("claviger");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  const char* level = std::getenv("CLAVIGER_LOG");
  if (level != nullptr) {
    log->set_level(spdlog::level::from_str(level));
    if (log->level() == spdlog::level::off && level != std::string_view("off"))  // a word it does not know
      return refuse(Code::configuration,
                    fmt::format("CLAVIGER_LOG is '{}'; it may be debug, info, warn, err or off.", level));
  }
  log->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(log);
  return {};
}

// Where a listener on all addresses is reached from this machine.
std::string local_address(std::string address) {
  for (const std::string_view all : {"0.0.0.0:", "[::]:"})
    if (address.starts_with(all)) return "127.0.0.1:" + address.substr(all.size());
  return address;
}

int end_with(const Error& error) {
  const std::string detail = error.detail.empty() ? "" : fmt::format(" ({})", error.detail);
  fmt::print(stderr, "claviger: {}{}\n", told(error), detail);
  return kFailure;
}

// Everything that runs, in the order in which it is built; dropped the other way round.
class Server {
 public:
  explicit Server(const ServeOptions& options) : options_(options) {}

  Result<void> open();
  int run(int signals);

 private:
  Result<void> open_tls();
  Result<void> open_gate();
  Result<void> open_doors();
  void wire();
  void open_outside();
  Result<void> publish();
  void tick();
  net::Task<void> wait_for_signals(int signals);
  Result<void> take_configuration();
  void reload();
  void announce();
  void stop();

  const ServeOptions& options_;
  SystemClock clock_;
  SystemRng rng_;
  std::unique_ptr<House> house_;
  std::optional<net::TlsContext> inbound_tls_;
  std::optional<net::TlsContext> upstream_tls_;
  std::optional<net::Workers> workers_;
  std::optional<journal::Syncer> syncer_;
  std::optional<gate::Shared> shared_;
  std::unique_ptr<gate::Gate> gate_;
  net::Loop loop_;  // the steward's
  std::optional<Courier> courier_;
  std::optional<KeyFileWriter> key_files_;
  std::optional<Petitions> petitions_;
  std::optional<SmtpRoom> mail_room_;
  std::optional<Watcher> watcher_;
  std::optional<net::Workers> reader_;  // of the journal, for accountings
  std::vector<net::Listener> doors_;    // TCP and unix
  std::shared_ptr<const gate::World> world_;
  std::uint64_t generation_ = 0;
  bool tick_failed_ = false;
  bool incidents_failed_ = false;
  IdleTrim idle_trim_;
};

Result<void> Server::open() {
  const StartingUp starting;  // deriving what a crash left may take its time
  TRY(Config config, load_config(config_path(options_.config, options_.data), options_.data));
  TRY(house_,
      House::open({options_.data, std::move(config), options_.unlock, options_.durability}, clock_, rng_));
  TRY_VOID(open_tls());
  courier_.emplace(loop_, *upstream_tls_, house_->config().private_hosts);
  TRY_VOID(open_gate());
  TRY_VOID(open_doors());
  wire();
  key_files_.emplace(loop_);
  house_->rotations().serve(*courier_, *key_files_);
  house_->hook_alerts().serve(*courier_);
  open_outside();
  petitions_.emplace(loop_, house_->api());
  shared_->counter = [this](std::shared_ptr<gate::Petition> petition, std::function<void()> done) {
    petitions_->lay_down(std::move(petition), std::move(done));
  };
  shared_->trusted_proxies = house_->config().trusted_proxies;
  TRY(world_, house_->make_world(++generation_));
  return {};
}

Result<void> Server::open_tls() {
  const Config& config = house_->config();
  if (!config.tls_cert.empty()) {
    TRY(inbound_tls_, net::TlsContext::server(config.tls_cert, config.tls_key));
  }
  TRY(upstream_tls_, net::TlsContext::client(config.ca_file));
  return {};
}

Result<void> Server::open_gate() {
  const bool to_disk = options_.durability == store::Durability::disk;
  std::size_t threads =
      options_.threads > 0 ? static_cast<std::size_t>(options_.threads) : std::thread::hardware_concurrency();
  threads = std::max<std::size_t>(threads, 1);
  workers_.emplace(kWorkers);
  syncer_.emplace();
  syncer_->add(house_->writer().sync_point());
  std::vector<std::unique_ptr<journal::Writer>> journals;
  const journal::Start start{clock_.now(), kVersion, to_disk ? "disk" : "process"};
  for (std::size_t i = 0; i < threads; ++i) {
    TRY(auto writer,
        journal::Writer::open(house_->journal(), fmt::format("gate{}", i), house_->epoch(), start));
    TRY_VOID(writer->flush());
    syncer_->add(writer->sync_point());
    journals.push_back(std::move(writer));
  }
  std::array<std::uint8_t, 5> random{};
  rng_.fill(random);
  shared_.emplace(gate::Shared{clock_, house_->ledger(), house_->vault(), house_->keys().pepper(),
                               *upstream_tls_, inbound_tls_ ? &*inbound_tls_ : nullptr, *workers_,
                               to_disk ? gate::Durability::disk : gate::Durability::process, hex(random)});
  TRY(const net::HostPort where, net::parse_host_port(options_.listen));
  TRY(gate_, gate::Gate::open(*shared_, where, std::move(journals)));
  return {};
}

Result<void> Server::open_doors() {
  TRY(const net::HostPort where, net::parse_host_port(options_.admin));
  TRY(doors_, net::Listener::tcp(where, 1));
  TRY(net::Listener local, net::Listener::unix_socket(house_->dir().socket()));
  doors_.push_back(std::move(local));
  return {};
}

Result<void> Server::publish() {
  TRY(world_, house_->make_world(++generation_));
  gate_->publish(world_);
  spdlog::debug("world {} published: {} keys, {} credentials", generation_, world_->keys.size(),
                world_->credentials.size());
  return {};
}

void Server::wire() {
  Wiring wiring;
  wiring.republish = [this] { return publish(); };
  wiring.explain = [this](const gate::Inquiry& inquiry) {
    return gate::explain(inquiry, *world_, house_->ledger());
  };
  wiring.ready = [this]() -> Result<void> {
    if (!gate_->journals_writable())
      return fail(Code::journal_unavailable, "a lane's journal cannot be written");
    return {};
  };
  wiring.gate_metrics = [this](console::Exposition& out) {
    out.gauge("claviger_world_generation", "", "The generation of the World that requests are admitted on.");
    out.sample({}, static_cast<std::int64_t>(generation_));
    out.gauge("claviger_credential_share", "",
              "Percent of its requests that a credential in bad health gets.");
    for (const gate::Bench::Unwell& one : shared_->bench->unwell(world_->credentials, clock_.monotonic_ns()))
      out.sample({{"credential", one.credential}}, one.share);
    out.counter("claviger_failovers", "", "Requests that another credential took after one had failed them.");
    out.sample({}, static_cast<std::int64_t>(shared_->bench->failovers()));
    out.gauge("claviger_lanes", "", "Event loops that serve the gate.");
    out.sample({}, static_cast<std::int64_t>(gate_->lanes()));
  };
  wiring.gate_url = [this] {
    return fmt::format("{}://{}", inbound_tls_ ? "https" : "http", local_address(gate_->address()));
  };
  house_->wire(std::move(wiring));
}

void Server::open_outside() {
  mail_room_.emplace(loop_, *upstream_tls_, house_->config().private_hosts);
  house_->notices().connect(&*courier_, &*mail_room_);
  reader_.emplace(1);
  house_->incidents().offload_to([this](std::function<void()> work, std::function<void()> done) {
    reader_->submit([this, work = std::move(work), done = std::move(done)] {
      work();
      loop_.post(done);
    });
  });
}

// The steward's regular work. A failure is told once; the next tick tries again.
void Server::tick() {
  Result<void> done = house_->deriver().tick();
  if (done) done = house_->ledger().top_up(clock_.now());
  if (done) house_->rotations().tick();
  if (!done && !tick_failed_)
    spdlog::warn("{}: {}; trying again", code_name(done.error().code), done.error().detail);
  if (done && tick_failed_) spdlog::info("recovered");
  tick_failed_ = !done.has_value();
  if (const Result<void> went = house_->incidents().tick(); !went && !incidents_failed_) {
    spdlog::warn("incidents: {}: {}; trying again", code_name(went.error().code), went.error().detail);
    incidents_failed_ = true;
  } else if (went) {
    incidents_failed_ = false;
  }
  house_->hook_alerts().tick();
  (void)house_->notices().tick();  // what could not be sent or kept is tried again
  (void)house_->writer().flush();
  const ledger::Counters counters = house_->ledger().counters();
  idle_trim_.tick(counters.held, clock_.monotonic_ns());
}

// All of the configuration is taken over, or nothing of it.
Result<void> Server::take_configuration() {
  TRY(Config config, load_config(config_path(options_.config, options_.data), options_.data));
  std::optional<net::TlsContext> inbound;
  if (config.tls_cert.empty() == inbound_tls_.has_value())
    return refuse(Code::configuration, "TLS is turned on or off at a restart only.");
  if (inbound_tls_) {
    TRY(inbound, net::TlsContext::server(config.tls_cert, config.tls_key));
  }
  TRY(net::TlsContext upstream, net::TlsContext::client(config.ca_file));
  mail_room_->adopt(config.private_hosts);
  TRY_VOID(house_->adopt(std::move(config)));
  if (inbound) inbound_tls_->adopt(std::move(*inbound));
  upstream_tls_->adopt(std::move(upstream));
  courier_->adopt(house_->config().private_hosts);
  watcher_->adopt(house_->config().watches);
  return publish();
}

void Server::reload() {
  notify_service(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", clock_.monotonic_ns() / 1'000));
  if (const Result<void> done = take_configuration(); !done)
    spdlog::error("the configuration was not taken over, the old one stays in force: {}", told(done.error()));
  else
    spdlog::info("configuration read again");
  notify_service("READY=1");
}

net::Task<void> Server::wait_for_signals(int signals) {
  net::Watch watch(loop_, signals);
  signalfd_siginfo info{};
  for (;;) {
    while (::read(signals, &info, sizeof(info)) != sizeof(info)) {
      watch.no_longer_readable();
      co_await watch.readable();
    }
    if (info.ssi_signo != SIGHUP) break;
    reload();
  }
  spdlog::info("signal {}: draining", info.ssi_signo);
  notify_service(
      fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", (limits::kShutdownGraceMs + 10'000) * 1'000));
  loop_.stop();
}

void Server::announce() {
  const char* scheme = inbound_tls_ ? "https" : "http";
  fmt::print("gate   {0}://{1}\nadmin  {0}://{2}\nsocket {3}\n", scheme, gate_->address(), doors_[0].text(),
             doors_[1].text());
  std::fflush(stdout);
  notify_service("READY=1");
}

int Server::run(int signals) {
  gate_->start(world_);
  const net::TlsContext* tls = inbound_tls_ ? &*inbound_tls_ : nullptr;
  loop_.spawn(console::serve_admin(loop_, doors_[0], house_->api(), console::Door::tcp, tls));
  loop_.spawn(console::serve_admin(loop_, doors_[1], house_->api(), console::Door::local, nullptr));
  loop_.spawn(wait_for_signals(signals));
  loop_.every(limits::kDeriveMs * kMs, [this] { tick(); });
  let_go_of_code();
  watcher_.emplace(house_->dir().path(), house_->config().watches);
  announce();
  loop_.run();
  stop();
  return kOk;
}

void Server::stop() {
  courier_->close();
  key_files_.reset();
  loop_.destroy_tasks();
  ::unlink(house_->dir().socket().c_str());
  doors_.clear();
  petitions_->close();
  mail_room_->close();
  watcher_.reset();
  reader_.reset();
  gate_->stop(limits::kShutdownGraceMs);
  syncer_.reset();
  if (const auto closed = house_->close(); !closed) spdlog::error("closing: {}", closed.error().detail);
}

}  // namespace

int serve(const ServeOptions& options) {
  const int signals = open_signals();
  if (const auto opened = open_log(); !opened) return end_with(opened.error());
  raise_descriptor_limit();
  if (const auto hardened = harden_process(); !hardened)
    spdlog::warn("the process could not be hardened: {}", hardened.error().detail);
  Server server(options);
  if (const auto opened = server.open(); !opened) return end_with(opened.error());
  return server.run(signals);
}

}  // namespace claviger::app
