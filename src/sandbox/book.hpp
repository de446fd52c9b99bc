// The sandbox provider's own ledger: what it would bill, by its own count and its own arithmetic.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "provider/price.hpp"

namespace claviger::sandbox {

// Tokens a request used, as the provider counted them.
struct Spent {
  std::int64_t input = 0;  // all of it, cached or not
  std::int64_t cache_read = 0;
  std::int64_t cache_write = 0;
  std::int64_t output = 0;                                                // all of it, reasoning included
  std::int64_t image_in = 0, audio_in = 0, image_out = 0, audio_out = 0;  // tokens, beside those above
  std::int64_t units_nanousd = 0;  // pictures, seconds and characters, at their own prices
};

// Nano-USD for `spent` at `row`, rounded up. Only the numbers of the row are the gate's; the sum is ours, so
// that a mistake in one of the two shows.
std::int64_t bill(const provider::Price& row, const Spent& spent, Time at);

struct Entry {
  std::string id;
  std::string path;
  std::string model;
  std::string key_sha256;  // hex, of the provider key that was presented
  Spent spent;
  std::int64_t cost_nanousd = 0;
  bool completed = false;  // the answer left whole
  Time at = {};            // when it was asked
};

// Entries of requests that ended, in the order they ended.
class Book {
 public:
  void add(Entry entry);
  void clear() { entries_.clear(), total_ = 0; }
  const std::vector<Entry>& entries() const { return entries_; }
  std::int64_t total_nanousd() const { return total_; }
  // {"requests","total_cost_nanousd","entries":[...]}
  std::string json() const;

 private:
  std::vector<Entry> entries_;
  std::int64_t total_ = 0;
};

}  // namespace claviger::sandbox
