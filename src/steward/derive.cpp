// The deriver's loop: batches, alerts, presumed holds, publishing.
#include "steward/derive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "base/check.hpp"
#include "crypto/wipe.hpp"
#include "ledger/ledger.hpp"
#include "steward/derive_audit.hpp"
#include "steward/derive_batch.hpp"
#include "steward/derive_state.hpp"
#include "store/store.hpp"

namespace claviger::steward {
namespace {

constexpr std::int64_t kPublishNs = 1'000'000'000;

enum class Until : std::uint8_t { end, pause };

}  // namespace

struct Deriver::Inside {
  store::Store& store;
  ledger::Ledger& ledger;
  Folder& journal;
  const Clock& clock;
  journal::Writer& writer;
  const std::size_t batch_lines;
  AuditFiles audit;
  DeriveState state;
  bool known = false;                 // `state` is what the store holds
  std::deque<journal::Range> replay;  // to be derived in this order first
  std::vector<CredentialLimit> watched;
  journal::Parser parser;
  std::set<std::string> raised;  // alerts written to the journal by this process
  std::int64_t published_at = 0;
  Status status;

  Result<void> load();
  Result<bool> fill(DeriveBatch& batch);
  Result<bool> fill_replay(DeriveBatch& batch);
  Result<bool> fill_new(DeriveBatch& batch);
  Result<void> sync_segments(const DeriveBatch& batch);
  Result<std::size_t> derive_one();
  Result<std::size_t> derive_until(Until until);
  Result<std::size_t> catch_up(Until until);
  bool raise_due();
  Result<void> look_for_due();
  Result<void> presume();
  Result<void> note_shortened();
};

Result<std::uint64_t> next_epoch(store::Store& store, Folder& journal) {
  TRY(const std::uint64_t on_file, journal::highest_epoch(journal));
  std::uint64_t epoch = 0;
  TRY_VOID(store.write([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT epoch FROM journal_epoch WHERE id = 1"));
    const std::uint64_t known = rows.empty() ? 0 : unstored(rows[0].integer(0));
    epoch = std::max(known, on_file) + 1;
    TRY_VOID(
        tx.run("INSERT INTO journal_epoch (id, epoch) VALUES (1, ?1) "
               "ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch",
               {stored(epoch)}));
    return {};
  }));
  return epoch;
}

Result<void> Deriver::Inside::load() {
  if (known) return {};
  TRY_VOID(store.read([&](store::Tx& tx) { return state.load(tx); }));
  TRY(const std::vector<journal::Range> ahead, audit.ahead(state.tree.size()));
  replay.assign(ahead.begin(), ahead.end());
  known = true;
  return {};
}

// Takes the rest of the range the tree stands in. False when there is nothing to take again.
Result<bool> Deriver::Inside::fill_replay(DeriveBatch& batch) {
  while (!replay.empty() && replay.front().first + replay.front().count <= batch.tree().size())
    replay.pop_front();
  if (replay.empty()) return false;
  const journal::Range& range = replay.front();
  const auto bad = [&] {
    return fail(Code::corrupt, fmt::format("audit/ranges.jsonl leads to leaf {} in {}, where it cannot be",
                                           batch.tree().size(), journal::name_of(range.segment)));
  };
  if (range.first > batch.tree().size()) return bad();
  // Where the range goes on is where its producer was read to, or its beginning.
  const auto position = state.positions.find(range.segment.producer);
  const bool inside = range.first < batch.tree().size();
  const bool here = position != state.positions.end() && position->second.epoch == range.segment.epoch &&
                    position->second.segment == range.segment.number;
  const std::uint64_t offset = here ? position->second.offset : 0;
  if (inside ? !here : offset != range.offset) return bad();
  const std::uint64_t end = range.first + range.count;
  TRY(const std::uint64_t read,
      journal::read_lines(journal, range.segment, offset, [&](const journal::Line& line) {
        batch.add(line);
        const bool enough = batch.tree().size() == end || batch.lines() >= batch_lines;
        return enough ? journal::Next::enough : journal::Next::more;
      }));
  static_cast<void>(read);
  if (batch.lines() == 0) return bad();
  const auto& published = audit.published();
  if (published && batch.tree().size() == published->size && batch.tree().root() != published->root)
    return fail(Code::corrupt, "the journal no longer gives the root of its own checkpoint");
  return true;
}

// Takes new lines: older epochs of all producers before newer ones, each producer in its order.
Result<bool> Deriver::Inside::fill_new(DeriveBatch& batch) {
  // Listed before reading: a segment with a successor in the list gets no more lines.
  TRY(std::vector<journal::Segment> all, journal::segments(journal));
  std::ranges::sort(all, {},
                    [](const journal::Segment& s) { return std::tie(s.epoch, s.producer, s.number); });
  for (const journal::Segment& segment : all) {
    if (batch.lines() >= batch_lines) break;
    const auto position = batch.positions().find(segment.producer);
    std::uint64_t offset = 0;
    if (position != batch.positions().end()) {
      const auto& [producer, epoch, number, read, seq] = position->second;
      if (std::pair(epoch, number) > std::pair(segment.epoch, segment.number)) continue;
      if (epoch == segment.epoch && number == segment.number) offset = read;
    }
    TRY_VOID(journal::read_lines(journal, segment, offset, [&](const journal::Line& line) {
      batch.add(line);
      return batch.lines() >= batch_lines ? journal::Next::enough : journal::Next::more;
    }));
  }
  return batch.lines() > 0;
}

Result<bool> Deriver::Inside::fill(DeriveBatch& batch) {
  TRY(const bool again, fill_replay(batch));
  if (again) return true;
  return fill_new(batch);
}

// Lines are on disk before the store says that they are derived: a power failure must not leave it ahead of
// them.
Result<void> Deriver::Inside::sync_segments(const DeriveBatch& batch) {
  std::set<std::string> names;
  for (const journal::Range& range : batch.ranges()) names.insert(journal::name_of(range.segment));
  for (const std::string& name : names) {
    TRY(const std::unique_ptr<File> file, journal.open_append(name));
    TRY_VOID(file->sync());
  }
  return {};
}

Result<std::size_t> Deriver::Inside::derive_one() {
  TRY_VOID(load());
  DeriveBatch batch(state, parser, clock.now());
  TRY(const bool any, fill(batch));
  if (!any) return 0;
  TRY_VOID(sync_segments(batch));
  const Result<void> written =
      store.write([&](store::Tx& tx) { return batch.apply(tx, ledger, watched, audit.ranges_end()); });
  if (!written) {
    known = false;  // whether it was committed is not known: read what the store holds
    return std::unexpected(written.error());
  }
  const std::uint64_t first = state.tree.size();
  const std::vector<Digest> leaves = batch.leaves();
  status.damaged_lines += batch.damaged();
  status.sequence_breaks += batch.breaks();
  status.last_time = std::max(status.last_time, batch.last_time());
  std::move(batch).move_into(state);
  audit.add(first, leaves);
  // Files come after the commit and are made again from it: trouble with them is told by publish().
  static_cast<void>(audit.write_full_tiles());
  return leaves.size();
}

// Under load there are always some new lines: `pause` leaves those that came during the last batch to the
// next call, for a batch costs a sync and a transaction however short it is.
Result<std::size_t> Deriver::Inside::derive_until(Until until) {
  std::size_t total = 0;
  for (;;) {
    TRY(const std::size_t lines, derive_one());
    total += lines;
    if (lines == 0) return total;
    if (until == Until::pause && lines < batch_lines && replay.empty()) return total;
  }
}

Result<std::size_t> Deriver::Inside::catch_up(Until until) {
  std::size_t total = 0;
  for (;;) {
    // A full disk stops the steward's own lines, not the derivation of what others could still write.
    const Result<void> flushed = writer.flush();
    TRY(const std::size_t lines, derive_until(until));
    total += lines;
    if (!flushed) return std::unexpected(flushed.error());
    if (!raise_due()) return total;
  }
}

// Writes the due alerts that this process has not written yet; true when there were some.
bool Deriver::Inside::raise_due() {
  bool any = false;
  for (const DueAlert& due : state.due) {
    if (!raised.insert(due.identity()).second) continue;
    writer.append(due.record());
    any = true;
  }
  return any;
}

// Alerts that others have noted since the last batch: where nobody calls, no line would bring them up.
Result<void> Deriver::Inside::look_for_due() {
  TRY_VOID(load());
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(state.due, due_alerts(tx));
    return {};
  }));
  raise_due();
  return {};
}

// Writes a receipt at the hold for every intent of an older epoch. Only behind a catch_up() that succeeded:
// one written before, and not derived for want of disk or store, would come again.
Result<void> Deriver::Inside::presume() {
  for (const auto& [req, open] : state.open) {
    if (open.epoch >= writer.epoch()) continue;
    TRY(const journal::Record record, parser.parse(open.line));
    const auto* intent = std::get_if<journal::Intent>(&record.body);
    if (intent == nullptr) return fail(Code::corrupt, "an open intent is no intent");
    journal::Receipt receipt;
    receipt.at = clock.now();
    receipt.req = intent->req;
    receipt.intent_at = intent->at;
    receipt.intent_epoch = open.epoch;
    receipt.key = intent->key;
    receipt.team = intent->team;
    receipt.project = intent->project;
    receipt.environment = intent->environment;
    receipt.lineage = intent->lineage;
    receipt.provider = intent->provider;
    receipt.route = intent->route;
    receipt.endpoint = intent->route;
    receipt.model = intent->model;
    receipt.credential = intent->credential;
    receipt.credential_version = intent->credential_version;
    receipt.outcome = journal::Outcome::presumed;
    receipt.cost_nanousd = intent->hold_nanousd;
    receipt.hold_nanousd = intent->hold_nanousd;
    receipt.estimated = true;
    receipt.presumed = true;
    writer.append(receipt);
    ++status.presumed;
  }
  return {};
}

// A file that is shorter than what was read of it has lost lines that count already.
Result<void> Deriver::Inside::note_shortened() {
  TRY_VOID(load());
  std::vector<DueAlert> found;
  for (const auto& [producer, p] : state.positions) {
    const std::string name = journal::segment_name(producer, p.epoch, p.segment);
    const Result<std::uint64_t> size = journal.size(name);
    if (!size && size.error().code != Code::not_found) return std::unexpected(size.error());
    if (size.value_or(0) < p.offset)
      found.push_back(damage_alert(name, "it is shorter than what was derived from it", clock.now()));
  }
  if (!audit.finding().empty())
    found.push_back(damage_alert("audit/checkpoint", audit.finding(), clock.now()));
  if (found.empty()) return {};
  known = false;
  TRY_VOID(store.write([&](store::Tx& tx) -> Result<void> {
    for (const DueAlert& due : found) TRY_VOID(note_due(tx, due));
    return {};
  }));
  return load();
}

Deriver::Deriver(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Deriver::~Deriver() = default;

Result<std::unique_ptr<Deriver>> Deriver::open(store::Store& store, ledger::Ledger& ledger, Folder& journal,
                                               Folder& audit, const Clock& clock, journal::Writer& writer,
                                               DeriverOptions options) {
  check(options.batch_lines > 0, "a batch has lines");
  crypto::SigningKey key = crypto::SigningKey::from_seed(options.sign_seed);
  crypto::wipe(options.sign_seed);
  std::unique_ptr<Inside> inside(new Inside{store,
                                            ledger,
                                            journal,
                                            clock,
                                            writer,
                                            options.batch_lines,
                                            AuditFiles(store, journal, audit, std::move(key), options.origin),
                                            {},
                                            false,
                                            {},
                                            {},
                                            {},
                                            {},
                                            0,
                                            {}});
  TRY_VOID(inside->audit.open());
  TRY_VOID(inside->load());
  return std::unique_ptr<Deriver>(new Deriver(std::move(inside)));
}

Result<void> Deriver::recover() {
  Inside& d = *inside_;
  TRY(const std::vector<journal::TornTail> cut, journal::cut_torn_tails(d.journal, d.writer.epoch()));
  for (const journal::TornTail& tail : cut) {
    const std::string subject = journal::name_of(tail.segment);
    const std::string detail =
        fmt::format("{} bytes from byte {} were a line torn by a crash", tail.bytes, tail.offset);
    journal::Admin record;
    record.at = d.clock.now();
    record.actor = "steward";
    record.action = "journal.cut";
    record.subject = subject;
    record.detail = detail;
    d.writer.append(record);
  }
  TRY_VOID(d.note_shortened());
  TRY_VOID(catch_up());
  TRY_VOID(d.presume());
  TRY_VOID(catch_up());
  return publish();
}

Result<std::size_t> Deriver::catch_up() { return inside_->catch_up(Until::end); }

void Deriver::watch_credentials(std::vector<CredentialLimit> limits) { inside_->watched = std::move(limits); }

Result<void> Deriver::publish() {
  Inside& d = *inside_;
  TRY_VOID(d.load());
  if (!d.replay.empty() && d.replay.back().first + d.replay.back().count > d.state.tree.size())
    return fail(Code::conflict, "the lines of the last checkpoint have to be derived first");
  TRY_VOID(d.audit.publish(d.state.tree.size(), d.state.tree.root()));
  d.published_at = d.clock.monotonic_ns();
  return {};
}

Result<void> Deriver::tick() {
  TRY_VOID(inside_->catch_up(Until::pause));
  if (inside_->clock.monotonic_ns() - inside_->published_at < kPublishNs) return {};
  TRY_VOID(inside_->look_for_due());
  return publish();
}

Result<VersionUse> Deriver::use_of(std::string_view credential, std::int64_t version) {
  Inside& d = *inside_;
  TRY_VOID(d.load());
  VersionUse use;
  for (const auto& [req, open] : d.state.open) {
    // A line that cannot be read may be one of it: better late than cut.
    const auto record = d.parser.parse(open.line);
    const auto* intent = record ? std::get_if<journal::Intent>(&record->body) : nullptr;
    if (intent == nullptr || (intent->credential == credential && intent->credential_version == version))
      ++use.open;
  }
  TRY_VOID(d.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT last_used FROM credential_use WHERE credential = ?1 AND version = ?2",
                 {store::value(credential), version}));
    if (!rows.empty()) use.last_used = Time{rows[0].integer(0)};
    return {};
  }));
  return use;
}

Status Deriver::status() {
  Inside& d = *inside_;
  Status status = d.status;
  status.lines = d.state.tree.size();
  status.open_intents = d.state.open.size();
  status.published_size = d.audit.published() ? d.audit.published()->size : 0;
  const Result<std::vector<journal::Segment>> all = journal::segments(d.journal);
  for (const journal::Segment& segment : all ? *all : std::vector<journal::Segment>{}) {
    const auto position = d.state.positions.find(segment.producer);
    std::uint64_t read = 0;
    if (position != d.state.positions.end()) {
      const journal::Position& p = position->second;
      if (std::pair(p.epoch, p.segment) > std::pair(segment.epoch, segment.number)) continue;
      if (p.epoch == segment.epoch && p.segment == segment.number) read = p.offset;
    }
    const std::uint64_t size = d.journal.size(journal::name_of(segment)).value_or(0);
    status.pending_bytes += size > read ? size - read : 0;
  }
  if (status.pending_bytes > 0) status.lag = d.clock.now() - status.last_time;
  return status;
}

}  // namespace claviger::steward
