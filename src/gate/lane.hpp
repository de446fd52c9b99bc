// A lane: what one event loop of the gate owns. Its World, its journal, its upstream connections, its live
// requests.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "gate/bench.hpp"
#include "gate/mint.hpp"
#include "gate/petition.hpp"
#include "gate/tokens.hpp"
#include "gate/world.hpp"
#include "journal/writer.hpp"
#include "ledger/ledger.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/upstream.hpp"
#include "vault/vault.hpp"

namespace claviger::gate {

enum class Durability : std::uint8_t { process, disk };

// What all lanes share. Everything outlives the loops.
struct Shared {
  const Clock& clock;
  ledger::Ledger& ledger;
  vault::Vault& vault;
  const crypto::HmacSha256& pepper;
  const net::TlsContext& upstream_tls;
  const net::TlsContext* inbound_tls = nullptr;  // nullptr: plain HTTP
  net::Workers& workers;
  Durability durability = Durability::process;
  std::string instance;                             // random, makes request ids unique across starts
  std::size_t body_room = limits::kBodiesInMemory;  // bytes of request bodies that a lane may hold
  std::size_t connections = limits::kConnections;   // of clients, over all lanes
  Counter counter = {};                             // where petitions go; none: /claviger/v1 is not served
  std::vector<policy::Cidr> trusted_proxies = {};   // whose word on where a request came from is taken
  std::unique_ptr<Bench> bench = std::make_unique<Bench>();  // healths of credentials
  std::unique_ptr<Tokens> tokens = std::make_unique<Tokens>();
  std::unique_ptr<Minters> minters = std::make_unique<Minters>();  // end before all of the above
};

class Lane;

// Time as it was when the tick began: read once for all that happens in it.
class TickClock final : public Clock {
 public:
  TickClock(const net::Loop& loop, const Clock& clock) : loop_(loop), clock_(clock) {}
  Time now() const override { return look().wall_; }
  std::int64_t monotonic_ns() const override { return look().monotonic_ns_; }

 private:
  const TickClock& look() const;
  const net::Loop& loop_;
  const Clock& clock_;
  mutable std::int64_t tick_ns_ = -1;  // when it was read
  mutable Time wall_{};
  mutable std::int64_t monotonic_ns_ = 0;
};

// A client's connection that waits for its next request.
class Waiting {
 public:
  Waiting(Lane& lane, net::Stream& client);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  friend class Lane;
  Lane& lane_;
  std::size_t place_;
  net::Stream& client_;
};

// A request that has been exposed, as the sweep sees it: cut when its key loses its rights.
class Live {
 public:
  Live(Lane& lane, std::string_view key_id, net::Stream& upstream);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;
  bool was_cut() const { return cut_; }

 private:
  friend class Lane;
  void cut();

  Lane& lane_;
  std::size_t place_;
  std::string_view key_id_;
  net::Stream& upstream_;
  bool cut_ = false;
};

class Lane {
 public:
  Lane(net::Loop& loop, Shared& shared, journal::Writer& journal, std::size_t number);

  net::Loop& loop() { return loop_; }
  Shared& shared() { return shared_; }
  journal::Writer& journal() { return journal_; }
  net::Upstreams& upstreams() { return upstreams_; }
  const Clock& clock() const { return clock_; }
  Time now() const { return clock_.now(); }

  // The World of this moment; pin it for as long as its proofs are used.
  const std::shared_ptr<const World>& world() const { return world_; }
  // Loop's thread: from here on requests are admitted on `next`; running ones whose key lost its rights are
  // cut.
  void adopt(std::shared_ptr<const World> next);

  std::string next_request_id();

  // co_await until everything appended so far is on record: written (durability process) or on disk
  // (durability disk). False: the journal cannot be written now, so nothing may be exposed.
  // `written` is for receipts, which need not be on disk: an intent that lost its receipt to a power failure
  // costs its hold.
  enum class Reach : std::uint8_t { nothing, file, durable };
  struct Recorded {
    Lane& lane;
    Reach reach;
    bool ok = true;
    bool await_ready() const noexcept { return reach == Reach::nothing; }
    void await_suspend(std::coroutine_handle<> waiter) {
      std::vector<FlushWaiter>& wait = reach == Reach::durable ? lane.record_waiters_ : lane.write_waiters_;
      wait.push_back({waiter, &ok});
    }
    bool await_resume() const noexcept { return ok; }
  };
  Recorded recorded() {
    return {*this, shared_.durability == Durability::disk ? Reach::durable : Reach::file};
  }
  Recorded written() { return {*this, Reach::file}; }
  Recorded nothing_to_record() { return {*this, Reach::nothing}; }

  // No new requests: connections that wait for one are closed, the others when theirs has ended.
  void drain();
  bool draining() const { return draining_; }
  // The loop has ended: what is destroyed from here on was stopped, and did not break.
  void stopped() { stopped_ = true; }
  bool is_stopped() const { return stopped_; }
  std::size_t connections = 0;
  std::size_t body_bytes = 0;   // of requests being served
  std::size_t petitions = 0;    // waiting for the steward
  std::size_t token_waits = 0;  // requests that wait for an access token

 private:
  friend class Live;
  friend class Waiting;
  struct Running {
    Time until;  // its key loses its rights, by the World of now; far away once it was cut
    Live* live;
  };
  struct FlushWaiter {
    std::coroutine_handle<> waiter;
    bool* ok;
  };
  void flush_journal();
  Time good_until(std::string_view key_id) const;
  void sweep();

  net::Loop& loop_;
  Shared& shared_;
  journal::Writer& journal_;
  TickClock clock_;
  net::Upstreams upstreams_;
  std::shared_ptr<const World> world_;
  std::vector<Running> running_;
  std::vector<FlushWaiter> write_waiters_;
  std::vector<FlushWaiter> record_waiters_;  // of durability disk
  std::vector<FlushWaiter> written_;         // empty between two ticks: its room is used again
  std::vector<Waiting*> waiting_;
  std::string id_prefix_;
  std::uint64_t next_id_ = 0;
  bool draining_ = false;
  bool stopped_ = false;
};

}  // namespace claviger::gate
