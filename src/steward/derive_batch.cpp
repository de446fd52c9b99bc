// From lines to rows.
#include "steward/derive_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "identity/key.hpp"

namespace claviger::steward {
namespace {

constexpr std::size_t kLinesATurn = 16;

// Start of the UTC calendar month.
Time month_of(Time time) {
  using namespace std::chrono;
  const auto day = floor<days>(sys_time<nanoseconds>(nanoseconds(time.ns)));
  const year_month_day date{day};
  return {duration_cast<nanoseconds>(sys_days(date.year() / date.month() / 1).time_since_epoch()).count()};
}

}  // namespace

void DeriveBatch::place(const journal::Line& line, journal::Position& position) {
  const std::uint64_t bytes = line.text.size() + 1;
  if (position.epoch != line.segment.epoch) {
    position = {line.segment.producer, line.segment.epoch, line.segment.number, 0, 1};
  } else if (position.segment != line.segment.number) {
    position.segment = line.segment.number;
    position.offset = 0;
  }
  const bool follows = !ranges_.empty() && ranges_.back().segment == line.segment &&
                       ranges_.back().offset + ranges_.back().bytes == line.offset;
  if (!follows) ranges_.push_back({tree_.size(), 0, line.segment, line.offset, 0, position.next_seq});
  ++ranges_.back().count;
  ranges_.back().bytes += bytes;
  position.offset = line.offset + bytes;
  moved_.insert(position.producer);
}

void DeriveBatch::damage(const journal::Line& line, std::string_view what) {
  const std::string name = journal::name_of(line.segment);
  damages_.try_emplace(name, damage_alert(name, fmt::format("byte {}: {}", line.offset, what), now_));
}

void DeriveBatch::add(const journal::Line& line) {
  // A lane that wakes on this thread's processor would wait for the end of its turn, which is milliseconds.
  if (leaves_.size() % kLinesATurn == 0) std::this_thread::yield();
  journal::Position& position = positions_[line.segment.producer];
  place(line, position);
  const Digest leaf = crypto::merkle_leaf(as_bytes(line.text));
  leaves_.push_back(leaf);
  tree_.append(leaf);

  const Result<journal::Record> record = parser_.parse(line.text);
  const bool own = record && record->envelope.producer == line.segment.producer &&
                   record->envelope.epoch == line.segment.epoch;
  if (!own || record->envelope.seq < position.next_seq) {
    // It stays in the tree as it stands, but nothing is counted from it: a line seen before must not cost
    // twice.
    ++damaged_;
    if (!record) ++position.next_seq;
    return damage(line, record ? "a line that does not belong here" : record.error().detail);
  }
  const journal::Envelope& envelope = record->envelope;
  if (envelope.seq != position.next_seq) {
    ++breaks_;
    damage(line, fmt::format("n is {} where {} was due", envelope.seq, position.next_seq));
  }
  position.next_seq = envelope.seq + 1;
  last_time_ = std::max(last_time_, envelope.at);
  if (const auto* intent = std::get_if<journal::Intent>(&record->body)) {
    take(*intent, line, envelope.seq);
  } else if (const auto* receipt = std::get_if<journal::Receipt>(&record->body)) {
    take(*receipt, envelope);
  } else if (const auto* refusal = std::get_if<journal::Refusal>(&record->body)) {
    usage_.add(*refusal);
  } else if (const auto* alert = std::get_if<journal::Alert>(&record->body)) {
    raised_.push_back({alert->at, std::string(alert->kind), std::string(alert->subject),
                       std::string(alert->budget), alert->window_start, alert->threshold,
                       alert->amount_nanousd, alert->limit_nanousd, std::string(alert->message)});
  }
}

std::string_view DeriveBatch::keep(std::string_view text) {
  char* place = static_cast<char*>(arena_.allocate(text.size(), 1));
  std::copy(text.begin(), text.end(), place);
  return {place, text.size()};
}

void DeriveBatch::take(const journal::Intent& intent, const journal::Line& line, std::uint64_t seq) {
  const std::string_view producer = positions_.find(line.segment.producer)->first;
  opened_.emplace(keep(intent.req), Opened{producer, line.segment.epoch, seq, intent.at, keep(line.text)});
  if (intent.credential.empty()) return;
  auto used = used_.find({intent.credential, intent.credential_version});
  if (used == used_.end())
    used = used_.emplace(std::pair(keep(intent.credential), intent.credential_version), intent.at).first;
  used->second = std::max(used->second, intent.at);
}

void DeriveBatch::take(const journal::Receipt& receipt, const journal::Envelope& envelope) {
  usage_.add(receipt);
  const std::uint64_t epoch = receipt.intent_epoch > 0 ? receipt.intent_epoch : envelope.epoch;
  std::vector<std::string> above;
  for (const std::string_view id : identity::Lineage(receipt.lineage)) above.emplace_back(id);
  posted_.push_back(
      {{std::string(receipt.team), std::string(receipt.project), std::string(receipt.key), std::move(above)},
       receipt.intent_at,
       receipt.cost_nanousd,
       epoch,
       receipt.hold_nanousd});
  if (!receipt.credential.empty() && !credentials_.contains(receipt.credential))
    credentials_.emplace(receipt.credential);
  close_intent(receipt);
}

void DeriveBatch::close_intent(const journal::Receipt& receipt) {
  const auto is_it = [&](const auto& entry) { return entry.second.at == receipt.intent_at; };
  const auto here = opened_.equal_range(receipt.req);
  if (const auto found = std::find_if(here.first, here.second, is_it); found != here.second) {
    opened_.erase(found);
    return;
  }
  const auto before = state_.open.equal_range(std::string(receipt.req));
  for (auto it = before.first; it != before.second; ++it) {
    if (!is_it(*it) || closed_.contains(id_of(it->second))) continue;
    closed_.insert(id_of(it->second));
    return;
  }
}

Result<void> DeriveBatch::apply(store::Tx& tx, ledger::Ledger& ledger,
                                const std::vector<CredentialLimit>& watched, std::uint64_t published) {
  TRY_VOID(apply_tree(tx));
  std::vector<ledger::Crossing> crossed;
  // Before the usage: a window made on demand starts with the sum of what is in the table.
  TRY_VOID(ledger.apply(tx, posted_, &crossed));
  TRY_VOID(usage_.apply(tx));
  TRY_VOID(apply_alerts(tx, crossed, watched));
  TRY_VOID(apply_intents(tx));
  TRY_VOID(apply_uses(tx));
  TRY_VOID(apply_ranges(tx, published));
  for (const std::string& producer : moved_) {
    const journal::Position& p = positions_.at(producer);
    TRY_VOID(
        tx.run("INSERT INTO journal_position (producer, epoch, segment, offset, next_seq) "
               "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (producer) DO UPDATE SET epoch = excluded.epoch, "
               "segment = excluded.segment, offset = excluded.offset, next_seq = excluded.next_seq",
               {producer, stored(p.epoch), static_cast<std::int64_t>(p.segment), stored(p.offset),
                stored(p.next_seq)}));
  }
  TRY(due_after_, due_alerts(tx));
  return {};
}

Result<void> DeriveBatch::apply_tree(store::Tx& tx) const {
  std::string edge;
  for (const Digest& hash : tree_.edge()) edge += as_text(hash);
  TRY(const std::int64_t changed,
      tx.run("UPDATE journal_tree SET size = ?1, edge = ?2 WHERE id = 1 AND size = ?3",
             {stored(tree_.size()), store::value(as_bytes(edge)), stored(state_.tree.size())}));
  // A commit whose failure was reported may have happened all the same; then these lines are derived already.
  if (changed != 1) return fail(Code::conflict, "the store has derived further than was known");
  return {};
}

Result<void> DeriveBatch::apply_ranges(store::Tx& tx, std::uint64_t published) {
  last_range_after_ = state_.last_range;
  for (const journal::Range& range : ranges_) {
    std::optional<journal::Range>& last = last_range_after_;
    if (last && last->first >= published && last->segment == range.segment &&
        last->offset + last->bytes == range.offset) {
      last->count += range.count;
      last->bytes += range.bytes;
      TRY_VOID(tx.run("UPDATE journal_range SET count = ?2, bytes = ?3 WHERE first = ?1",
                      {stored(last->first), stored(last->count), stored(last->bytes)}));
      continue;
    }
    last = range;
    TRY_VOID(
        tx.run("INSERT INTO journal_range (first, count, producer, epoch, segment, offset, bytes, seq) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
               {stored(range.first), stored(range.count), range.segment.producer, stored(range.segment.epoch),
                static_cast<std::int64_t>(range.segment.number), stored(range.offset), stored(range.bytes),
                stored(range.seq)}));
  }
  return {};
}

Result<void> DeriveBatch::apply_intents(store::Tx& tx) const {
  for (const LineId& id : closed_)
    TRY_VOID(tx.run("DELETE FROM journal_open_intent WHERE producer = ?1 AND epoch = ?2 AND seq = ?3",
                    {id.producer, stored(id.epoch), stored(id.seq)}));
  for (const auto& [req, intent] : opened_)
    TRY_VOID(
        tx.run("INSERT INTO journal_open_intent (producer, epoch, seq, req, at, line) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
               {store::value(intent.producer), stored(intent.epoch), stored(intent.seq), store::value(req),
                intent.at.ns, store::value(intent.line)}));
  return {};
}

Result<void> DeriveBatch::apply_uses(store::Tx& tx) const {
  for (const auto& [which, at] : used_)
    TRY_VOID(tx.run(
        "INSERT INTO credential_use (credential, version, last_used) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (credential, version) DO UPDATE SET last_used = max(last_used, excluded.last_used)",
        {store::value(which.first), which.second, at.ns}));
  return {};
}

Result<void> DeriveBatch::apply_alerts(store::Tx& tx, const std::vector<ledger::Crossing>& crossed,
                                       const std::vector<CredentialLimit>& watched) const {
  for (const DueAlert& alert : raised_) TRY_VOID(raise_alert(tx, alert.record()));
  for (const ledger::Crossing& crossing : crossed) TRY_VOID(note_due(tx, budget_alert(crossing, now_)));
  for (const auto& [segment, due] : damages_) TRY_VOID(note_due(tx, due));
  for (const CredentialLimit& limit : watched) {
    if (!credentials_.contains(limit.credential)) continue;
    const Time month = month_of(now_);
    TRY(const auto rows, tx.query("SELECT COALESCE(SUM(cost_nanousd), 0) FROM usage_credential "
                                  "WHERE credential = ?1 AND hour >= ?2",
                                  {limit.credential, month.ns / 1'000'000'000}));
    const Nanousd spent{rows.at(0).integer(0)};
    if (spent >= limit.spend_alert)
      TRY_VOID(note_due(tx, credential_alert(limit.credential, month, spent, limit.spend_alert, now_)));
  }
  return {};
}

void DeriveBatch::move_into(DeriveState& state) && {
  for (auto it = state.open.begin(); it != state.open.end() && !closed_.empty();) {
    if (closed_.erase(id_of(it->second)) > 0) {
      it = state.open.erase(it);
    } else {
      ++it;
    }
  }
  for (const auto& [req, intent] : opened_)
    state.open.emplace(std::string(req),
                       OpenIntent{std::string(req), std::string(intent.producer), intent.epoch, intent.seq,
                                  intent.at, std::string(intent.line)});
  state.tree = std::move(tree_);
  state.positions = std::move(positions_);
  state.last_range = std::move(last_range_after_);
  state.due = std::move(due_after_);
}

}  // namespace claviger::steward
