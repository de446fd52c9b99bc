// A lane: what one event loop of the gate owns. Its World, its journal, its upstream connections, its live
// requests.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "crypto/hash.hpp"
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
};

class Lane;

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
  Time now() const { return shared_.clock.now(); }

  // The World of this moment; pin it for as long as its proofs are used.
  const std::shared_ptr<const World>& world() const { return world_; }
  // Loop's thread: from here on requests are admitted on `next`; running ones whose key lost its rights are
  // cut.
  void adopt(std::shared_ptr<const World> next);

  std::string next_request_id();

  // co_await until everything appended so far is written (durability process) or on disk (durability disk).
  // False: the journal cannot be written now, so nothing may be exposed.
  struct Recorded {
    Lane& lane;
    bool ok = true;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { lane.flush_waiters_.push_back({waiter, &ok}); }
    bool await_resume() const noexcept { return ok; }
  };
  Recorded recorded() { return {*this}; }

  // A client's connection waits for its next request from here until `busy`.
  void waiting(net::Stream& client) { waiting_.insert(&client); }
  void busy(net::Stream& client) { waiting_.erase(&client); }
  // No new requests: connections that wait for one are closed, the others when theirs has ended.
  void drain();
  bool draining() const { return draining_; }
  // The loop has ended: what is destroyed from here on was stopped, and did not break.
  void stopped() { stopped_ = true; }
  bool is_stopped() const { return stopped_; }
  std::size_t connections = 0;
  std::size_t body_bytes = 0;  // of requests being served

 private:
  friend class Live;
  struct FlushWaiter {
    std::coroutine_handle<> waiter;
    bool* ok;
  };
  void flush_journal();
  bool may_go_on(std::string_view key_id, Time now) const;
  void sweep();

  net::Loop& loop_;
  Shared& shared_;
  journal::Writer& journal_;
  net::Upstreams upstreams_;
  std::shared_ptr<const World> world_;
  std::vector<Live*> live_;
  std::vector<FlushWaiter> flush_waiters_;
  std::unordered_set<net::Stream*> waiting_;
  std::string id_prefix_;
  std::uint64_t next_id_ = 0;
  bool draining_ = false;
  bool stopped_ = false;
};

}  // namespace claviger::gate
