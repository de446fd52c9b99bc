// Reads receipts of an exposure out of the journal, in parallel, from the first segment that may hold one.
#include "steward/accounting.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "base/limits.hpp"
#include "journal/reader.hpp"
#include "journal/record.hpp"

namespace claviger::steward {
namespace {

constexpr std::uint64_t kPiece = 16 * 1024 * 1024;  // of a segment, for one thread at a time
constexpr std::size_t kHead = 256;                  // bytes of a line in which its kind and time stand
constexpr std::chrono::seconds kDisorder{
    60};  // lines of one segment lie in the order of their time but for this
constexpr std::int64_t kSecond = 1'000'000'000, kHour = 3'600;
constexpr std::string_view kOthers = "(others)";

struct Piece {
  std::string name;
  std::uint64_t from = 0, to = 0;
};

// "receipt", "intent", ...: from a line's head; empty when it names none.
std::string_view kind_of(std::string_view line) {
  constexpr std::string_view kKind = "\"t\":\"";
  const std::string_view head = line.substr(0, kHead);
  const void* at = ::memmem(head.data(), head.size(), kKind.data(), kKind.size());
  if (at == nullptr) return {};
  const auto from = static_cast<std::size_t>(static_cast<const char*>(at) - head.data()) + kKind.size();
  return head.substr(from, std::min(head.find('"', from), head.size()) - from);
}

// The time of a line from its head; nullopt when it has none.
std::optional<Time> time_of(std::string_view line) {
  constexpr std::string_view kAt = "\"at\":";
  const std::size_t place = line.substr(0, kHead).find(kAt);
  if (place == std::string_view::npos) return std::nullopt;
  std::int64_t ns = 0;
  const char* begin = line.data() + place + kAt.size();
  const auto read = std::from_chars(begin, line.data() + line.size(), ns);
  if (read.ec != std::errc{}) return std::nullopt;
  return Time{ns};
}

// The time of the first whole line that begins at or behind `offset`.
Result<std::optional<Time>> time_at(Folder& folder, const std::string& name, std::uint64_t offset) {
  TRY(const std::string bytes, folder.read(name, offset, limits::kJournalLine + kHead));
  std::string_view rest = bytes;
  if (offset > 0) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(end + 1);
  }
  return time_of(rest);
}

// Where the lines at or behind `from` begin, roughly: never behind the first of them.
Result<std::uint64_t> seek(Folder& folder, const std::string& name, std::uint64_t size, Time from) {
  std::uint64_t low = 0, high = size;
  while (high - low > kPiece / 16) {
    const std::uint64_t middle = low + (high - low) / 2;
    TRY(const auto at, time_at(folder, name, middle));
    if (at && *at < from)
      low = middle;
    else
      high = middle;
  }
  return low;
}

Result<std::vector<Piece>> pieces_from(Folder& folder, Time from) {
  TRY(const std::vector<journal::Segment> all, journal::segments(folder));
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < all.size(); ++i) {
    // A segment ends no later than the next of its producer begins.
    if (i + 1 < all.size() && all[i + 1].producer == all[i].producer) {
      TRY(const auto next, time_at(folder, journal::name_of(all[i + 1]), 0));
      if (next && *next < from) continue;
    }
    const std::string name = journal::name_of(all[i]);
    TRY(const std::uint64_t size, folder.size(name));
    TRY(std::uint64_t offset, seek(folder, name, size, from));
    for (; offset < size; offset += kPiece) pieces.push_back({name, offset, std::min(offset + kPiece, size)});
  }
  return pieces;
}

AccountSums sums_of(const journal::Receipt& receipt) {
  AccountSums one;
  one.calls = 1;
  one.errors = receipt.outcome != journal::Outcome::completed || receipt.status >= 400 ? 1 : 0;
  one.input_tokens = receipt.usage.total_in();
  one.output_tokens = receipt.usage.total_out();
  one.cost = receipt.cost_nanousd;
  one.estimated = receipt.estimated ? 1 : 0;
  one.first = one.last = receipt.intent_at;
  return one;
}

// The row of that name, or that of the others when there is no room for one more.
AccountRows::value_type& row_of(AccountRows& rows, std::string_view name) {
  const auto at = rows.find(name);
  if (at != rows.end()) return *at;
  return *rows.try_emplace(std::string(rows.size() < limits::kAccountRows ? name : kOthers)).first;
}

// A table that is added to line by line: its rows are found again by their hash.
class Table {
 public:
  explicit Table(AccountRows& rows) : rows_(rows) {}
  void add(std::string_view name, const AccountSums& sums) {
    AccountRows::value_type*& known = known_[std::hash<std::string_view>{}(name) % known_.size()];
    if (known == nullptr || known->first != name) known = &row_of(rows_, name);
    known->second.add(sums);
  }

 private:
  AccountRows& rows_;
  std::array<AccountRows::value_type*, 1024> known_{};
};

// What one thread has found.
class Reader {
 public:
  Reader(Folder& folder, const AccountAsk& ask)
      : folder_(folder),
        ask_(ask),
        needle_(ask.owned == Owned::key ? ask.id : "\"credential\":\"" + ask.id + "\"") {}

  Result<void> read(const Piece& piece);
  Accounting& found() { return found_; }

 private:
  void take(std::string_view line);
  void take(const journal::Receipt& receipt);
  bool is_meant(std::string_view key) const { return key == ask_.id || ask_.below.contains(key); }

  Folder& folder_;
  const AccountAsk& ask_;
  const std::string needle_;  // of a key also in the lineage of those below it
  journal::Parser parser_;
  Accounting found_;
  Table models_{found_.models}, endpoints_{found_.endpoints}, addresses_{found_.addresses};
  Table agents_{found_.agents}, keys_{found_.keys};
  std::string model_;  // "provider/model" of the line at hand
};

// Lines that begin within the piece; the last one may end behind it. A line without its end is being written.
Result<void> Reader::read(const Piece& piece) {
  const std::uint64_t begin = piece.from > 0 ? piece.from - 1 : 0;
  TRY(const std::string bytes, folder_.read(piece.name, begin, piece.to - begin + limits::kJournalLine));
  std::string_view text = bytes;
  std::size_t first = 0;
  if (piece.from > 0) {
    first = text.find('\n');
    if (first == std::string_view::npos) return {};
    ++first;
  }
  const std::size_t end = static_cast<std::size_t>(piece.to - begin);
  std::size_t at = first;
  while (at < end) {
    const void* hit = ::memmem(text.data() + at, text.size() - at, needle_.data(), needle_.size());
    if (hit == nullptr) break;
    const auto place = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
    const void* before = ::memrchr(text.data() + at, '\n', place - at);
    const std::size_t line =
        before == nullptr ? at : static_cast<std::size_t>(static_cast<const char*>(before) - text.data()) + 1;
    const std::size_t stop = text.find('\n', place);
    if (line >= end || stop == std::string_view::npos) break;
    take(text.substr(line, stop - line));
    at = stop + 1;
  }
  return {};
}

void Reader::take(std::string_view line) {
  const std::string_view kind = kind_of(line);
  if (kind != "receipt" && kind != "refusal") return;
  ++found_.lines;
  const auto record = parser_.parse(line);
  if (!record) {
    ++found_.unreadable;
    return;
  }
  if (const auto* one = std::get_if<journal::Receipt>(&record->body)) return take(*one);
  const auto* one = std::get_if<journal::Refusal>(&record->body);
  if (one != nullptr && ask_.owned == Owned::key && is_meant(one->key) && one->at >= ask_.from)
    ++found_.refused;
}

void Reader::take(const journal::Receipt& receipt) {
  const bool meant = ask_.owned == Owned::key ? is_meant(receipt.key) : receipt.credential == ask_.id;
  const bool other =
      ask_.version != 0 && receipt.credential_version != 0 && receipt.credential_version != ask_.version;
  if (other) return;
  if (!meant || receipt.intent_at < ask_.from || receipt.intent_at >= ask_.to) return;
  const AccountSums one = sums_of(receipt);
  found_.total.add(one);
  model_.assign(receipt.provider).append("/").append(receipt.model);
  models_.add(model_, one);
  endpoints_.add(receipt.endpoint, one);
  addresses_.add(receipt.ip, one);
  agents_.add(receipt.user_agent, one);
  if (ask_.owned == Owned::credential || !ask_.below.empty()) keys_.add(receipt.key, one);
  const std::int64_t seconds = receipt.intent_at.ns / kSecond;
  found_.hours[seconds - seconds % kHour].add(one);
}

}  // namespace

void AccountSums::add(const AccountSums& other) {
  calls += other.calls;
  errors += other.errors;
  input_tokens += other.input_tokens;
  output_tokens += other.output_tokens;
  cost = saturating_add(cost, other.cost);
  estimated += other.estimated;
  first = std::min(first, other.first);
  last = std::max(last, other.last);
}

void Accounting::add(const Accounting& other) {
  total.add(other.total);
  const auto merge = [](AccountRows& mine, const AccountRows& theirs) {
    for (const auto& [name, sums] : theirs) row_of(mine, name).second.add(sums);
  };
  merge(models, other.models);
  merge(endpoints, other.endpoints);
  merge(addresses, other.addresses);
  merge(agents, other.agents);
  merge(keys, other.keys);
  for (const auto& [hour, sums] : other.hours) hours[hour].add(sums);
  refused += other.refused;
  lines += other.lines;
  unreadable += other.unreadable;
}

Result<Accounting> account(Folder& journal, const AccountAsk& ask) {
  TRY(const std::vector<Piece> pieces, pieces_from(journal, ask.from + -kDisorder));
  const std::size_t threads = std::clamp<std::size_t>(
      std::min<std::size_t>(std::thread::hardware_concurrency(), pieces.size()), 1, limits::kAccountThreads);
  Accounting all;
  all.ask = ask;
  Result<void> outcome;
  std::mutex lock;  // of the two above
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    Reader reader(journal, ask);
    Result<void> mine;
    for (std::size_t i = next++; i < pieces.size() && mine; i = next++) mine = reader.read(pieces[i]);
    const std::scoped_lock hold(lock);
    all.add(reader.found());
    if (!mine && outcome) outcome = std::move(mine);
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
    work();
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return all;
}

}  // namespace claviger::steward
