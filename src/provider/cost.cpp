// Arithmetic of money: the cost of a usage, and the most that a request can cost.
#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "provider/price.hpp"

namespace claviger::provider {
namespace {

__extension__ using Int128 = __int128;  // counts x rates outgrow 64 bits

constexpr std::int64_t kMillion = 1'000'000;
// Tokens a provider adds around messages that the body's own bytes do not cover (priming, special tokens).
// Every message costs far more bytes of JSON than the 3-4 framing tokens it is worth (providers.md 8.1).
constexpr std::int64_t kFramingTokens = 64;
// The provider's own text before tools and output formats: a few hundred tokens, taken generously.
constexpr std::int64_t kToolTextTokens = 2048;
constexpr std::int64_t kDayNs = 24LL * 3600 * 1'000'000'000;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 50;  // keeps sums inside 128 bits whatever is asked

// A bucket of usage and the rate it is billed at; `like` is the rate that stands in by the providers' own
// rules.
struct Bucket {
  std::int64_t Usage::* count;
  std::optional<std::int64_t> Rates::* rate;
  std::optional<std::int64_t> Rates::* like;  // null: none, an unknown rate stays unknown
};
constexpr std::array<Bucket, 12> kBuckets{
    {{&Usage::uncached_in, &Rates::input, nullptr},
     // A provider without a cache price bills cached input as input, and images as text.
     {&Usage::cache_read, &Rates::cache_read, &Rates::input},
     {&Usage::cache_read_audio, &Rates::cache_read_audio, &Rates::audio_in},
     {&Usage::cache_write_5m, &Rates::cache_write_5m, nullptr},
     {&Usage::cache_write_30m, &Rates::cache_write_30m, nullptr},
     {&Usage::cache_write_1h, &Rates::cache_write_1h, nullptr},
     {&Usage::cache_write_12h, &Rates::cache_write_12h, nullptr},
     {&Usage::audio_in, &Rates::audio_in, nullptr},
     {&Usage::image_in, &Rates::image_in, &Rates::input},
     {&Usage::text_out, &Rates::output, nullptr},
     {&Usage::audio_out, &Rates::audio_out, nullptr},
     {&Usage::image_out, &Rates::image_out, nullptr}}};

const Rates& rates_for(const Price& price, std::int64_t input) {
  const Rates* out = &price.rates;
  for (const ContextTier& tier : price.tiers)
    if (input > tier.above) out = &tier.rates;
  return *out;
}

std::optional<std::int64_t> own_rate(const Rates& rates, const Bucket& bucket) {
  if (rates.*bucket.rate) return rates.*bucket.rate;
  return bucket.like ? rates.*bucket.like : std::nullopt;
}

std::int64_t dearest_of(const Rates& rates) {
  std::int64_t top = 0;
  for (const Bucket& bucket : kBuckets) top = std::max(top, (rates.*bucket.rate).value_or(0));
  return top;
}

// For a class the row does not know: the provider's dearest of that class, else its dearest of all.
std::int64_t stand_in_rate(const Price& price, const Bucket& bucket) {
  const Rates& known = price.fallback ? price.fallback->rates : price.rates;
  return own_rate(known, bucket).value_or(dearest_of(known));
}

Int128 percent_up(Int128 amount, int percent) {
  return percent == 100 ? amount : (amount * percent + 99) / 100;
}

// From nano-USD x tokens per million, rounded up once.
Nanousd to_money(Int128 amount) {
  const Int128 rounded = (amount + kMillion - 1) / kMillion;
  const Int128 most = std::numeric_limits<std::int64_t>::max();
  return {static_cast<std::int64_t>(std::min(rounded, most))};
}

std::optional<int> tier_percent(const Price& price, ServiceTier tier) {
  switch (tier) {
    case ServiceTier::standard:
      return 100;
    case ServiceTier::flex:
      return price.flex_percent;
    case ServiceTier::batch:
      return price.batch_percent;
    case ServiceTier::priority:
    case ServiceTier::fast:
      return price.priority_percent > 0 ? std::optional(price.priority_percent) : std::nullopt;
    case ServiceTier::ultrafast:
    case ServiceTier::other:
      return std::nullopt;
  }
  return std::nullopt;
}

// A tier whose price is not known is billed at the dearest multiplier that is.
int tier_percent_or_dearest(const Price& price, ServiceTier tier) {
  if (const auto known = tier_percent(price, tier)) return *known;
  return std::max({100, price.priority_percent, price.fallback ? price.fallback->priority_percent : 100});
}

int peak_percent_at(const Price& price, Time at) {
  const std::int64_t in_day = ((at.ns % kDayNs) + kDayNs) % kDayNs;
  const auto minute = static_cast<int>(in_day / (60 * kNanoPerUsd));
  for (const PeakHours& peak : price.peaks)
    if (minute >= peak.from_minute && minute < peak.to_minute) return price.peak_percent;
  return 100;
}

std::int64_t bounded(std::int64_t tokens) { return std::clamp<std::int64_t>(tokens, 0, kMostTokens); }

// One row at one context tier, as the worst case sees it.
struct WorstRates {
  std::int64_t input = 0, output = 0;
  bool known = true;

  void in(const std::optional<std::int64_t>& rate) {
    known = known && rate, input = std::max(input, rate.value_or(0));
  }
  void out(const std::optional<std::int64_t>& rate) {
    known = known && rate;
    output = std::max(output, rate.value_or(0));
  }
};

WorstRates worst_rates(const Rates& rates, const Ask& ask) {
  WorstRates worst;
  worst.in(rates.input);
  // A provider that bills cache writes by itself (OpenAI from gpt-5.6 on) may write on any request; reads are
  // cheaper than input everywhere, but a row that says otherwise is believed.
  if (rates.cache_read) worst.in(rates.cache_read);
  if (rates.cache_write_30m) worst.in(rates.cache_write_30m);
  if (ask.cache_write != CacheWrite::none) worst.in(rates.cache_write_5m);
  if (ask.cache_write == CacheWrite::one_hour) worst.in(rates.cache_write_1h);
  if (ask.audio_in) worst.in(rates.audio_in);
  if (ask.images > 0 && rates.image_in) worst.in(rates.image_in);
  // Pictures and speech are all that their routes make; a text beside them is priced where the row knows it.
  const bool only_media = ask.pictures || ask.speaks;
  if (ask.max_output != 0 && (!only_media || rates.output)) worst.out(rates.output);
  if (ask.audio_out) worst.out(rates.audio_out);
  if (ask.image_out) worst.out(rates.image_out);
  return worst;
}

// What the request itself fixes: pictures, seconds or characters at a price apiece. nullopt: tokens decide.
std::optional<Worst> worst_by_unit(const Price& price, const Ask& ask) {
  Worst worst;
  if (ask.pictures) {
    const auto one = picture_price(price, *ask.pictures);
    const bool by_tokens = price.rates.image_out.has_value();
    if (!one && by_tokens) return std::nullopt;
    if (!one) worst.unbounded = "No price is known for pictures of this size and quality from this model.";
    worst.money = saturating_times(one.value_or(Nanousd{}), std::max<std::int64_t>(ask.choices, 1));
    return worst;
  }
  if (ask.hears && price.second) {
    if (!ask.seconds) worst.unbounded = "Nothing bounds the length of this sound: send it as a file.";
    worst.money = saturating_times(*price.second, ask.seconds.value_or(0));
    return worst;
  }
  if (ask.speaks && price.characters) {
    worst.money = to_money(Int128{bounded(ask.characters)} * *price.characters);
    return worst;
  }
  return std::nullopt;
}

void raise_by_unit(const Price& price, const Ask& ask, Worst& worst) {
  if (const auto own = worst_by_unit(price, ask)) {
    worst.money = std::max(worst.money, own->money);
    if (!own->unbounded.empty()) worst.unbounded = own->unbounded;
  }
}

// The tokens of one answer: as asked, else what the row knows of its model; nullopt when nothing bounds them.
std::optional<std::int64_t> worst_output(const Price& price, const Ask& ask) {
  constexpr std::int64_t kPartialPicture = 100;  // tokens of a picture on the way
  const auto own = price.max_output ? price.max_output : price.output_bound;
  if (!ask.pictures) return ask.max_output ? ask.max_output : own;
  const auto tokens = picture_tokens(price, *ask.pictures);
  const auto whole = tokens ? tokens : own;
  return whole ? std::optional(*whole + kPartialPicture * bounded(ask.pictures->partial)) : std::nullopt;
}

// What a request pays for the tier it may be served at; 0 when that is not known.
int worst_tier_percent(const Price& price, const Ask& ask) {
  switch (ask.dear_tier) {
    case DearTier::list:
      return 100;
    case DearTier::perhaps_priority:
      return std::max(100, price.priority_percent);
    case DearTier::priority:
      break;
  }
  return price.priority_percent == 0 ? 0 : std::max(100, price.priority_percent);
}

// Input tokens: nullopt when nothing bounds them.
std::optional<std::int64_t> worst_input(const Price& price, const Ask& ask, std::int64_t body_bytes) {
  std::int64_t tokens = bounded(body_bytes - ask.media_bytes) + kFramingTokens;
  if (ask.has_tools) tokens += kToolTextTokens;
  bool by_context = ask.hidden_input;
  if (ask.images > 0) {
    if (price.image_tokens)
      tokens += bounded(ask.images) * *price.image_tokens;
    else
      by_context = true;
  }
  if (by_context) return price.context;
  return price.context ? std::min(tokens, *price.context) : tokens;
}

// The most that calls of the provider's own tools may cost, and why they have no bound when they have none.
Nanousd worst_hosted(const Price& price, const Ask& ask, std::string& unbounded) {
  const HostedCalls& calls = ask.hosted;
  Nanousd sum;
  const auto add = [&](const std::optional<Nanousd>& apiece, std::int64_t count, std::string_view what) {
    if (count > 0 && !apiece)
      unbounded = fmt::format("What one {} of the provider costs is not known for this model.", what);
    sum = saturating_add(sum, saturating_times(apiece.value_or(Nanousd{}), count));
  };
  if (calls.only_once && !price.tool_call_once)
    unbounded = "Searches of this model are billed apiece, and nothing in the request bounds their number.";
  add(price.tool_call, price.tool_call_once ? std::min<std::int64_t>(calls.searches, 1) : calls.searches,
      "web search");
  add(price.file_search, calls.file_searches, "file search");
  add(price.code_session, calls.code_sessions, "container");
  return sum;
}

// Raises `worst.money` to what one row could charge.
void raise_by_row(const Price& price, const Ask& ask, Worst& worst) {
  const Int128 rounds = ask.hosted.rounds;
  const Int128 inputs = Int128{worst.input_tokens} * rounds;
  const Int128 outputs = Int128{worst.output_tokens} * std::max<std::int64_t>(ask.choices, 1) * rounds;
  const int geo = ask.global_geo ? 100 : price.us_geo_percent;
  const int peak = price.peaks.empty() ? 100 : std::max(100, price.peak_percent);
  const int tier_known = worst_tier_percent(price, ask);
  if (tier_known == 0) worst.unbounded = "The service tier asked for has no known price for this model.";
  const int tier_percent = std::max(100, tier_known);
  const Nanousd apart =
      saturating_add(price.request.value_or(Nanousd{}), worst_hosted(price, ask, worst.unbounded));
  const auto raise = [&](const Rates& rates, std::int64_t above) {
    const WorstRates one = worst_rates(rates, ask);
    if (!one.known) {
      worst.unbounded =
          above > 0 ? fmt::format("The price of this model above {} input tokens is not known.", above)
                    : "The price of a class of tokens this request may use is not known for this model.";
    }
    const Int128 sum = inputs * one.input + outputs * one.output;
    const Nanousd tokens = to_money(percent_up(percent_up(percent_up(sum, tier_percent), peak), geo));
    worst.money = std::max(worst.money, saturating_add(tokens, apart));
  };
  raise(price.rates, 0);
  for (const ContextTier& tier : price.tiers)
    if (inputs > tier.above) raise(tier.rates, tier.above);
}

}  // namespace

namespace {

// Pictures, seconds, characters and calls of the provider's own tools; what the row does not know is billed
// at the dearest of the provider.
Nanousd cost_of_units(const Price& price, const Usage& usage, const std::optional<Pictures>& pictures) {
  const Price& other = price.fallback ? *price.fallback : price;
  Nanousd sum;
  const auto add = [&sum](const std::optional<Nanousd>& own, const std::optional<Nanousd>& dearest,
                          std::int64_t count) {
    const Nanousd apiece = own ? *own : dearest.value_or(Nanousd{});
    sum = saturating_add(sum, saturating_times(apiece, std::max<std::int64_t>(count, 0)));
  };
  const std::int64_t calls =
      price.tool_call_once ? std::min<std::int64_t>(usage.tool_calls, 1) : usage.tool_calls;
  add(price.tool_call, other.tool_call, calls);
  add(price.file_search, other.file_search, usage.file_searches);
  add(price.code_session, other.code_session, usage.code_sessions);
  add(price.second, other.second, usage.seconds);
  const Pictures asked = pictures.value_or(Pictures{"auto", "auto", 0});
  add(picture_price(price, asked), picture_price(other, {"auto", "auto", 0}), usage.images);
  const std::int64_t rate = price.characters ? *price.characters : other.characters.value_or(0);
  return saturating_add(sum, to_money(Int128{bounded(usage.characters)} * rate));
}

}  // namespace

Nanousd cost(const Price& price, const Usage& usage, Time at, const std::optional<Pictures>& pictures) {
  const Rates& rates = rates_for(price, usage.total_in());
  Int128 sum = 0;
  for (const Bucket& bucket : kBuckets)
    if (const std::int64_t count = bounded(usage.*bucket.count); count > 0)
      sum += Int128{count} * own_rate(rates, bucket).value_or(stand_in_rate(price, bucket));
  const Rates& hosted = price.fallback ? price.fallback->rates : price.rates;
  sum += Int128{bounded(usage.hosted_in) + bounded(usage.hosted_out)} * dearest_of(hosted);
  sum = percent_up(sum, tier_percent_or_dearest(price, usage.tier));
  sum = percent_up(sum, peak_percent_at(price, at));
  if (usage.us_geo) sum = percent_up(sum, price.us_geo_percent);
  return saturating_add(saturating_add(to_money(sum), cost_of_units(price, usage, pictures)),
                        price.request.value_or(Nanousd{}));
}

bool priced_fully(const Price& price, const Usage& usage, const std::optional<Pictures>& pictures) {
  const Rates& rates = rates_for(price, usage.total_in());
  for (const Bucket& bucket : kBuckets)
    if (usage.*bucket.count > 0 && !own_rate(rates, bucket)) return false;
  if (usage.hosted_in > 0 || usage.hosted_out > 0) return false;
  if (usage.tool_calls > 0 && !price.tool_call) return false;
  if (usage.file_searches > 0 && !price.file_search) return false;
  if (usage.code_sessions > 0 && !price.code_session) return false;
  if (usage.seconds > 0 && !price.second) return false;
  if (usage.characters > 0 && !price.characters) return false;
  if (usage.images > 0 && !picture_price(price, pictures.value_or(Pictures{}))) return false;
  return tier_percent(price, usage.tier).has_value();
}

Worst worst_case(const Price& price, const Ask& ask, std::int64_t body_bytes, Time now) {
  const bool changes_soon = price.next && price.next->valid_from.ns - kDayNs <= now.ns;
  if (auto fixed = worst_by_unit(price, ask)) {
    if (changes_soon) raise_by_unit(*price.next, ask, *fixed);
    return *fixed;
  }
  Worst worst;
  const auto input = worst_input(price, ask, body_bytes);
  const auto output = worst_output(price, ask);
  worst.input_tokens = input.value_or(0);
  worst.output_tokens = bounded(bounded(output.value_or(0)) + ask.prediction_bytes);
  const Int128 tokens =
      (Int128{worst.input_tokens} + Int128{worst.output_tokens} * std::max<std::int64_t>(ask.choices, 1)) *
      ask.hosted.rounds;
  worst.tokens = static_cast<std::int64_t>(std::min(tokens, Int128{kMostTokens}));
  raise_by_row(price, ask, worst);
  if (changes_soon) raise_by_row(*price.next, ask, worst);
  if (!output)
    worst.unbounded =
        "No bound is known for the length of this model's answers: send a maximum of output tokens.";
  if (!input)
    worst.unbounded =
        "Images, audio and documents have no known bound in tokens for this model: send text, or have its "
        "context "
        "size priced.";
  return worst;
}

}  // namespace claviger::provider
