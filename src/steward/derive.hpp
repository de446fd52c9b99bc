// Derives usage, settled money, alerts and the audit tree from the journal, each line exactly once.
//
// One transaction per batch holds what was derived, the read position of every producer, the tree's edge and
// the ranges (which line is which leaf). A crash before its commit derives the batch again, one after it does
// not. Tiles, ranges.jsonl and checkpoint under DIR/audit come after the commit and are made again from the
// ranges.
//
// Start of the program, in this order, holding the data directory's lock:
//   1. epoch = next_epoch(store, journal folder)
//   2. journal::Writer::open(folder, "steward", epoch, ...)
//   3. Deriver::open, then recover(): cuts torn tails of older epochs, derives to the end, writes a
//   `presumed`
//      receipt at its hold for every intent of an older epoch without one (into the steward's own journal, so
//      that the journal stays the one source), derives these
//   4. Ledger::recover(tx, epoch): closes the leases of older epochs; the settled sums now cover them
//   5. the gate's writers open the same epoch and the listener opens
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/money.hpp"
#include "journal/writer.hpp"

namespace claviger::ledger {
class Ledger;
}
namespace claviger::store {
class Store;
}  // namespace claviger::store

namespace claviger::steward {

// Tables journal_epoch, journal_position, journal_open_intent, journal_range, journal_tree, credential_use;
// with kUsageSchema and kAlertSchema.
extern const std::string_view kDeriveSchema;

// Takes the next epoch and remembers it in the store, so that none is used twice even when no line was
// written.
Result<std::uint64_t> next_epoch(store::Store& store, Folder& journal);

// A credential whose spend in the UTC calendar month is to raise an alert (Credential::spend_alert).
struct CredentialLimit {
  std::string credential;  // id
  Nanousd spend_alert;
};

struct Status {
  std::uint64_t lines = 0;            // derived since the beginning; the tree's size
  Time last_time;                     // `at` of the newest line derived
  std::chrono::nanoseconds lag{0};    // now - last_time while lines wait, else 0
  std::uint64_t pending_bytes = 0;    // on file and not derived
  std::uint64_t open_intents = 0;     // without a receipt yet
  std::uint64_t damaged_lines = 0;    // not readable, since this start
  std::uint64_t sequence_breaks = 0;  // since this start
  std::uint64_t presumed = 0;         // receipts written by recover()
  std::uint64_t published_size = 0;   // of the last checkpoint
};

// What the journal says of one version of a credential, as far as it is derived.
struct VersionUse {
  std::uint64_t open = 0;         // requests with it that have no receipt yet
  std::optional<Time> last_used;  // when the last of all was reserved
};

struct DeriverOptions {
  std::string origin = "claviger";  // first line of the checkpoint; a scheme-less URL by custom
  Digest sign_seed{};               // Ed25519 seed, Vault::subkey("audit-sign")
  std::size_t batch_lines = limits::kDeriveBatch;
};

// Used by the steward's thread only. Everything passed in must outlive it. `writer` is the steward's own
// producer: presumed receipts and alerts go there.
class Deriver {
 public:
  static Result<std::unique_ptr<Deriver>> open(store::Store& store, ledger::Ledger& ledger, Folder& journal,
                                               Folder& audit, const Clock& clock, journal::Writer& writer,
                                               DeriverOptions options);
  ~Deriver();
  Deriver(const Deriver&) = delete;
  Deriver& operator=(const Deriver&) = delete;

  // Step 3 above. May be repeated after an error.
  Result<void> recover();
  // Derives every complete line on file, then the alerts that follow from them. Returns how many lines. An
  // error (store_unavailable, io_failed) leaves everything as it was; the next call goes on from there.
  Result<std::size_t> catch_up();
  // From the next line on these raise `credential_spend` alerts, once a month each.
  void watch_credentials(std::vector<CredentialLimit> limits);
  // Tiles, ranges.jsonl and a signed checkpoint for all that is derived. Nothing to do when none came.
  Result<void> publish();
  // catch_up(), but for lines that come while it derives: they wait for the next tick. And publish() when a
  // second has passed since the last. Every limits::kDeriveMs.
  Result<void> tick();

  Status status();
  // Nothing of it is in flight when `open` is 0 and every lane has had a World without it since before the
  // last catch_up().
  Result<VersionUse> use_of(std::string_view credential, std::int64_t version);

 private:
  struct Inside;
  explicit Deriver(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace claviger::steward
