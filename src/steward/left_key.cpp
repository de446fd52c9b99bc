// When a key that was left is probed, when it is dead, and its row.
#include "steward/left_key.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::steward {
namespace {

using store::value;
using store::Value;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kPatience = 16;  // an age is divided into so many probes

Value time_value(const std::optional<Time>& time) { return time ? Value(time->ns) : Value(); }

std::optional<Time> time_at(const store::Row& row, std::size_t i) {
  return row.null(i) ? std::nullopt : std::optional(Time{row.integer(i)});
}

Result<LeftKey> read_row(const store::Row& row) {
  return LeftKey{row.text(0),      row.integer(1),  row.text(2),     row.integer(3) != 0,
                 {row.integer(4)}, time_at(row, 5), time_at(row, 6), static_cast<int>(row.integer(7)),
                 {row.integer(8)}};
}

}  // namespace

void hear(LeftKey& key, const RotationTraits& traits, const Heard& heard, Time now) {
  const std::int64_t known_ms = key.removed ? traits.list_ms : traits.verify_ms;
  const bool counts = key.alive || now.ns >= key.since.ns + known_ms * kMs;
  const bool told = heard.kind == Heard::Kind::done;
  if (told && provider::alive(heard.verdict)) key.alive = now;
  key.bad = told && counts && provider::dead(heard.verdict) ? key.bad + 1 : 0;
  const std::int64_t age = (now.ns - std::max(key.since, key.word.value_or(key.since)).ns) / kMs;
  std::int64_t wait =
      std::clamp(age / kPatience, traits.probe_ms, std::max(traits.probe_ms, limits::kRotationRetryMostMs));
  if (key.bad > 0) wait = traits.probe_ms;
  wait = std::max(wait, std::min(heard.retry_after_ms, limits::kRotationRetryMostMs));
  key.next = {now.ns + wait * kMs};
}

bool dead(const LeftKey& key) { return key.bad >= limits::kRotationRefusals; }

void ask_again(LeftKey& key, Time now) {
  key.word = now;
  key.next = now;
}

bool lingers(const LeftKey& key, Time now) {
  return key.alive && now.ns >= key.since.ns + limits::kRotationConfirmMs * kMs;
}

Result<std::vector<LeftKey>> load_left(store::Tx& tx, std::string_view credential) {
  TRY(const auto rows, tx.query("SELECT * FROM rotation_left WHERE ?1 = '' OR credential = ?1 "
                                "ORDER BY since, credential, version",
                                {value(credential)}));
  std::vector<LeftKey> all;
  for (const store::Row& row : rows) {
    TRY(LeftKey one, read_row(row));
    all.push_back(std::move(one));
  }
  return all;
}

Result<void> put_left(store::Tx& tx, const LeftKey& key, std::uint64_t epoch) {
  TRY(const std::int64_t changed,
      tx.run("INSERT INTO rotation_left VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
             "ON CONFLICT (credential, version) DO UPDATE SET alive = excluded.alive, word = excluded.word, "
             "bad = excluded.bad, next = excluded.next, epoch = excluded.epoch "
             "WHERE rotation_left.epoch <= excluded.epoch",
             {key.credential, key.version, key.rotation, std::int64_t{key.removed ? 1 : 0}, key.since.ns,
              time_value(key.alive), time_value(key.word), std::int64_t{key.bad}, key.next.ns,
              static_cast<std::int64_t>(epoch)}));
  if (changed == 1) return {};
  return refuse(Code::conflict, fmt::format("Version {} is watched by a later start.", key.version));
}

Result<void> forget_left(store::Tx& tx, const LeftKey& key) {
  TRY_VOID(tx.run("DELETE FROM rotation_left WHERE credential = ?1 AND version = ?2",
                  {key.credential, key.version}));
  return {};
}

}  // namespace claviger::steward
