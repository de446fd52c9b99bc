// Notifications: notices become messages of channels, kept until they are delivered or given up.
//
// A message is a row, written in the transaction of what it tells of; it is sent afterwards, again and again
// on a schedule, and at last becomes a dead letter that people can see. What one channel does never holds up
// another.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "steward/channel.hpp"
#include "steward/notice.hpp"
#include "steward/outside.hpp"
#include "store/store.hpp"

namespace claviger::steward {

extern const std::string_view kNotifySchema;

enum class MessageState : std::uint8_t { waiting, sent, dead };
std::string_view name_of(MessageState state);

struct MessageRow {
  std::int64_t id = 0;
  std::string channel;
  Message message;
  MessageState state = MessageState::waiting;
  std::int64_t attempts = 0;
  Time next;            // of the next attempt, while it waits
  std::string problem;  // of the last attempt; empty: none
  std::optional<Time> done;
};

struct ChannelView {
  std::string name, kind;
  std::string place;  // host that it sends to
  std::vector<std::string> events;
  bool disabled = false;  // the receiver said that it is gone
  std::int64_t waiting = 0, sent = 0, dead = 0;
  std::string problem;  // of the last attempt that failed, while none has succeeded since
};

struct NotifyParts {
  store::Store& store;
  const Clock& clock;
  Rng& rng;
  Outside* outside = nullptr;  // absent: messages wait
  MailRoom* mail = nullptr;
};

// Used by the steward's thread only.
class Notices {
 public:
  explicit Notices(NotifyParts parts) : parts_(parts) {}
  void connect(Outside* outside, MailRoom* mail) { parts_.outside = outside, parts_.mail = mail; }
  // Channels of a configuration that was read; messages of channels that are gone become dead letters.
  Result<void> adopt(std::vector<Channel> channels);

  // A message for every channel that wants to know, in the caller's transaction.
  Result<void> post(store::Tx& tx, const Notice& notice);
  // One to this channel, whatever it wants to know; a channel that was given up is tried again. not_found.
  Result<std::int64_t> test(std::string_view channel, const std::string& by);
  // Takes new alerts up and sends what is due.
  Result<void> tick();

  Result<std::vector<ChannelView>> channels();
  Result<MessageRow> get(std::int64_t id);
  // Newest first.
  Result<std::vector<MessageRow>> list(MessageState state, std::int64_t limit);

 private:
  const Channel* find(std::string_view name) const;
  Result<std::int64_t> insert(store::Tx& tx, const Channel& channel, const Notice& notice);
  Result<void> take_alerts(store::Tx& tx);
  Result<std::vector<MessageRow>> due();
  void send(const MessageRow& row, const Channel& channel);
  void delivered(MessageRow row, Result<OutsideAnswer> answer);
  Result<void> keep(MessageRow row, const Judgement& judgement);

  NotifyParts parts_;
  std::vector<Channel> channels_;
  std::map<std::int64_t, std::string> under_way_;  // message, channel
};

}  // namespace claviger::steward
