// Channels: what a message looks like to each kind of receiver, and what its answer means. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "steward/notice.hpp"
#include "steward/outside.hpp"

namespace claviger::steward {

enum class ChannelKind : std::uint8_t { slack, cloudevents, smtp, pagerduty };
std::string_view name_of(ChannelKind kind);

enum class MailTls : std::uint8_t { starttls, implicit };

// One [[notify]] of the configuration. Holds secrets: wiped when it goes.
struct Channel {
  std::string name;
  ChannelKind kind = ChannelKind::slack;
  std::vector<std::string> events;  // globs of notice types; empty: all
  OutsideUrl url;                   // not of smtp; of slack a secret
  // Base64-decoded signing secrets (cloudevents: all of them sign), the routing key (pagerduty), the password
  // (smtp).
  std::vector<std::string> secrets;
  std::string host, user, from;  // smtp
  std::uint16_t port = 587;
  MailTls tls = MailTls::starttls;
  std::vector<std::string> to;

  Channel() = default;
  Channel(Channel&&) = default;
  Channel& operator=(Channel&&) = default;
  ~Channel();

  bool wants(std::string_view type) const;
  std::string place() const;  // the host, for people
};

// A notice on its way, with a name of its own.
struct Message {
  std::string uid;  // "msg_" and letters: the same at every attempt
  Notice notice;
};

// A mail and the way it takes. Wiped by who sends it.
struct Mail {
  std::string host;
  std::uint16_t port = 587;
  MailTls tls = MailTls::starttls;
  std::string user, password;  // both empty: no login
  std::string from;
  std::vector<std::string> to;
  std::string text;  // head and body, lines ended by CRLF, dots not yet doubled
};

// Sends mail: `done` is called once, on the steward's thread, never from within send().
class MailRoom {
 public:
  virtual ~MailRoom() = default;
  virtual void send(Mail mail, std::function<void(Result<void>)> done) = 0;
};

// The call that brings a message to an HTTP channel; signed for `now`.
OutsideCall call_of(const Channel& channel, const Message& message, Time now);
Mail mail_of(const Channel& channel, const Message& message, Time now);

// The bytes of a secret "whsec_" + base64 of 24 to 64 bytes; invalid_input, which never quotes it.
Result<std::string> read_signing_secret(std::string_view text);

struct Judgement {
  enum class Fate : std::uint8_t {
    sent,
    retry,  // this message
    pause,  // and its whole channel: it asked for less
    dead,   // attempts are used up, or none can help
    gone,   // and the channel: it said that it is no more
  };
  Fate fate = Fate::sent;
  Time next{};          // of the next attempt
  std::string problem;  // in a few words; never what the receiver wrote
};

// What an answer to attempt number `attempt` (from 1) means: 2xx alone is success, 3xx is never followed, 410
// is for good, 429, 502 and 504 slow the channel down, Retry-After is kept to.
Judgement judge(const Result<OutsideAnswer>& answer, std::int64_t attempt, Time now, Rng& rng);

}  // namespace claviger::steward
