// Loading the deriver's state.
#include "steward/derive_state.hpp"

#include <algorithm>

#include "steward/derive.hpp"

namespace claviger::steward {

const std::string_view kDeriveSchema = R"(
CREATE TABLE IF NOT EXISTS journal_epoch (
  id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS journal_position (
  producer TEXT PRIMARY KEY, epoch INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
  next_seq INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS journal_open_intent (
  producer TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, req TEXT NOT NULL,
  at INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (producer, epoch, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS journal_range (
  first INTEGER PRIMARY KEY, count INTEGER NOT NULL, producer TEXT NOT NULL, epoch INTEGER NOT NULL,
  segment INTEGER NOT NULL, offset INTEGER NOT NULL, bytes INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS journal_tree (
  id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, edge BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS credential_use (
  credential TEXT NOT NULL, version INTEGER NOT NULL, last_used INTEGER NOT NULL,
  PRIMARY KEY (credential, version)
) STRICT;
INSERT OR IGNORE INTO journal_tree (id, size, edge) VALUES (1, 0, x'');
)";

namespace {

journal::Range read_range(const store::Row& row) {
  journal::Range range;
  range.first = unstored(row.integer(0));
  range.count = unstored(row.integer(1));
  range.segment = {row.text(2), unstored(row.integer(3)), static_cast<std::uint32_t>(row.integer(4))};
  range.offset = unstored(row.integer(5));
  range.bytes = unstored(row.integer(6));
  range.seq = unstored(row.integer(7));
  return range;
}

Result<crypto::MerkleTree> load_tree(store::Tx& tx) {
  TRY(const auto rows, tx.query("SELECT size, edge FROM journal_tree WHERE id = 1"));
  if (rows.size() != 1) return fail(Code::corrupt, "the audit tree has no row");
  const Bytes& bytes = rows[0].blob(1);
  std::vector<Digest> edge(bytes.size() / sizeof(Digest));
  for (std::size_t i = 0; i < edge.size(); ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * sizeof(Digest)), sizeof(Digest),
                edge[i].begin());
  auto tree = crypto::MerkleTree::resume(unstored(rows[0].integer(0)), std::move(edge));
  if (!tree || bytes.size() % sizeof(Digest) != 0)
    return fail(Code::corrupt, "the audit tree's edge does not fit");
  return std::move(*tree);
}

}  // namespace

Result<void> DeriveState::load(store::Tx& tx) {
  DeriveState fresh;
  TRY(fresh.tree, load_tree(tx));
  TRY(const auto places, tx.query("SELECT producer, epoch, segment, offset, next_seq FROM journal_position"));
  for (const store::Row& row : places)
    fresh.positions[row.text(0)] = {row.text(0), unstored(row.integer(1)),
                                    static_cast<std::uint32_t>(row.integer(2)), unstored(row.integer(3)),
                                    unstored(row.integer(4))};
  TRY(const auto intents, tx.query("SELECT req, producer, epoch, seq, at, line FROM journal_open_intent"));
  for (const store::Row& row : intents)
    fresh.open.emplace(row.text(0), OpenIntent{row.text(0),
                                               row.text(1),
                                               unstored(row.integer(2)),
                                               unstored(row.integer(3)),
                                               {row.integer(4)},
                                               row.text(5)});
  TRY(const auto ranges, tx.query("SELECT first, count, producer, epoch, segment, offset, bytes, seq "
                                  "FROM journal_range ORDER BY first DESC LIMIT 1"));
  if (!ranges.empty()) fresh.last_range = read_range(ranges[0]);
  TRY(fresh.due, due_alerts(tx));
  *this = std::move(fresh);
  return {};
}

Result<std::vector<journal::Range>> ranges_from(store::Tx& tx, std::uint64_t leaf, std::size_t limit) {
  // The one that holds `leaf` may begin before it; `first` is the key, so both ends are found at once.
  TRY(const auto rows,
      tx.query("SELECT first, count, producer, epoch, segment, offset, bytes, seq FROM journal_range "
               "WHERE first >= COALESCE((SELECT MAX(first) FROM journal_range WHERE first <= ?1), 0) "
               "AND first + count > ?1 ORDER BY first LIMIT ?2",
               {stored(leaf), static_cast<std::int64_t>(limit)}));
  std::vector<journal::Range> ranges;
  for (const store::Row& row : rows) ranges.push_back(read_range(row));
  return ranges;
}

}  // namespace claviger::steward
