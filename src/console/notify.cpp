// Routes of notifications: channels, tests and dead letters.
#include <fmt/format.h>

#include <charconv>

#include "console/change.hpp"
#include "console/render.hpp"

namespace claviger::console {
namespace {

constexpr std::int64_t kPage = 100, kPageMost = 1'000;

Json render(const steward::MessageRow& row) {
  const steward::Notice& notice = row.message.notice;
  return {{"id", row.id},
          {"uid", row.message.uid},
          {"channel", row.channel},
          {"type", notice.type},
          {"subject", notice.subject},
          {"summary", notice.summary},
          {"at", format_time(notice.at)},
          {"state", steward::name_of(row.state)},
          {"attempts", row.attempts},
          {"next", row.state == steward::MessageState::waiting ? Json(format_time(row.next)) : Json(nullptr)},
          {"problem", row.problem.empty() ? Json(nullptr) : Json(row.problem)},
          {"done", row.done ? Json(format_time(*row.done)) : Json(nullptr)}};
}

}  // namespace

Result<Answer> list_channels(Session& s) {
  TRY(const auto channels, s.parts.notices->channels());
  Json list = Json::array();
  for (const steward::ChannelView& one : channels)
    list.push_back({{"name", one.name},
                    {"kind", one.kind},
                    {"place", one.place},
                    {"events", one.events},
                    {"state", one.disabled          ? "disabled"
                              : one.problem.empty() ? "good"
                                                    : "failing"},
                    {"waiting", one.waiting},
                    {"sent", one.sent},
                    {"dead", one.dead},
                    {"problem", one.problem.empty() ? Json(nullptr) : Json(one.problem)}});
  return Answer{200, {{"channels", std::move(list)}}, {}, {}};
}

Result<Answer> test_channel(Session& s) {
  TRY_VOID(record(s, {"notify.test", "channel:" + s.subject}));
  TRY(const std::int64_t id, s.parts.notices->test(s.subject, s.actor.name));
  TRY(const steward::MessageRow row, s.parts.notices->get(id));
  return Answer{202, render(row), {}, {}};
}

Result<Answer> list_messages(Session& s) {
  const std::string& asked = s.query.text("state");
  steward::MessageState state = steward::MessageState::dead;
  bool known = asked.empty();
  for (const auto one :
       {steward::MessageState::dead, steward::MessageState::waiting, steward::MessageState::sent}) {
    if (asked != steward::name_of(one)) continue;
    state = one;
    known = true;
  }
  if (!known) return refuse(Code::invalid_input, "state: one of dead, waiting, sent");
  TRY(const std::int64_t limit, s.query.number("limit", kPage, kPageMost));
  TRY(const auto rows, s.parts.notices->list(state, limit));
  Json list = Json::array();
  for (const steward::MessageRow& row : rows) list.push_back(render(row));
  return Answer{200, {{"messages", std::move(list)}}, {}, {}};
}

Result<Answer> show_message(Session& s) {
  std::int64_t id = 0;
  const char* end = s.subject.data() + s.subject.size();
  const auto read = std::from_chars(s.subject.data(), end, id);
  if (read.ec != std::errc{} || read.ptr != end)
    return refuse(Code::not_found, fmt::format("There is no message '{}'.", s.subject));
  TRY(const steward::MessageRow row, s.parts.notices->get(id));
  return Answer{200, render(row), {}, {}};
}

}  // namespace claviger::console
