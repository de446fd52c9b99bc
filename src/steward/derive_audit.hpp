// The files of DIR/audit, made from what the store has derived: key.pub, ranges.jsonl, tiles, checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "crypto/sign.hpp"
#include "journal/checkpoint.hpp"
#include "journal/range.hpp"
#include "journal/tiles.hpp"
#include "store/store.hpp"

namespace claviger::steward {

class AuditFiles {
 public:
  AuditFiles(store::Store& store, Folder& journal, Folder& audit, crypto::SigningKey key, std::string origin)
      : store_(store), journal_(journal), audit_(audit), key_(std::move(key)), origin_(std::move(origin)) {}

  // Reads what is there. A checkpoint that is damaged or not signed by the key is told by finding() and made
  // again.
  Result<void> open();

  // Where ranges.jsonl ends: the store's ranges from this leaf on are not in it yet.
  std::uint64_t ranges_end() const { return ranges_end_; }
  // Ranges of ranges.jsonl from leaf `derived` on. When there are some, the store is older than the files (a
  // power failure took its last commits, or it was replaced): the same lines must be derived again in the
  // same order.
  Result<std::vector<journal::Range>> ahead(std::uint64_t derived) const;
  // The checkpoint on file, as it was when opened or last published.
  const std::optional<journal::Checkpoint>& published() const { return published_; }
  const std::string& finding() const { return finding_; }

  // The leaves of a committed batch that begins at leaf `first`.
  void add(std::uint64_t first, const std::vector<Digest>& leaves);
  // Everything for a tree of this size and root. Refuses with corrupt when the lines no longer give the root.
  Result<void> publish(std::uint64_t size, const Digest& root);
  // Keeps full tiles from piling up in memory during a long derivation.
  Result<void> write_full_tiles();

 private:
  Result<void> open_checkpoint();
  Result<void> open_ranges();
  Result<void> publish_ranges(std::uint64_t size);
  Result<void> fill_tiles(std::uint64_t size);

  store::Store& store_;
  Folder& journal_;
  Folder& audit_;
  crypto::SigningKey key_;
  std::string origin_;
  std::string finding_;
  std::optional<journal::Checkpoint> published_;
  std::uint64_t ranges_end_ = 0;    // leaves that ranges.jsonl leads to
  std::uint64_t ranges_bytes_ = 0;  // and how much of the file says so
  journal::Tiles tiles_;
};

}  // namespace claviger::steward
