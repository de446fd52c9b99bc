// Writing records as lines.
#include "journal/record.hpp"

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "journal/record_fields.hpp"

namespace claviger::journal {
namespace {

// Some of eight bytes do not stand for themselves in a JSON string: below 0x20, above 0x7e, '"' or '\\'.
bool suspicious(std::uint64_t word) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = 0x8080808080808080ULL;
  const std::uint64_t quote = word ^ (ones * '"');
  const std::uint64_t backslash = word ^ (ones * '\\');
  const std::uint64_t del = word ^ (ones * 0x7f);
  return ((word | (word - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones)) & highs) != 0;
}

// One or two words that overlap, each looked at and put where it stood.
template <class Word>
bool copy_ends(std::string_view text, char* to) {
  constexpr std::uint64_t plain = 0x6161616161616161ULL;
  const std::size_t last = text.size() - sizeof(Word);
  const Word first_word = wire::load<Word>(text.data());
  const Word last_word = wire::load<Word>(text.data() + last);
  std::memcpy(to, &first_word, sizeof(Word));
  std::memcpy(to + last, &last_word, sizeof(Word));
  if constexpr (sizeof(Word) == 8) return !suspicious(first_word) && !suspicious(last_word);
  const auto padded = [](Word word) { return (plain << 8 * sizeof(Word) % 64) | word; };
  return !suspicious(padded(first_word)) && !suspicious(padded(last_word));
}

// Copies while all bytes stand for themselves in a JSON string. False, whatever has been copied: some do not.
bool copy_plain(std::string_view text, char* to) {
  for (; text.size() > 16; text.remove_prefix(8), to += 8) {
    const std::uint64_t word = wire::load_word(text.data());
    if (suspicious(word)) return false;
    std::memcpy(to, &word, 8);
  }
  if (text.size() >= 8) return copy_ends<std::uint64_t>(text, to);
  if (text.size() >= 4) return copy_ends<std::uint32_t>(text, to);
  if (text.size() >= 2) return copy_ends<std::uint16_t>(text, to);
  return copy_ends<std::uint8_t>(text, to);
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

  void text(const FieldName& name, std::string_view value, std::size_t max = kText) {
    if (value.empty()) return;
    key(name);
    value = clipped(value, max);
    if (!copy_plain(value, at_ + 1)) return escaped(value);
    *at_ = '"';
    at_ += value.size() + 2;
    at_[-1] = '"';
  }
  void number(const FieldName& name, std::integral auto value) {
    if (value == 0) return;
    key(name);
    digits(value);
  }
  void flag(const FieldName& name, bool value) {
    if (!value) return;
    key(name);
    put("true");
  }
  void outcome(const FieldName& name, Outcome value) { text(name, outcome_name(value)); }
  void code(const FieldName& name, Code value) { text(name, code_name(value)); }
  void origin(const FieldName& name, Origin value) { text(name, origin_name(value)); }
  void usage(const FieldName& name, const provider::Usage& usage) {
    if (usage == provider::Usage{}) return;
    key(name);
    char* const first = at_;
    for (std::size_t i = 0; i < kUsageNames.size(); ++i)
      number(kUsageNames[i], usage.*provider::kUsageFields[i].member);
    flag("seen", usage.seen);
    flag("mismatch", usage.mismatch);
    flag("us_geo", usage.us_geo);
    if (usage.tier_named) text("tier", provider::tier_name(usage.tier));
    if (usage.tools != provider::ToolCounts{}) tools(usage.tools);
    *first = '{';  // in the place of the first comma: a usage that is written has a field
    put("}");
  }
  void tools(const provider::ToolCounts& counts) {
    key("tools");
    char* const first = at_;
    for (std::size_t i = 0; i < kToolNames.size(); ++i) number(kToolNames[i], counts.all()[i]);
    *first = '{';
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
  void key(const FieldName& name) {
    std::memcpy(at_, name.text, FieldName::kRoom);
    at_ += name.size;
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

}  // namespace claviger::journal
