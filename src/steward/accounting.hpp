// What was done with a leaked secret: its calls between first exposure and containment, from the journal's
// own receipts, beside what its subject usually does.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "steward/incident.hpp"

namespace claviger::store {
class Store;
}  // namespace claviger::store

namespace claviger::steward {

struct AccountAsk {
  Owned owned = Owned::key;
  std::string id;
  Time from, to;  // calls that were let in from `from` on and before `to`
  // Of a credential: only calls with this version of it; 0: with any.
  std::int64_t version = 0;
  // Of a key: the keys that were made below it meanwhile. Their calls are counted as its own.
  std::set<std::string, std::less<>> below = {};
};

struct AccountSums {
  std::int64_t calls = 0;
  std::int64_t errors = 0;  // not completed, or status 400 and above
  std::int64_t input_tokens = 0, output_tokens = 0;
  Nanousd cost;
  std::int64_t estimated = 0;  // whose cost is not the provider's own figure
  Time first = kNever, last{0};

  void add(const AccountSums& other);
};

using AccountRows = std::map<std::string, AccountSums, std::less<>>;

struct Accounting {
  AccountAsk ask;
  AccountSums total;
  AccountRows models;  // "provider/model"
  AccountRows endpoints;
  AccountRows addresses;
  AccountRows agents;
  AccountRows keys;                           // by whom: of a credential, or with keys below
  std::map<std::int64_t, AccountSums> hours;  // by UTC hour, in seconds since 1970
  std::int64_t refused = 0;                   // calls of the key that were refused, containment's among them
  std::int64_t lines = 0, unreadable = 0;     // looked at

  void add(const Accounting& other);
};

// Reads the journal's files with up to limits::kAccountThreads threads. May take seconds: not for a loop's
// thread. Kinds beyond limits::kAccountRows of a table are summed under "(others)".
Result<Accounting> account(Folder& journal, const AccountAsk& ask);

// What the subject did in the limits::kBaselineDays before the exposure, from the derived tables.
struct Baseline {
  std::int64_t days = 0;  // 0: nothing is known from before
  std::int64_t calls = 0;
  Nanousd cost;
  std::set<std::string> models, addresses;  // of a key
};
Result<Baseline> baseline_of(store::Store& store, const AccountAsk& ask);

std::string to_json(const Accounting& accounting, const Baseline& baseline);
// "12 calls, 0.034 USD, 2 models, 1 address not seen before." of such a text.
std::string account_sentence(std::string_view json);
// The particulars of an incident for a notice: a small JSON object.
std::string summary_json(const Incident& incident);

}  // namespace claviger::steward
