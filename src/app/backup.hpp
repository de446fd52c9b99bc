// A data directory in one file, and back: a plain tar archive that anybody's tools can look into.
//
// It holds MANIFEST.json first (when and by which version it was made, the tree the journal stood at), then
// version, claviger.db (one consistent picture), audit/ and journal/ (whole lines), then SHA256SUMS over all
// of them. What is sealed stays sealed, and the root key is not in it: keep that apart. Taken in this order
// the journal knows at least what the store and the proof know, so a start from it goes on as after a crash.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace claviger::app {

struct Backup {
  std::string file;  // the archive
  Time made;
  std::uint64_t bytes = 0;      // of the archive
  std::uint64_t files = 0;      // in it
  std::uint64_t tree_size = 0;  // lines under the signed checkpoint
  std::string root;             // its root, base64; empty when there is no checkpoint yet
};

// Needs no root key, and no lock: a server may go on meanwhile. `output` is made anew (mode 0600) as one
// step; already_exists rather than overwritten.
Result<Backup> back_up(const std::string& data, const std::string& output, const Clock& clock);

struct RestoreOptions {
  std::string input;
  std::string data;        // must not exist, or be empty
  std::string checkpoint;  // text of a checkpoint kept elsewhere, which the backup must reach; empty: none
  std::string public_key;  // verifier key it must be signed with; empty: the backup's own
};
// Checks every sum and the journal's proof before anything stands at `data`. `corrupt` names the file that is
// damaged, or what the journal's proof lacks; conflict when the backup is older than `checkpoint`, which a
// rollback is. The next start puts the restoring on record.
Result<Backup> restore(const RestoreOptions& options, const Clock& clock);

// What restore() left for the next start to put on record: text, or empty. In the data directory.
inline constexpr std::string_view kRestoredMark = "restored";

}  // namespace claviger::app
