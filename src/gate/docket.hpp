// The docket: opened when a request's head is there, told by each room, and exactly one record when it
// closes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "gate/world.hpp"
#include "journal/record.hpp"
#include "journal/writer.hpp"

namespace claviger::gate {

// What happened to one request. Closing (or destruction) appends a refusal, or the receipt when it was
// exposed.
class Docket {
 public:
  Docket(journal::Writer& journal, const Clock& clock, std::string request_id);
  ~Docket();
  Docket(const Docket&) = delete;
  Docket& operator=(const Docket&) = delete;

  // Who and what, as the rooms learn it. The texts must outlive the docket's closing; `world` is kept for
  // those in it.
  void judged_by(std::shared_ptr<const World> world) { world_ = std::move(world); }
  void came_from(std::string_view ip) { receipt_.ip = ip; }
  void came_with(std::string_view user_agent) { receipt_.user_agent = user_agent; }
  void asks_for(std::string_view route, std::string_view endpoint) {
    receipt_.route = route;
    receipt_.endpoint = endpoint;
  }
  void identified(const identity::Key& key);
  void granted(std::string_view provider, std::string_view model, std::string_view credential,
               std::string_view price_version);

  // What it was told of the request's head is copied: that goes now.
  void keep_texts();

  // Another credential than the one that was granted takes the request.
  void goes_to(std::string_view credential) { receipt_.credential = credential; }

  // The request will not go to a provider.
  void refused(const Error& error);
  // Writes the intent; from here on the record is a receipt. `intent` needs its own facts only: hold, tokens,
  // generation, credential version, stream; the rest is known here.
  void exposed(journal::Intent intent);
  bool is_exposed() const { return exposed_; }
  // The version of the secret that leaves: another one may have come into use since the intent.
  void sent_with(std::int64_t version) { receipt_.credential_version = version; }

  // How it ended; set once before close. Without it a receipt says `internal` and presumes the hold.
  struct Ending {
    int status = 0;
    journal::Outcome outcome = journal::Outcome::internal;
    provider::Usage usage;
    Nanousd cost;
    bool estimated = false;
    bool presumed = false;
  };
  void ended(const Ending& ending);
  // It will not end: the receipt names `outcome` and presumes the hold. Nothing when it was not exposed, or
  // has ended.
  void interrupted(journal::Outcome outcome);
  void first_byte() { first_byte_ns_ = clock_.monotonic_ns(); }
  void received(std::uint64_t bytes) { receipt_.bytes_in = static_cast<std::int64_t>(bytes); }
  // Bytes of the answer's body; told before they leave, since the receipt goes first.
  void sent(std::uint64_t bytes) { receipt_.bytes_out += static_cast<std::int64_t>(bytes); }

  // After the receipt of an exposure: another credential is tried, which is a record of its own.
  void again();

  // Appends the record, once; later calls do nothing. A refusal is left out when the journal cannot be
  // written and limits::kJournalSegment bytes wait already. Not for peers that closed without asking
  // anything.
  void close();
  // There was no request after all: nothing is recorded.
  void discard() { closed_ = true; }

  const std::string& request_id() const { return request_id_; }
  std::string_view key() const { return receipt_.key; }

 private:
  journal::Writer& journal_;
  const Clock& clock_;
  std::string request_id_;
  std::string base_id_;  // of the first attempt
  int attempt_ = 1;
  std::string model_;
  std::string user_agent_;  // once it is kept
  std::shared_ptr<const World> world_;
  journal::Receipt receipt_;
  Code refusal_ = Code::internal;  // closed without an answer
  Origin refused_by_ = Origin::internal;
  std::int64_t opened_ns_;
  std::int64_t first_byte_ns_ = 0;
  bool exposed_ = false;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace claviger::gate
