// Ranges before tiles before the checkpoint that needs them both.
#include "steward/derive_audit.hpp"

#include <fmt/format.h>

#include "crypto/merkle.hpp"
#include "steward/derive_state.hpp"

namespace claviger::steward {
namespace {

constexpr std::size_t kRangesAtOnce = 1'000;
constexpr std::size_t kTilesWaiting = 1'000;  // 8 KiB each

}  // namespace

Result<void> AuditFiles::open() {
  const std::string key_text = journal::write_verifier_key(origin_, key_.public_key());
  const Result<std::string> there = audit_.read(journal::kPublicKeyFile, 0, key_text.size() + 1);
  if (!there || *there != key_text) TRY_VOID(audit_.replace(journal::kPublicKeyFile, key_text, Sync::yes));
  TRY_VOID(open_ranges());
  TRY_VOID(open_checkpoint());
  // The tiles go on from the checkpoint when they give its root, and else from nothing.
  tiles_ = {};
  if (published_) {
    Result<journal::Tiles> loaded = journal::Tiles::load(audit_, published_->size);
    if (loaded && loaded->root() == published_->root) tiles_ = std::move(*loaded);
  }
  return {};
}

Result<void> AuditFiles::open_checkpoint() {
  published_.reset();
  constexpr std::size_t kBound = 64 * 1024;
  const Result<std::string> note = audit_.read(journal::kCheckpointFile, 0, kBound);
  if (!note && note.error().code == Code::not_found) return {};
  if (!note) return std::unexpected(note.error());
  Result<journal::Checkpoint> checkpoint = journal::read_checkpoint(*note);
  if (!checkpoint || !journal::is_signed_by(*note, {origin_, key_.public_key()})) {
    finding_ = fmt::format("the checkpoint was not signed by this installation; it said: {}", *note);
    return {};
  }
  published_ = std::move(*checkpoint);
  return {};
}

Result<void> AuditFiles::open_ranges() {
  ranges_end_ = 0;
  ranges_bytes_ = 0;
  const Result<std::uint64_t> size = audit_.size(journal::kRangesFile);
  if (!size && size.error().code == Code::not_found) return {};
  if (!size) return std::unexpected(size.error());
  TRY(const std::uint64_t end, journal::read_ranges(audit_, 0, [&](const journal::Range& range) {
        ranges_end_ = range.first + range.count;
        return journal::Next::more;
      }));
  ranges_bytes_ = end;
  if (end == *size) return {};
  TRY(const std::unique_ptr<File> file, audit_.open_append(journal::kRangesFile));
  return file->truncate(end);  // a line that a crash tore
}

Result<std::vector<journal::Range>> AuditFiles::ahead(std::uint64_t derived) const {
  std::vector<journal::Range> ranges;
  if (ranges_end_ <= derived) return ranges;
  TRY(const std::uint64_t end, journal::read_ranges(audit_, 0, [&](const journal::Range& range) {
        if (range.first + range.count > derived) ranges.push_back(range);
        return journal::Next::more;
      }));
  static_cast<void>(end);
  return ranges;
}

void AuditFiles::add(std::uint64_t first, const std::vector<Digest>& leaves) {
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (first + i == tiles_.size()) tiles_.append(leaves[i]);
}

Result<void> AuditFiles::write_full_tiles() {
  if (tiles_.waiting() < kTilesWaiting) return {};
  return tiles_.write_full(audit_);
}

// Brings the tiles up to the derived size from the journal, where a restart or a failed write left them
// behind.
Result<void> AuditFiles::fill_tiles(std::uint64_t size) {
  while (tiles_.size() < size) {
    std::vector<journal::Range> ranges;
    TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
      TRY(ranges, ranges_from(tx, tiles_.size(), kRangesAtOnce));
      return {};
    }));
    if (ranges.empty()) return fail(Code::corrupt, "the tree has leaves that no range leads to");
    for (const journal::Range& range : ranges) {
      std::uint64_t index = range.first;
      TRY_VOID(journal::read_range_lines(journal_, range, [&](std::string_view line) {
        if (index++ == tiles_.size()) tiles_.append(crypto::merkle_leaf(as_bytes(line)));
      }));
      if (index != tiles_.size())
        return fail(Code::corrupt, "the ranges of the tree do not follow each other");
      TRY_VOID(write_full_tiles());
      if (published_ && published_->size == tiles_.size() && tiles_.root() != published_->root)
        return fail(Code::corrupt, "the journal no longer gives the root of its own checkpoint");
    }
  }
  return {};
}

Result<void> AuditFiles::publish_ranges(std::uint64_t size) {
  std::string text;
  std::uint64_t end = ranges_end_;
  while (end < size) {
    std::vector<journal::Range> ranges;
    TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
      TRY(ranges, ranges_from(tx, end, kRangesAtOnce));
      return {};
    }));
    if (ranges.empty() || ranges.front().first != end)
      return fail(Code::corrupt, "the store's ranges do not follow those of ranges.jsonl");
    for (const journal::Range& range : ranges) journal::append_range(text, range);
    end = ranges.back().first + ranges.back().count;
  }
  if (text.empty()) return {};
  TRY(const std::unique_ptr<File> file, audit_.open_append(journal::kRangesFile));
  TRY(const std::uint64_t there, audit_.size(journal::kRangesFile));
  if (there != ranges_bytes_) TRY_VOID(file->truncate(ranges_bytes_));  // what an append that failed left
  TRY_VOID(file->append(text));
  TRY_VOID(file->sync());
  ranges_end_ = end;
  ranges_bytes_ += text.size();
  return {};
}

Result<void> AuditFiles::publish(std::uint64_t size, const Digest& root) {
  if (published_ && published_->size == size && published_->root == root) return {};
  TRY_VOID(publish_ranges(size));
  TRY_VOID(fill_tiles(size));
  if (tiles_.root() != root) {
    tiles_ = {};  // damaged files: from the journal itself, whose lines decide
    TRY_VOID(fill_tiles(size));
    if (tiles_.root() != root) return fail(Code::corrupt, "the journal no longer gives the root of its tree");
  }
  TRY_VOID(tiles_.write(audit_));
  journal::Checkpoint checkpoint{origin_, size, root};
  TRY_VOID(audit_.replace(journal::kCheckpointFile, journal::sign_checkpoint(checkpoint, key_), Sync::yes));
  tiles_.remove_old(audit_);
  published_ = std::move(checkpoint);
  return {};
}

}  // namespace claviger::steward
