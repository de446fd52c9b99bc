// What was used and what it cost, from the tables that are derived from the journal.
//
// Table usage: one row per (hour, key, team, project, environment, provider, model, endpoint); `hour` is the
// start of the UTC hour in which the request was reserved, in seconds since 1970. Call Deriver::catch_up()
// before a query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "journal/record.hpp"
#include "provider/usage.hpp"

namespace claviger::store {
class Store;
class Tx;
}  // namespace claviger::store

namespace claviger::steward {

// Tables usage, usage_lineage (which keys stand above a key), usage_refusal, usage_total, usage_credential.
extern const std::string_view kUsageSchema;
// Adds the columns of buckets that a database made by an earlier version lacks; they are 0 there.
Result<void> add_missing_buckets(store::Store& store);

enum class By : std::uint8_t { hour, day, month, key, team, project, environment, provider, model, endpoint };
std::string_view by_name(By by);
// Refuses with invalid_input and the list of names.
Result<By> parse_by(std::string_view name);

// Empty texts: any.
struct UsageFilter {
  std::string key, team, project, environment, provider, model, endpoint;
};

struct UsageRow {
  std::vector<std::string> group;  // one text per `by`; times as RFC 3339, "2026-11-20" and "2026-11"
  std::int64_t requests = 0;
  std::int64_t errors = 0;     // outcome other than completed, or status 400 and above
  std::int64_t estimated = 0;  // requests whose cost is not the provider's own figure
  std::int64_t presumed = 0;   // requests whose cost is their hold
  provider::Usage usage;       // sums of the buckets
  Nanousd cost_nanousd;
};

// Sums over [from, to) cut to whole hours (from down, to up), grouped by `by` in that order (none: one row
// for all), ordered by time groups, then by cost from dearest. At most `limit` rows.
Result<std::vector<UsageRow>> usage_query(store::Store& store, const std::vector<By>& by, Time from, Time to,
                                          const UsageFilter& filter = {}, std::size_t limit = 10'000);

struct Count {
  std::string name;
  std::int64_t count = 0;
};
// Since the beginning; by error code (with its origin after a slash: "model_denied/policy") and by outcome.
Result<std::vector<Count>> refusal_counts(store::Store& store);
Result<std::vector<Count>> outcome_counts(store::Store& store);

struct CredentialUse {
  std::string credential;
  std::int64_t requests = 0;
  Nanousd cost_nanousd;
  Time last_used;
};
Result<std::vector<CredentialUse>> credential_use(store::Store& store, Time from, Time to);

// What a node ("org", "team:T", "project:P", "key:ID" with the keys below it) has cost in [from, to), to the
// quarter of an hour: begin and end of a window lie on one in every time zone. The ledger's UsageSum.
Result<Nanousd> usage_sum(store::Tx& tx, std::string_view node, Time from, Time to);

// Sums one batch of records in memory and adds it to the tables in one go. For the deriver.
class UsageBatch {
 public:
  UsageBatch();
  ~UsageBatch();
  void add(const journal::Receipt& receipt);
  void add(const journal::Refusal& refusal);
  Result<void> apply(store::Tx& tx) const;
  void clear();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace claviger::steward
