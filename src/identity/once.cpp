// Idempotency keys in the store.
#include "identity/once.hpp"

#include <algorithm>

namespace claviger::identity {

const std::string_view kOnceSchema = R"sql(
CREATE TABLE IF NOT EXISTS once (
  actor       TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  subject     TEXT NOT NULL,
  at          INTEGER NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT;
CREATE INDEX IF NOT EXISTS once_by_age ON once (at);
)sql";

namespace {

constexpr std::int64_t kWindowNs = std::chrono::nanoseconds(kOnceWindow).count();

bool well_formed(std::string_view key) {
  return !key.empty() && key.size() <= kOnceKeyLength &&
         std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<std::optional<std::string>> replayed(store::Tx& tx, const Once& once, Time now) {
  if (!well_formed(once.key))
    return refuse(Code::invalid_input, "Idempotency-Key: 1 to 255 visible ASCII characters");
  TRY(const auto rows,
      tx.query("SELECT fingerprint, subject FROM once WHERE actor = ?1 AND key = ?2 AND at > ?3",
               {once.actor, once.key, now.ns - kWindowNs}));
  if (rows.empty()) return std::nullopt;
  if (!std::ranges::equal(rows.front().blob(0), once.fingerprint))
    return refuse(Code::conflict, "This Idempotency-Key was used for another request: take a new one.");
  return rows.front().text(1);
}

Result<void> remember(store::Tx& tx, const Once& once, std::string_view subject, Time now) {
  TRY_VOID(tx.run("DELETE FROM once WHERE at <= ?1", {now.ns - kWindowNs}));
  TRY_VOID(tx.run("INSERT INTO once (actor, key, fingerprint, subject, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                  {once.actor, once.key, Bytes(once.fingerprint.begin(), once.fingerprint.end()),
                   std::string(subject), now.ns}));
  return {};
}

}  // namespace claviger::identity
