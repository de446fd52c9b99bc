// Recording and publishing changes.
#include "console/change.hpp"

#include <fmt/format.h>

namespace claviger::console {
namespace {

Result<void> append(Session& s, std::string_view action, std::string_view subject, std::string_view detail) {
  journal::Admin record;
  record.at = s.now;
  record.actor = s.actor.name;
  record.role = s.actor.via == Via::key ? std::string_view("key") : identity::role_name(s.actor.role);
  record.action = action;
  record.subject = subject;
  record.detail = detail;
  record.ip = s.request.ip;
  s.parts.writer.append(record);
  return s.parts.writer.flush();
}

}  // namespace

Result<void> record(Session& s, const Change& change) {
  // An older failure must clear before another record may join its batch.
  if (!s.parts.writer.flush() || !s.parts.writer.healthy() ||
      !append(s, change.action, change.subject, change.detail))
    return fail(Code::journal_unavailable, "the steward's journal cannot be written",
                "The journal cannot be written, so nothing may be changed.");
  return {};
}

void record_failure(Session& s, const Change& change, const Error& error) {
  const std::string action = fmt::format("{}.failed", change.action);
  // When even this cannot be written it stays in the batch for the next flush.
  (void)append(s, action, change.subject, code_name(error.code));
}

Result<void> put_in_force(Session& s) {
  auto published = s.parts.republish();
  if (published) return {};
  Error error = std::move(published).error();
  error.say = fmt::format("The change is stored but not yet in force: {}", told(error));
  return std::unexpected(std::move(error));
}

}  // namespace claviger::console
