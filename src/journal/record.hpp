// What the journal says: its kinds of records, and their one-line JSON form in both directions.
//
// {"v":1,"p":"gate0","e":3,"n":17,"t":"intent","at":1790000000000000000,"req":...}
// p: producer, e: epoch (one per start of the program), n: sequence within producer and epoch, from 1,
// gap-free. Times are nanoseconds, money is nano-USD. Empty texts and zero counts are left out. No secret,
// prompt or answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "provider/usage.hpp"

namespace claviger::journal {

inline constexpr std::size_t kText = 256;     // bytes kept of a text from outside; longer ones are clipped
inline constexpr std::size_t kDetail = 3072;  // bytes kept of Admin::detail and Alert::message

enum class Kind : std::uint8_t { intent, receipt, refusal, admin, alert, start, stop };
std::string_view kind_name(Kind kind);

// How a request that reached a provider ended.
enum class Outcome : std::uint8_t {
  completed,          // the answer went through to its end, whatever its status below 400
  client_gone,        // the client left before the end
  upstream_cut,       // the provider broke off in the answer
  cut_by_revocation,  // the key lost its rights in the answer
  upstream_error,     // the provider answered with status 400 or above
  upstream_failed,    // no answer: connection failed or broke before the head
  upstream_timeout,   // no answer, or silence in it, for too long
  shutdown,           // the gate stopped before the end
  internal,           // a bug: the exposure was dropped without a posting
  presumed,           // never ended: the process died, the hold stands for the cost
};
inline constexpr std::size_t kOutcomeCount = 10;
std::string_view outcome_name(Outcome outcome);
std::optional<Outcome> outcome_of(std::string_view name);

// The texts below are views: of the caller's when written, of the Parser's when read.

// Written before the first byte may go upstream. `at` is the time of the reservation.
struct Intent {
  Time at;
  std::string_view req, key, team, project, environment, provider, route, model, credential;
  std::string_view lineage = {};  // ids of the keys above `key`, "ROOT/.../PARENT", which are charged too
  std::int64_t credential_version = 0;
  Nanousd hold_nanousd;
  std::int64_t tokens = 0;       // held against the tokens-per-minute limit
  std::uint64_t generation = 0;  // of the World the request was admitted on
  bool stream = false;
};

// Written before the last byte of the answer. One for every intent: same req, intent_at == Intent::at.
struct Receipt {
  Time at;
  std::string_view req;
  Time intent_at;
  std::uint64_t intent_epoch = 0;  // 0: that of the line; else the older epoch whose lease held the money
  std::string_view key, team, project, environment, provider, route, endpoint, model, credential;
  std::string_view lineage = {};        // as in the intent
  std::int64_t credential_version = 0;  // that was sent, if newer than the intent's; 0 of older programs
  int status = 0;                       // sent to the client; 0 when there was none
  Outcome outcome = Outcome::completed;
  provider::Usage usage;  // with "tier" where the answer names one, and "tools": calls of the provider's own
  Nanousd cost_nanousd;
  Nanousd hold_nanousd;
  bool estimated = false;  // cost or usage is not the provider's own figure
  bool presumed = false;   // cost is the hold, because nothing better is known
  std::string_view price_version;
  std::int64_t ms = 0;
  std::int64_t ttfb_ms = 0;
  std::int64_t bytes_in = 0;
  std::int64_t bytes_out = 0;
  std::string_view ip, user_agent;
};

// A request that never reached a provider.
struct Refusal {
  Time at;
  std::string_view req, key;  // key: empty when it is not known
  Code code = Code::internal;
  Origin origin = Origin::client;
  int status = 0;
  std::string_view route, model, ip;
};

// An administrator's or the steward's own action that changed something.
struct Admin {
  Time at;
  std::string_view actor, role, action, subject;  // action like "key.create"; subject like "key:ab12"
  std::string_view detail;                        // free text or JSON text; never a secret
  std::string_view ip;
};

struct Alert {
  Time at;
  std::string_view kind;     // "budget_threshold", "credential_spend", "journal_damage"
  std::string_view subject;  // "team:core", "credential:cred_1", "gate0-00000003-000000.jsonl"
  std::string_view budget;   // budget id; empty for other kinds
  Time window_start;
  std::int64_t threshold = 0;  // percent
  Nanousd amount_nanousd;
  Nanousd limit_nanousd;
  std::string_view message;
};

struct Start {
  Time at;
  std::string_view version;     // of the program
  std::string_view durability;  // "process" or "disk"
};
struct Stop {
  Time at;
};

struct Envelope {
  std::string_view producer;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  Kind kind = Kind::start;
  Time at;
};

using Body = std::variant<Intent, Receipt, Refusal, Admin, Alert, Start, Stop>;

struct Record {
  Envelope envelope;
  Body body;
};

// Appends the line with its '\n'. Nothing is allocated when `out` has room for limits::kJournalLine more
// bytes.
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Intent& record);
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Receipt& record);
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Refusal& record);
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Admin& record);
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Alert& record);
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Start& record);
void append_line(std::string& out, std::string_view producer, std::uint64_t epoch, std::uint64_t seq,
                 const Stop& record);

// Reads lines back. The views of a Record live until the next parse.
class Parser {
 public:
  Parser();
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  // `line` without its '\n'. Refuses with corrupt what append_line cannot have written; fields it does not
  // know are passed over.
  Result<Record> parse(std::string_view line);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace claviger::journal
