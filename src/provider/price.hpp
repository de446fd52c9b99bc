// Prices as data, the cost of a usage and the worst case of a request; integers only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "provider/ask.hpp"
#include "provider/usage.hpp"

namespace claviger::provider {

// prices/prices.toml as it was built in.
extern const std::string_view kPricesData;

// The configuration file holds other tables too; a price file must not.
enum class OtherTables : std::uint8_t { refuse, ignore };

// Nano-USD per million tokens. nullopt: not known, which is not 0.
struct Rates {
  std::optional<std::int64_t> input, cache_read, cache_read_audio, cache_write_5m, cache_write_30m,
      cache_write_1h, cache_write_12h, audio_in, image_in, output, audio_out, image_out;
  friend bool operator==(const Rates&, const Rates&) = default;
};

// The rates by the names they have in price files.
struct RateField {
  std::string_view name;
  std::optional<std::int64_t> Rates::* member;
};
inline constexpr std::array<RateField, 12> kRateFields{{{"input", &Rates::input},
                                                        {"cache_read", &Rates::cache_read},
                                                        {"cache_read_audio", &Rates::cache_read_audio},
                                                        {"cache_write_5m", &Rates::cache_write_5m},
                                                        {"cache_write_30m", &Rates::cache_write_30m},
                                                        {"cache_write_1h", &Rates::cache_write_1h},
                                                        {"cache_write_12h", &Rates::cache_write_12h},
                                                        {"audio_in", &Rates::audio_in},
                                                        {"image_in", &Rates::image_in},
                                                        {"output", &Rates::output},
                                                        {"audio_out", &Rates::audio_out},
                                                        {"image_out", &Rates::image_out}}};

// When the input (all its buckets) exceeds `above` tokens, the whole request is billed at `rates`.
struct ContextTier {
  std::int64_t above = 0;
  Rates rates;  // nothing known: the provider bills more, but not known what
};

// A span of the day in UTC, [from, to) in minutes, in which every rate is multiplied.
struct PeakHours {
  int from_minute = 0, to_minute = 0;
};

// What one picture of a size and quality costs, or how many output tokens it takes. An empty size or quality
// stands for any.
struct PicturePrice {
  std::string size, quality;
  std::optional<Nanousd> price;
  std::optional<std::int64_t> tokens;
  bool usual = false;  // what the provider makes when nothing is said
};

struct Price {
  std::string provider;
  std::vector<std::string> models;  // names and globs (* and ?)
  Time valid_from;
  std::string source;
  std::string version;         // goes into receipts: book, row and a checksum of its numbers
  bool from_operator = false;  // also when it was imported
  bool imported = false;       // written by `claviger prices import`: the operator's own rows go before it

  Rates rates;
  std::vector<ContextTier> tiers;
  std::vector<PeakHours> peaks;
  int peak_percent = 100;
  int batch_percent = 100;  // of every rate, when the answer was served in a batch
  int flex_percent = 100;
  int priority_percent = 0;  // priority and fast tiers; 0: not known
  int us_geo_percent = 100;
  std::optional<Nanousd> tool_call;     // one server-side tool call (web search)
  std::optional<Nanousd> file_search;   // one search in the provider's stores
  std::optional<Nanousd> code_session;  // one container of the provider's code interpreter
  bool tool_call_once = false;          // a request pays for one search, however many it made

  std::vector<PicturePrice> pictures;
  std::optional<Nanousd> second;           // of sound that is heard
  std::optional<std::int64_t> characters;  // of text that is spoken: nano-USD per million
  std::optional<Nanousd> request;          // every answer costs this too; all that a vector database costs

  std::optional<std::int64_t> max_output;  // the model's own limit of an answer; may be sent along as a bound
  std::optional<std::int64_t>
      output_bound;                     // no answer is longer; only reserved, since the model's limit is less
  std::optional<std::int64_t> context;  // upper bound of a request's input tokens
  std::optional<std::int64_t> image_tokens;  // upper bound of one image of any size

  const Price* next = nullptr;      // the row of the same models that becomes valid after this one
  const Price* fallback = nullptr;  // the provider's dearest, for what this row does not know
};

// Cost of `usage` at `at` (peak hours), rounded up once. A bucket the row has no rate for is billed at the
// dearest rate known for the provider, never at nothing; priced_fully tells.
// `pictures` is what was asked for, on routes that make pictures.
Nanousd cost(const Price& price, const Usage& usage, Time at,
             const std::optional<Pictures>& pictures = std::nullopt);
// Whether every bucket, tier, tool and unit of `usage` has a rate of its own in the row.
bool priced_fully(const Price& price, const Usage& usage,
                  const std::optional<Pictures>& pictures = std::nullopt);

// The dearest of a row's prices (or token counts) for a picture as it was asked for: of the usual one where
// nothing was said, of all where "auto" leaves the choice to the provider. nullopt: none fits.
std::optional<Nanousd> picture_price(const Price& price, const Pictures& asked);
std::optional<std::int64_t> picture_tokens(const Price& price, const Pictures& asked);

// Upper bound of what a request may cost.
struct Worst {
  Nanousd money;
  std::int64_t tokens = 0;  // input + output, all choices: what a tokens-per-minute limit reserves
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;  // of one choice
  // Empty when the bound holds. Otherwise why not, for the client; money is then only the part that is
  // bounded.
  std::string unbounded;
};

// Input: tokens <= bytes of the body (byte-level tokenizers), image and context bounds from the row, dearest
// class and context tier that may apply, peak hours and a row that becomes valid within a day. Output:
// ask.max_output, else the row's, x choices. `body_bytes` is the length of the body as the client sent it.
Worst worst_case(const Price& price, const Ask& ask, std::int64_t body_bytes, Time now);

// All prices of one World. Immutable once made; movable, not copyable.
class PriceBook {
 public:
  PriceBook();
  ~PriceBook();
  PriceBook(PriceBook&&) noexcept;
  PriceBook& operator=(PriceBook&&) noexcept;

  // A whole price file: `version` and [[price]] rows. Refuses (configuration) unknown keys, bad numbers, rows
  // that overlap, rows with no source.
  static Result<PriceBook> parse(std::string_view toml);
  // The built-in file with the operator's rows over it: same schema, source and valid_from optional; and
  // between the two the rows of an imported price file, when there is one.
  static Result<PriceBook> with_operator_rows(std::string_view builtin_toml, std::string_view operator_toml,
                                              OtherTables others, std::string_view imported_toml = {});

  // The row in force: a name before a glob, a longer glob before a shorter one, the operator's before the
  // built-in of equal rank, then the newest valid_from that is not after `at`. Nullptr: no price known. The
  // pointer lives as long as the book.
  const Price* find(std::string_view provider, std::string_view model, Time at) const;
  // The highest rate of each class over all of a provider's rows; nullptr when it has none. For models
  // without a price that the operator lets through by name.
  const Price* dearest(std::string_view provider) const;

  const std::deque<Price>& rows() const;
  std::string_view version() const;

 private:
  struct Index;
  std::unique_ptr<Index> index_;
};

}  // namespace claviger::provider
