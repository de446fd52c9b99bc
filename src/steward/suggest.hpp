// What a key was used for in the last weeks, measured against what it may: the ground for a narrower scope.
//
// Table usage_address: one row per (UTC day, key, address) with a count of requests, for
// limits::kSuggestDays. A key that comes from more than limits::kUsedAddresses addresses in a day has the
// rest of them under "".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "journal/record.hpp"
#include "ledger/budget.hpp"

namespace claviger::store {
class Store;
class Tx;
}  // namespace claviger::store

namespace claviger::steward {

extern const std::string_view kAddressSchema;  // part of kUsageSchema

// Counts one batch of receipts by address. For the deriver.
class AddressBatch {
 public:
  void add(const journal::Receipt& receipt);
  // Adds to the table, and forgets the days that are too old beside the newest counted here.
  Result<void> apply(store::Tx& tx) const;

 private:
  using Place = std::tuple<std::int64_t, std::string, std::string>;  // day, key, address
  std::map<Place, std::int64_t> counts_;
  std::map<Place, std::int64_t>::pointer newest_ = nullptr;  // mostly the one that is asked for next
};

// What a key did in [from, to), from the derived tables. Call Deriver::catch_up() before.
struct KeyUse {
  std::int64_t requests = 0;
  Nanousd cost;
  Time last_used{0};                   // start of the hour; 0: never in this time
  std::vector<std::string> models;     // by name
  std::vector<std::string> endpoints;  // by name
  std::vector<std::string> addresses;  // as recorded
  bool all_addresses = true;           // every request's address is among them
  std::int64_t busiest_requests = 0;   // of one hour: no minute had more
  std::int64_t hosted_calls = 0;       // of the providers' own tools that are billed apiece
  std::vector<Time> hours;             // those with a request in them, by their start
};
Result<KeyUse> key_use(store::Store& store, std::string_view key, Time from, Time to);

// The dearest window of a kind, in a time zone, that the key (with the keys below it) had in [from, to).
Result<Nanousd> peak_spend(store::Store& store, std::string_view key, ledger::Window window,
                           const std::string& time_zone, Time from, Time to);

}  // namespace claviger::steward
