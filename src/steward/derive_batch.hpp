// One batch of lines on its way into the store: what follows from them, and the transaction that keeps it.
#pragma once

#include <cstdint>
#include <map>
#include <memory_resource>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "journal/record.hpp"
#include "ledger/ledger.hpp"
#include "steward/derive.hpp"
#include "steward/derive_state.hpp"
#include "steward/usage.hpp"

namespace claviger::steward {

class DeriveBatch {
 public:
  // `state` is what was derived before; it must not change until the batch is done with.
  DeriveBatch(const DeriveState& state, journal::Parser& parser, Time now)
      : state_(state),
        parser_(parser),
        now_(now),
        tree_(state.tree),
        positions_(state.positions),
        opened_(&arena_) {}

  // Takes the next line of its producer.
  void add(const journal::Line& line);

  // Ranges that begin before `published` stand in ranges.jsonl as they are and are not made longer.
  Result<void> apply(store::Tx& tx, ledger::Ledger& ledger, const std::vector<CredentialLimit>& watched,
                     std::uint64_t published);
  // After the commit.
  void move_into(DeriveState& state) &&;

  std::size_t lines() const { return leaves_.size(); }
  const std::vector<Digest>& leaves() const { return leaves_; }
  const crypto::MerkleTree& tree() const { return tree_; }
  const std::map<std::string, journal::Position>& positions() const { return positions_; }
  const std::vector<journal::Range>& ranges() const { return ranges_; }
  Time last_time() const { return last_time_; }
  std::uint64_t damaged() const { return damaged_; }
  std::uint64_t breaks() const { return breaks_; }

 private:
  // An intent of this batch; its texts lie in the arena, its producer's name in positions_.
  struct Opened {
    std::string_view producer;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
    Time at;
    std::string_view line;
  };
  static constexpr std::size_t kArena = 64 * 1024;  // its first block

  std::string_view keep(std::string_view text);
  void place(const journal::Line& line, journal::Position& position);
  void damage(const journal::Line& line, std::string_view what);
  void take(const journal::Intent& intent, const journal::Line& line, std::uint64_t seq);
  void take(const journal::Receipt& receipt, const journal::Envelope& envelope);
  void close_intent(const journal::Receipt& receipt);
  Result<void> apply_tree(store::Tx& tx) const;
  Result<void> apply_ranges(store::Tx& tx, std::uint64_t published);
  Result<void> apply_intents(store::Tx& tx) const;
  Result<void> apply_uses(store::Tx& tx) const;
  Result<void> apply_alerts(store::Tx& tx, const std::vector<ledger::Crossing>& crossed,
                            const std::vector<CredentialLimit>& watched) const;

  const DeriveState& state_;
  journal::Parser& parser_;
  const Time now_;
  crypto::MerkleTree tree_;
  std::map<std::string, journal::Position> positions_;
  std::set<std::string> moved_;  // producers whose position changed
  std::vector<Digest> leaves_;
  std::vector<journal::Range> ranges_;
  std::vector<ledger::Posted> posted_;
  UsageBatch usage_;
  std::set<std::string, std::less<>> credentials_;
  std::pmr::monotonic_buffer_resource arena_{kArena};  // of what is opened here: most of it closes here, too
  std::pmr::unordered_multimap<std::string_view, Opened> opened_;   // by req
  std::set<LineId> closed_;                                         // of those in state_.open
  std::map<std::pair<std::string_view, std::int64_t>, Time> used_;  // credential and version: last intent
  std::vector<DueAlert> raised_;                                    // alert records, owned
  std::map<std::string, DueAlert> damages_;                         // one a segment
  std::vector<DueAlert> due_after_;
  std::optional<journal::Range> last_range_after_;
  Time last_time_;
  std::uint64_t damaged_ = 0;
  std::uint64_t breaks_ = 0;
};

}  // namespace claviger::steward
