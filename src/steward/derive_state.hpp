// What the deriver keeps between batches: read positions, open intents, the tree's edge, due alerts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/merkle.hpp"
#include "journal/range.hpp"
#include "journal/reader.hpp"
#include "steward/alert.hpp"
#include "store/store.hpp"

namespace claviger::steward {

// An intent whose receipt has not come yet.
struct OpenIntent {
  std::string req;
  std::string producer;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  Time at;
  std::string line;  // as in the journal
};

// One line of the journal, for good.
struct LineId {
  std::string producer;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  friend auto operator<=>(const LineId&, const LineId&) = default;
};
inline LineId id_of(const OpenIntent& intent) { return {intent.producer, intent.epoch, intent.seq}; }

struct DeriveState {
  std::map<std::string, journal::Position> positions;     // by producer
  std::unordered_multimap<std::string, OpenIntent> open;  // by req
  crypto::MerkleTree tree;
  std::optional<journal::Range> last_range;
  std::vector<DueAlert> due;

  // Reads all of it anew.
  Result<void> load(store::Tx& tx);
};

// Unsigned numbers in the store's signed columns.
inline std::int64_t stored(std::uint64_t value) { return static_cast<std::int64_t>(value); }
inline std::uint64_t unstored(std::int64_t value) { return static_cast<std::uint64_t>(value); }

// Ranges that hold leaves from `leaf` on, in order, at most `limit`.
Result<std::vector<journal::Range>> ranges_from(store::Tx& tx, std::uint64_t leaf, std::size_t limit);

}  // namespace claviger::steward
