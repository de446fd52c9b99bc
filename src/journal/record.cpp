// One description of every record's fields, used to write lines and to read them.
#include "journal/record.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <deque>
#include <utility>

#include "base/check.hpp"
#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "wire/json.hpp"

namespace claviger::journal {
namespace {

constexpr std::array<std::string_view, 7> kKinds{"intent", "receipt", "refusal", "admin",
                                                 "alert",  "start",   "stop"};
constexpr std::array<std::string_view, 10> kOutcomes{
    "completed",       "client_gone",      "upstream_cut", "cut_by_revocation", "upstream_error",
    "upstream_failed", "upstream_timeout", "shutdown",     "internal",          "presumed"};

template <std::size_t n>
int index_of(const std::array<std::string_view, n>& names, std::string_view name) {
  for (std::size_t i = 0; i < n; ++i)
    if (names[i] == name) return static_cast<int>(i);
  return -1;
}

// The fields of each record in the order of the line. V is the writer or the reader; R may be const.
template <class V>
void fields(auto& r, V& v, std::type_identity<Intent>) {
  v.text("req", r.req);
  v.text("key", r.key);
  v.text("team", r.team);
  v.text("project", r.project);
  v.text("environment", r.environment);
  v.text("provider", r.provider);
  v.text("route", r.route);
  v.text("model", r.model);
  v.text("credential", r.credential);
  v.number("credential_version", r.credential_version);
  v.number("hold_nanousd", r.hold_nanousd.value);
  v.number("tokens", r.tokens);
  v.number("generation", r.generation);
  v.flag("stream", r.stream);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Receipt>) {
  v.text("req", r.req);
  v.number("intent_at", r.intent_at.ns);
  v.number("intent_epoch", r.intent_epoch);
  v.text("key", r.key);
  v.text("team", r.team);
  v.text("project", r.project);
  v.text("environment", r.environment);
  v.text("provider", r.provider);
  v.text("route", r.route);
  v.text("endpoint", r.endpoint);
  v.text("model", r.model);
  v.text("credential", r.credential);
  v.number("status", r.status);
  v.outcome("outcome", r.outcome);
  v.usage("usage", r.usage);
  v.number("cost_nanousd", r.cost_nanousd.value);
  v.number("hold_nanousd", r.hold_nanousd.value);
  v.flag("estimated", r.estimated);
  v.flag("presumed", r.presumed);
  v.text("price_version", r.price_version);
  v.number("ms", r.ms);
  v.number("ttfb_ms", r.ttfb_ms);
  v.number("bytes_in", r.bytes_in);
  v.number("bytes_out", r.bytes_out);
  v.text("ip", r.ip);
  v.text("user_agent", r.user_agent);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Refusal>) {
  v.text("req", r.req);
  v.text("key", r.key);
  v.code("code", r.code);
  v.origin("origin", r.origin);
  v.number("status", r.status);
  v.text("route", r.route);
  v.text("model", r.model);
  v.text("ip", r.ip);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Admin>) {
  v.text("actor", r.actor);
  v.text("role", r.role, limits::kName);
  v.text("action", r.action, limits::kName);
  v.text("subject", r.subject);
  v.text("detail", r.detail, kDetail);
  v.text("ip", r.ip);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Alert>) {
  v.text("kind", r.kind, limits::kName);
  v.text("subject", r.subject);
  v.text("budget", r.budget);
  v.number("window_start", r.window_start.ns);
  v.number("threshold", r.threshold);
  v.number("amount_nanousd", r.amount_nanousd.value);
  v.number("limit_nanousd", r.limit_nanousd.value);
  v.text("message", r.message, kDetail);
}

template <class V>
void fields(auto& r, V& v, std::type_identity<Start>) {
  v.text("version", r.version);
  v.text("durability", r.durability);
}

template <class V>
void fields(auto&, V&, std::type_identity<Stop>) {}

// Bytes that stand for themselves in a JSON string. Eight at a time: none below 0x20, above 0x7e, '"' or '\'.
bool is_plain(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = 0x8080808080808080ULL;
  const auto suspicious = [](std::uint64_t w) {
    const std::uint64_t quote = w ^ (ones * '"');
    const std::uint64_t backslash = w ^ (ones * '\\');
    const std::uint64_t del = w ^ (ones * 0x7f);
    return ((w | (w - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones)) & highs) != 0;
  };
  const char* p = text.data();
  std::size_t left = text.size();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    if (suspicious(word)) return false;
  }
  std::uint64_t word = ones * 'a';
  std::memcpy(&word, p, left);
  return !suspicious(word);
}

// At most `max` bytes of `text`, not ending inside a UTF-8 sequence.
std::string_view clipped(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t end = max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// Writes into room that the line's bound guarantees, so that no piece of it asks for more.
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) { open(); }

  void text(std::string_view name, std::string_view value, std::size_t max = kText) {
    if (value.empty()) return;
    key(name);
    value = clipped(value, max);
    if (!is_plain(value)) return escaped(value);
    put("\"");
    put(value);
    put("\"");
  }
  void number(std::string_view name, std::integral auto value) {
    if (value == 0) return;
    key(name);
    digits(value);
  }
  void flag(std::string_view name, bool value) {
    if (!value) return;
    key(name);
    put("true");
  }
  void outcome(std::string_view name, Outcome value) { text(name, outcome_name(value)); }
  void code(std::string_view name, Code value) { text(name, code_name(value)); }
  void origin(std::string_view name, Origin value) { text(name, origin_name(value)); }
  void usage(std::string_view name, const provider::Usage& usage) {
    if (usage == provider::Usage{}) return;
    key(name);
    char* const first = at_;
    for (const provider::UsageField& field : provider::kUsageFields) number(field.name, usage.*field.member);
    flag("seen", usage.seen);
    flag("mismatch", usage.mismatch);
    flag("us_geo", usage.us_geo);
    if (usage.tier != provider::ServiceTier::standard) text("tier", provider::tier_name(usage.tier));
    *first = '{';  // in the place of the first comma: a usage that is written has a field
    put("}");
  }
  void digits(std::integral auto value) { at_ = std::to_chars(at_, at_ + 24, value).ptr; }
  void put(std::string_view bytes) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  // Ends the line: until then `out` is longer than what was written.
  void close() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }

 private:
  void open() {
    const std::size_t written = out_.size();
    out_.resize_and_overwrite(written + limits::kJournalLine, [](char*, std::size_t size) { return size; });
    at_ = out_.data() + written;
  }
  void key(std::string_view name) {
    put(",\"");
    put(name);
    put("\":");
  }
  void escaped(std::string_view value) {
    close();
    append_json_string(out_, value);
    open();
  }

  std::string& out_;
  char* at_ = nullptr;
};

// Every text is clipped, so that the longest line stays below the bound even when each byte is escaped to
// six.
static_assert(5 * 6 * kText + 2 * 6 * limits::kName + 6 * kDetail + 1024 < limits::kJournalLine);
static_assert(13 * 6 * kText + 2048 < limits::kJournalLine);

template <class T>
void append_record(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                   Kind kind, const T& record) {
  FieldWriter writer(out);
  writer.put(R"({"v":1,"p":")");
  writer.put(producer);
  writer.put(R"(","e":)");
  writer.digits(epoch);
  writer.put(R"(,"n":)");
  writer.digits(seq);
  writer.put(R"(,"t":")");
  writer.put(kind_name(kind));
  writer.put(R"(","at":)");
  writer.digits(record.at.ns);
  fields(record, writer, std::type_identity<T>{});
  writer.put("}\n");
  writer.close();
}

// Takes fields out of an object. Texts are views of the line, or of `unescaped` when they hold escapes.
class FieldReader {
 public:
  FieldReader(wire::JsonValue object, std::deque<std::string>& unescaped)
      : object_(object), unescaped_(unescaped) {}

  void text(std::string_view name, std::string_view& value, std::size_t = 0) {
    const wire::JsonValue found = object_[name];
    if (!found) return;
    if (const auto plain = found.plain_text()) {
      value = *plain;
    } else if (auto text = found.text()) {
      value = unescaped_.emplace_back(std::move(*text));
    } else {
      good_ = false;
    }
  }
  void number(std::string_view name, std::integral auto& value) {
    const wire::JsonValue found = object_[name];
    if (!found) return;
    const auto wide = found.integer();
    must(wide && std::in_range<std::remove_reference_t<decltype(value)>>(*wide));
    if (good_) value = static_cast<std::remove_reference_t<decltype(value)>>(*wide);
  }
  void flag(std::string_view name, bool& value) {
    const wire::JsonValue found = object_[name];
    if (!found) return;
    const auto boolean = found.boolean();
    must(boolean.has_value());
    value = boolean.value_or(false);
  }
  void outcome(std::string_view name, Outcome& value) { named(name, value, kOutcomes); }
  void code(std::string_view name, Code& value) {
    std::string_view word;
    text(name, word);
    for (int i = 0; i < kCodeCount; ++i) {
      value = static_cast<Code>(i);
      if (code_name(value) == word) return;
    }
    good_ = false;
  }
  void origin(std::string_view name, Origin& value) {
    static constexpr std::array<std::string_view, 4> kOrigins{"client", "policy", "upstream", "internal"};
    named(name, value, kOrigins);
  }
  void usage(std::string_view name, provider::Usage& usage) {
    const wire::JsonValue found = object_[name];
    if (!found) return;
    must(found.is_object());
    FieldReader inside(found, unescaped_);
    for (const provider::UsageField& field : provider::kUsageFields)
      inside.number(field.name, usage.*field.member);
    inside.flag("seen", usage.seen);
    inside.flag("mismatch", usage.mismatch);
    inside.flag("us_geo", usage.us_geo);
    std::string_view tier;
    inside.text("tier", tier);
    if (!tier.empty()) usage.tier = provider::parse_tier(tier).value_or(provider::ServiceTier::other);
    must(inside.good_);
  }
  void must(bool holds) { good_ = good_ && holds; }
  bool good() const { return good_; }

 private:
  template <class Enum, std::size_t n>
  void named(std::string_view name, Enum& value, const std::array<std::string_view, n>& names) {
    std::string_view word;
    text(name, word);
    const int index = index_of(names, word);
    must(index >= 0);
    if (index >= 0) value = static_cast<Enum>(index);
  }

  wire::JsonValue object_;
  std::deque<std::string>& unescaped_;
  bool good_ = true;
};

template <class T>
Body read_body(FieldReader& reader, Time at) {
  T record{};
  record.at = at;
  fields(record, reader, std::type_identity<T>{});
  return record;
}

Body read_body(Kind kind, FieldReader& reader, Time at) {
  switch (kind) {
    case Kind::intent:
      return read_body<Intent>(reader, at);
    case Kind::receipt:
      return read_body<Receipt>(reader, at);
    case Kind::refusal:
      return read_body<Refusal>(reader, at);
    case Kind::admin:
      return read_body<Admin>(reader, at);
    case Kind::alert:
      return read_body<Alert>(reader, at);
    case Kind::start:
      return read_body<Start>(reader, at);
    case Kind::stop:
      return read_body<Stop>(reader, at);
  }
  check(false, "every kind is read");
  return Stop{};
}

}  // namespace

std::string_view kind_name(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view outcome_name(Outcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }
std::optional<Outcome> outcome_of(std::string_view name) {
  const int index = index_of(kOutcomes, name);
  if (index < 0) return std::nullopt;
  return static_cast<Outcome>(index);
}

void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Intent& record) {
  append_record(out, producer, epoch, seq, Kind::intent, record);
}
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Receipt& record) {
  append_record(out, producer, epoch, seq, Kind::receipt, record);
}
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Refusal& record) {
  append_record(out, producer, epoch, seq, Kind::refusal, record);
}
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Admin& record) {
  append_record(out, producer, epoch, seq, Kind::admin, record);
}
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Alert& record) {
  append_record(out, producer, epoch, seq, Kind::alert, record);
}
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Start& record) {
  append_record(out, producer, epoch, seq, Kind::start, record);
}
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Stop& record) {
  append_record(out, producer, epoch, seq, Kind::stop, record);
}

struct Parser::Inside {
  std::string line;  // a copy, so that a record never outlives what it looks at
  wire::Json json;
  std::deque<std::string> unescaped;
};

Parser::Parser() : inside_(std::make_unique<Inside>()) {}
Parser::~Parser() = default;

Result<Record> Parser::parse(std::string_view line) {
  inside_->line = line;
  inside_->unescaped.clear();
  const Result<void> scanned = wire::scan(inside_->line, inside_->json);
  if (!scanned || !inside_->json.root().is_object()) return fail(Code::corrupt, "not a JSON object");
  FieldReader reader(inside_->json.root(), inside_->unescaped);
  std::uint64_t version = 0;
  std::string_view kind;
  Record record;
  Envelope& envelope = record.envelope;
  reader.number("v", version);
  reader.text("p", envelope.producer);
  reader.number("e", envelope.epoch);
  reader.number("n", envelope.seq);
  reader.text("t", kind);
  reader.number("at", envelope.at.ns);
  const int index = index_of(kKinds, kind);
  if (!reader.good() || version != 1 || envelope.producer.empty() || envelope.epoch == 0 ||
      envelope.seq == 0 || index < 0)
    return fail(Code::corrupt, "not a record of version 1");
  envelope.kind = static_cast<Kind>(index);
  record.body = read_body(envelope.kind, reader, envelope.at);
  if (!reader.good()) return fail(Code::corrupt, fmt::format("a field of this {} cannot be read", kind));
  return record;
}

}  // namespace claviger::journal
