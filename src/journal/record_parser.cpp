// Reading lines back: those that we wrote ourselves in one pass, all others as the JSON they are.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <deque>
#include <utility>

#include "base/check.hpp"
#include "journal/record_fields.hpp"
#include "wire/byte_scan.hpp"
#include "wire/json.hpp"

namespace claviger::journal {
namespace {

// A tier that this program does not know was written by a later one.
void take_tier(std::string_view name, provider::Usage& usage) {
  if (name.empty()) return;
  usage.tier = provider::parse_tier(name).value_or(provider::ServiceTier::other);
  usage.tier_named = true;
}

// Takes fields out of an object, in any order. Texts are views of the line, or of `unescaped` when they hold
// escapes.
class FieldReader {
 public:
  FieldReader(wire::JsonValue object, std::deque<std::string>& unescaped)
      : object_(object), unescaped_(unescaped) {}

  void text(const FieldName& name, std::string_view& value, std::size_t = 0) {
    const wire::JsonValue found = object_[name.name()];
    if (!found) return;
    if (const auto plain = found.plain_text()) {
      value = *plain;
    } else if (auto text = found.text()) {
      value = unescaped_.emplace_back(std::move(*text));
    } else {
      good_ = false;
    }
  }
  void number(const FieldName& name, std::integral auto& value) {
    const wire::JsonValue found = object_[name.name()];
    if (!found) return;
    const auto wide = found.integer();
    must(wide && std::in_range<std::remove_reference_t<decltype(value)>>(*wide));
    if (good_) value = static_cast<std::remove_reference_t<decltype(value)>>(*wide);
  }
  void flag(const FieldName& name, bool& value) {
    const wire::JsonValue found = object_[name.name()];
    if (!found) return;
    const auto boolean = found.boolean();
    must(boolean.has_value());
    value = boolean.value_or(false);
  }
  void outcome(const FieldName& name, Outcome& value) { named(name, value, kOutcomes); }
  void code(const FieldName& name, Code& value) {
    std::string_view word;
    text(name, word);
    for (int i = 0; i < kCodeCount; ++i) {
      value = static_cast<Code>(i);
      if (code_name(value) == word) return;
    }
    good_ = false;
  }
  void origin(const FieldName& name, Origin& value) {
    static constexpr std::array<std::string_view, 4> kOrigins{"client", "policy", "upstream", "internal"};
    named(name, value, kOrigins);
  }
  void usage(const FieldName& name, provider::Usage& usage) {
    const wire::JsonValue found = object_[name.name()];
    if (!found) return;
    must(found.is_object());
    FieldReader inside(found, unescaped_);
    for (std::size_t i = 0; i < kUsageNames.size(); ++i)
      inside.number(kUsageNames[i], usage.*provider::kUsageFields[i].member);
    inside.flag("seen", usage.seen);
    inside.flag("mismatch", usage.mismatch);
    inside.flag("us_geo", usage.us_geo);
    std::string_view tier;
    inside.text("tier", tier);
    take_tier(tier, usage);
    if (const wire::JsonValue tools = found["tools"]) {
      inside.must(tools.is_object());
      FieldReader counts(tools, unescaped_);
      for (std::size_t i = 0; i < kToolNames.size(); ++i) counts.number(kToolNames[i], usage.tools.all()[i]);
      inside.must(counts.good_);
    }
    must(inside.good_);
  }
  void must(bool holds) { good_ = good_ && holds; }
  bool good() const { return good_; }

 private:
  template <class Enum, std::size_t n>
  void named(const FieldName& name, Enum& value, const std::array<std::string_view, n>& names) {
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

// Takes the fields straight off a line that looks exactly as append_line writes it: in order, plain ASCII,
// nothing escaped, nothing unknown. What looks different in any way is not refused here but left to
// FieldReader.
class OrderedReader {
 public:
  // FieldName::kRoom bytes behind the line can be read.
  explicit OrderedReader(std::string_view line) : at_(line.data()), end_(at_ + line.size()) {}

  void text(const FieldName& name, std::string_view& value, std::size_t = 0) {
    if (take(name)) quoted(value);
  }
  void quoted(std::string_view& value) {
    must(at_ != end_ && *at_ == '"');
    if (!good_) return;
    const char* begin = at_ + 1;
    const char* stop = wire::find_stop<wire::StringStop>(begin, end_);
    must(stop != end_ && *stop == '"');
    if (!good_) return;
    value = {begin, static_cast<std::size_t>(stop - begin)};
    at_ = stop + 1;
  }
  void number(const FieldName& name, std::integral auto& value) {
    if (take(name)) digits(value);
  }
  void digits(std::integral auto& value) {
    const auto [stop, error] = std::from_chars(at_, end_, value);
    must(error == std::errc{} && value != 0);  // a zero is left out
    must(*at_ != '0' && !std::string_view(at_, stop).starts_with("-0"));
    at_ = stop;
  }
  void flag(const FieldName& name, bool& value) {
    if (!take(name)) return;
    skip("true");
    value = true;
  }
  void outcome(const FieldName& name, Outcome& value) {
    std::string_view word;
    text(name, word);
    const int index = index_of(kOutcomes, word);
    must(index >= 0);
    if (good_) value = static_cast<Outcome>(index);
  }
  // Of refusals, which cost little: the other reader knows their words.
  void code(const FieldName&, Code&) { good_ = false; }
  void origin(const FieldName&, Origin&) { good_ = false; }
  void usage(const FieldName& name, provider::Usage& usage) {
    if (!take(name)) return;
    lead_ = '{';
    for (std::size_t i = 0; i < kUsageNames.size(); ++i)
      number(kUsageNames[i], usage.*provider::kUsageFields[i].member);
    flag("seen", usage.seen);
    flag("mismatch", usage.mismatch);
    flag("us_geo", usage.us_geo);
    std::string_view tier;
    text("tier", tier);
    take_tier(tier, usage);
    if (take("tools")) {
      lead_ = '{';
      for (std::size_t i = 0; i < kToolNames.size(); ++i) number(kToolNames[i], usage.tools.all()[i]);
      must(lead_ == ',');
      skip("}");
    }
    must(lead_ == ',');
    skip("}");
  }
  void skip(std::string_view bytes) {
    must(std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(bytes));
    if (good_) at_ += bytes.size();
  }
  bool finished() const { return good_ && at_ == end_; }
  bool good() const { return good_; }
  // The next field has no comma before it, but this.
  void lead_with(char lead) { lead_ = lead; }

 private:
  void must(bool holds) { good_ = good_ && holds; }
  // Steps over `,"name":` when it stands here. Most fields of most records are not there.
  [[gnu::always_inline]] bool take(const FieldName& name) {
    if (!good_ || *at_ != lead_ || !name.stands_at(at_)) return false;
    at_ += name.size;
    lead_ = ',';
    return true;
  }

  const char* at_;
  const char* end_;
  char lead_ = ',';
  bool good_ = true;
};

template <class T>
Body read_body(auto& reader, Time at) {
  T record{};
  record.at = at;
  fields(record, reader, std::type_identity<T>{});
  return record;
}

Body read_body(Kind kind, auto& reader, Time at) {
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

// The fields that every record begins with. False when they are not a record's.
bool read_envelope(auto& reader, Envelope& envelope) {
  std::uint64_t version = 0;
  std::string_view kind;
  reader.number("v", version);
  reader.text("p", envelope.producer);
  reader.number("e", envelope.epoch);
  reader.number("n", envelope.seq);
  reader.text("t", kind);
  reader.number("at", envelope.at.ns);
  const int index = index_of(kKinds, kind);
  if (!reader.good() || version != 1 || envelope.producer.empty() || envelope.epoch == 0 ||
      envelope.seq == 0 || index < 0)
    return false;
  envelope.kind = static_cast<Kind>(index);
  return true;
}

// False: the line is none of ours, or not quite as we write them.
bool read_in_order(std::string_view line, Record& record) {  // with room behind it
  if (wire::find_stop<wire::NotAscii>(line.data(), line.data() + line.size()) != line.data() + line.size())
    return false;
  OrderedReader reader(line);
  reader.lead_with('{');
  if (!read_envelope(reader, record.envelope)) return false;
  record.body = read_body(record.envelope.kind, reader, record.envelope.at);
  reader.skip("}");
  return reader.finished();
}

}  // namespace

struct Parser::Inside {
  std::string line;  // a copy with room behind it, so that a record never outlives what it looks at
  wire::Json json;
  std::deque<std::string> unescaped;
};

Parser::Parser() : inside_(std::make_unique<Inside>()) {}
Parser::~Parser() = default;

Result<Record> Parser::parse(std::string_view line) {
  inside_->line.assign(line).append(FieldName::kRoom, '\0');
  line = std::string_view(inside_->line).substr(0, line.size());
  Record record;
  if (read_in_order(line, record)) return record;
  record = {};
  inside_->unescaped.clear();
  const Result<void> scanned = wire::scan(line, inside_->json);
  if (!scanned || !inside_->json.root().is_object()) return fail(Code::corrupt, "not a JSON object");
  FieldReader reader(inside_->json.root(), inside_->unescaped);
  if (!read_envelope(reader, record.envelope)) return fail(Code::corrupt, "not a record of version 1");
  record.body = read_body(record.envelope.kind, reader, record.envelope.at);
  if (!reader.good())
    return fail(Code::corrupt,
                fmt::format("a field of this {} cannot be read", kind_name(record.envelope.kind)));
  return record;
}

}  // namespace claviger::journal
