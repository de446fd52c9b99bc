// Messages in the store and on their way.
#include "steward/notify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "identity/token.hpp"
#include "steward/alert.hpp"

namespace claviger::steward {

const std::string_view kNotifySchema = R"(
CREATE TABLE IF NOT EXISTS notify_message (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, uid TEXT NOT NULL,
  type TEXT NOT NULL, subject TEXT NOT NULL, thread TEXT NOT NULL, severity INTEGER NOT NULL,
  over INTEGER NOT NULL, at INTEGER NOT NULL, summary TEXT NOT NULL, data TEXT NOT NULL,
  state TEXT NOT NULL, attempts INTEGER NOT NULL, next INTEGER NOT NULL, problem TEXT NOT NULL, done INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS notify_due ON notify_message (next, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS notify_state ON notify_message (state, id);
CREATE TABLE IF NOT EXISTS notify_channel (
  name TEXT PRIMARY KEY, disabled INTEGER NOT NULL, not_before INTEGER NOT NULL, problem TEXT NOT NULL,
  sent INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notify_position (
  id INTEGER PRIMARY KEY CHECK (id = 1), alert INTEGER NOT NULL
) STRICT;
)";

namespace {

const std::string kColumns =
    "SELECT id, channel, uid, type, subject, thread, severity, over, at, summary, data, state, attempts, "
    "next, "
    "problem, done FROM notify_message ";
// Of a channel the oldest that is due, unless the channel rests.
const std::string kDue =
    kColumns +
    "WHERE channel = ?1 AND state = 'waiting' AND next <= ?2 AND NOT EXISTS (SELECT 1 FROM "
    "notify_channel WHERE name = ?1 AND (disabled = 1 OR not_before > ?2)) "
    "ORDER BY next, id LIMIT 1";
const std::string kById = kColumns + "WHERE id = ?1";
const std::string kByState = kColumns + "WHERE state = ?1 ORDER BY id DESC LIMIT ?2";

MessageRow read_row(const store::Row& row) {
  MessageRow out;
  out.id = row.integer(0);
  out.channel = row.text(1);
  out.message.uid = row.text(2);
  Notice& notice = out.message.notice;
  notice.type = row.text(3);
  notice.subject = row.text(4);
  notice.thread = row.text(5);
  notice.severity = static_cast<Severity>(std::clamp<std::int64_t>(row.integer(6), 0, 2));
  notice.over = row.integer(7) != 0;
  notice.at = {row.integer(8)};
  notice.summary = row.text(9);
  notice.data = row.text(10);
  const std::string& state = row.text(11);
  out.state = state == "sent"   ? MessageState::sent
              : state == "dead" ? MessageState::dead
                                : MessageState::waiting;
  out.attempts = row.integer(12);
  out.next = {row.integer(13)};
  out.problem = row.text(14);
  if (const auto done = row.maybe_integer(15)) out.done = Time{*done};
  return out;
}

Notice notice_of(const AlertRow& alert) {
  Notice notice;
  notice.type = fmt::format("alert.{}", alert.kind);
  notice.subject = alert.subject;
  notice.thread = fmt::format("alert {} {}", alert.id, alert.subject);
  notice.severity = Severity::warning;
  notice.at = alert.at;
  notice.summary = alert.message;
  JsonWriter out(notice.data);
  out.open('{').field("alert", alert.id).field("kind", alert.kind).field("budget", alert.budget);
  out.field("threshold", alert.threshold).field("amount_nanousd", alert.amount_nanousd.value);
  out.field("limit_nanousd", alert.limit_nanousd.value).close('}');
  return notice;
}

Result<void> touch_channel(store::Tx& tx, std::string_view name) {
  TRY_VOID(tx.run("INSERT OR IGNORE INTO notify_channel VALUES (?1, 0, 0, '', 0)", {store::value(name)}));
  return {};
}

// Where messages end: of those that wait no longer the newest are kept.
Result<void> prune(store::Tx& tx) {
  TRY_VOID(
      tx.run("DELETE FROM notify_message WHERE state != 'waiting' AND id <= "
             "(SELECT max(id) FROM notify_message) - ?1",
             {limits::kNotifyKept}));
  return {};
}

}  // namespace

std::string_view name_of(MessageState state) {
  constexpr std::string_view names[] = {"waiting", "sent", "dead"};
  return names[static_cast<std::size_t>(state)];
}

const Channel* Notices::find(std::string_view name) const {
  const auto at = std::ranges::find(channels_, name, &Channel::name);
  return at == channels_.end() ? nullptr : &*at;
}

Result<void> Notices::adopt(std::vector<Channel> channels) {
  channels_ = std::move(channels);
  return parts_.store.write([&](store::Tx& tx) -> Result<void> {
    for (const Channel& channel : channels_) TRY_VOID(touch_channel(tx, channel.name));
    TRY(const auto rows, tx.query("SELECT DISTINCT channel FROM notify_message WHERE state = 'waiting'"));
    for (const store::Row& row : rows)
      if (find(row.text(0)) == nullptr)
        TRY_VOID(
            tx.run("UPDATE notify_message SET state = 'dead', problem = 'the channel is gone', done = ?2 "
                   "WHERE channel = ?1 AND state = 'waiting'",
                   {row.text(0), parts_.clock.now().ns}));
    TRY_VOID(prune(tx));
    // What was alerted before there was anybody to tell is not told afterwards.
    TRY_VOID(tx.run("INSERT OR IGNORE INTO notify_position SELECT 1, coalesce(max(id), 0) FROM alert"));
    return {};
  });
}

Result<std::int64_t> Notices::insert(store::Tx& tx, const Channel& channel, const Notice& notice) {
  const std::string uid = "msg_" + identity::fresh_id(parts_.rng) + identity::fresh_id(parts_.rng);
  TRY_VOID(
      tx.run("INSERT INTO notify_message (channel, uid, type, subject, thread, severity, over, at, summary, "
             "data, state, attempts, next, problem) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'waiting', 0, ?11, '')",
             {channel.name, uid, notice.type, notice.subject, notice.thread,
              static_cast<std::int64_t>(notice.severity), std::int64_t{notice.over}, notice.at.ns,
              notice.summary, notice.data, parts_.clock.now().ns}));
  TRY(const auto rows, tx.query("SELECT last_insert_rowid()"));
  return rows.at(0).integer(0);
}

Result<void> Notices::post(store::Tx& tx, const Notice& notice) {
  for (const Channel& channel : channels_) {
    if (!channel.wants(notice.type)) continue;
    TRY(const auto rows, tx.query("SELECT (SELECT count(*) FROM notify_message WHERE state = 'waiting'), "
                                  "(SELECT disabled FROM notify_channel WHERE name = ?1)",
                                  {channel.name}));
    TRY(const std::int64_t id, insert(tx, channel, notice));
    const bool full = rows.at(0).integer(0) >= limits::kNotifyQueue;
    const bool gone = rows.at(0).maybe_integer(1).value_or(0) != 0;
    if (!full && !gone) continue;
    TRY_VOID(
        tx.run("UPDATE notify_message SET state = 'dead', done = at, problem = ?2 WHERE id = ?1",
               {id, std::string(gone ? "the receiver said that it is gone" : "too many messages wait")}));
    TRY_VOID(prune(tx));
  }
  return {};
}

Result<std::int64_t> Notices::test(std::string_view name, const std::string& by) {
  const Channel* channel = find(name);
  if (channel == nullptr)
    return refuse(Code::not_found,
                  fmt::format("There is no channel '{}': add [[notify]] to the configuration.", name));
  Notice notice;
  notice.type = "notify.test";
  notice.subject = fmt::format("channel:{}", name);
  notice.thread = notice.subject;
  notice.over = true;
  notice.at = parts_.clock.now();
  notice.summary = fmt::format("A test of the channel {}, asked for by {}.", name, by);
  notice.data = "{}";
  std::int64_t id = 0;
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(
        tx.run("UPDATE notify_channel SET disabled = 0, not_before = 0 WHERE name = ?1", {channel->name}));
    TRY(id, insert(tx, *channel, notice));
    return {};
  }));
  TRY_VOID(tick());
  return id;
}

Result<void> Notices::take_alerts(store::Tx& tx) {
  TRY(const auto fresh, tx.query("SELECT id, at, kind, subject, budget, threshold, amount_nanousd, "
                                 "limit_nanousd, message FROM alert "
                                 "WHERE id > (SELECT alert FROM notify_position) ORDER BY id LIMIT 100"));
  for (const store::Row& row : fresh) {
    AlertRow alert;
    alert.id = row.integer(0);
    alert.at = {row.integer(1)};
    alert.kind = row.text(2);
    alert.subject = row.text(3);
    alert.budget = row.text(4);
    alert.threshold = row.integer(5);
    alert.amount_nanousd = {row.integer(6)};
    alert.limit_nanousd = {row.integer(7)};
    alert.message = row.text(8);
    TRY_VOID(post(tx, notice_of(alert)));
  }
  if (fresh.empty()) return {};
  TRY_VOID(tx.run("UPDATE notify_position SET alert = ?1", {fresh.back().integer(0)}));
  return {};
}

// Of each channel the oldest, so that a slow one takes one place only.
Result<std::vector<MessageRow>> Notices::due() {
  std::vector<MessageRow> list;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    const Time now = parts_.clock.now();
    for (const Channel& channel : channels_) {
      const bool busy =
          std::ranges::any_of(under_way_, [&](const auto& one) { return one.second == channel.name; });
      if (busy) continue;
      TRY(const auto rows, tx.query(kDue, {channel.name, now.ns}));
      if (!rows.empty()) list.push_back(read_row(rows.front()));
    }
    return {};
  }));
  return list;
}

Result<void> Notices::tick() {
  bool alerts = false;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT 1 FROM alert WHERE id > (SELECT alert FROM notify_position) LIMIT 1"));
    alerts = !rows.empty();
    return {};
  }));
  if (alerts) TRY_VOID(parts_.store.write([this](store::Tx& tx) { return take_alerts(tx); }));
  if (parts_.outside == nullptr) return {};
  TRY(const std::vector<MessageRow> rows, due());
  for (const MessageRow& row : rows) {
    if (under_way_.size() >= limits::kNotifyAtOnce) return {};
    send(row, *find(row.channel));
  }
  return {};
}

void Notices::send(const MessageRow& row, const Channel& channel) {
  under_way_.emplace(row.id, row.channel);
  const Time now = parts_.clock.now();
  if (channel.kind != ChannelKind::smtp) {
    parts_.outside->send(call_of(channel, row.message, now),
                         [this, row](Result<OutsideAnswer> answer) { delivered(row, std::move(answer)); });
    return;
  }
  parts_.mail->send(mail_of(channel, row.message, now), [this, row](Result<void> went) {
    if (went) return delivered(row, OutsideAnswer{250, {}, {}});
    delivered(row, std::unexpected(std::move(went).error()));
  });
}

// A failure to keep the outcome leaves the message waiting: it may come twice, with the same uid.
void Notices::delivered(MessageRow row, Result<OutsideAnswer> answer) {
  ++row.attempts;
  const Judgement judgement = judge(answer, row.attempts, parts_.clock.now(), parts_.rng);
  const std::int64_t id = row.id;
  (void)keep(std::move(row), judgement);
  under_way_.erase(id);
  if (judgement.fate == Judgement::Fate::sent) (void)tick();  // the channel's next one
}

Result<void> Notices::keep(MessageRow row, const Judgement& judgement) {
  using Fate = Judgement::Fate;
  const bool sent = judgement.fate == Fate::sent;
  const bool over = sent || judgement.fate == Fate::dead || judgement.fate == Fate::gone;
  const Time now = parts_.clock.now();
  return parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.run(
        "UPDATE notify_message SET state = ?2, attempts = ?3, next = ?4, problem = ?5, done = ?6 "
        "WHERE id = ?1",
        {row.id,
         std::string(sent   ? "sent"
                     : over ? "dead"
                            : "waiting"),
         row.attempts, judgement.next.ns, judgement.problem, over ? store::Value(now.ns) : store::Value()}));
    TRY_VOID(tx.run(
        "UPDATE notify_channel SET problem = ?2, sent = sent + ?3, "
        "disabled = max(disabled, ?4), not_before = ?5 WHERE name = ?1",
        {row.channel, judgement.problem, std::int64_t{sent}, std::int64_t{judgement.fate == Fate::gone},
         judgement.fate == Fate::pause ? judgement.next.ns : 0}));
    if (judgement.fate == Fate::gone)
      TRY_VOID(
          tx.run("UPDATE notify_message SET state = 'dead', problem = 'the receiver said that it is gone', "
                 "done = ?2 WHERE channel = ?1 AND state = 'waiting'",
                 {row.channel, now.ns}));
    return over ? prune(tx) : Result<void>{};
  });
}

Result<std::vector<ChannelView>> Notices::channels() {
  std::vector<ChannelView> list;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    list.clear();
    for (const Channel& channel : channels_) {
      ChannelView view;
      view.name = channel.name;
      view.kind = name_of(channel.kind);
      view.place = channel.place();
      view.events = channel.events;
      TRY(const auto rows,
          tx.query("SELECT disabled, problem, sent FROM notify_channel WHERE name = ?1", {channel.name}));
      if (!rows.empty()) {
        view.disabled = rows[0].integer(0) != 0;
        view.problem = rows[0].text(1);
        view.sent = rows[0].integer(2);
      }
      TRY(const auto counts,
          tx.query("SELECT coalesce(sum(state = 'waiting'), 0), coalesce(sum(state = 'dead'), 0) "
                   "FROM notify_message WHERE channel = ?1",
                   {channel.name}));
      view.waiting = counts.at(0).integer(0);
      view.dead = counts.at(0).integer(1);
      list.push_back(std::move(view));
    }
    return {};
  }));
  return list;
}

Result<MessageRow> Notices::get(std::int64_t id) {
  MessageRow out;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query(kById, {id}));
    if (rows.empty()) return refuse(Code::not_found, fmt::format("There is no message {}.", id));
    out = read_row(rows.front());
    return {};
  }));
  return out;
}

Result<std::vector<MessageRow>> Notices::list(MessageState state, std::int64_t limit) {
  std::vector<MessageRow> list;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    list.clear();
    TRY(const auto rows, tx.query(kByState, {store::value(name_of(state)), limit}));
    for (const store::Row& row : rows) list.push_back(read_row(row));
    return {};
  }));
  return list;
}

}  // namespace claviger::steward
