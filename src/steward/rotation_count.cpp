// Asking a provider what it counts of a key: use, then cost, page by page.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/wipe.hpp"
#include "steward/rotation_case.hpp"
#include "steward/rotation_look.hpp"

namespace claviger::steward {

using provider::Operation;

// One question under way.
struct Rotations::Count {
  Case about;
  std::string key;  // the provider's id
  Time from, to;    // of the exposure
  Operation what = Operation::usage;
  std::string page;
  std::size_t pages = 0;
  ProviderCount found;
  CountDone done;

  ReportSpan span() const { return report_span(*about.adapter->find(what), from, to); }
};

namespace {

std::unexpected<Error> cannot(std::string_view why) { return refuse(Code::conflict, std::string(why)); }

}  // namespace

// The provider's id of a version's key: as a rotation has learnt it, else as the link says.
std::string Rotations::key_of(const Case& made, std::int64_t version) const {
  const auto all = list(made.credential.id);
  if (all)
    for (const Rotation& one : *all) {
      if (one.new_version == version && !one.new_key.empty()) return one.new_key;
      if (one.old_version == version && !one.old_key.empty()) return one.old_key;
    }
  const vault::CredentialVersion* current = made.credential.current();
  return current != nullptr && current->number == version ? made.known_key : std::string();
}

void Rotations::count_at_provider(std::string_view credential, std::int64_t version, Time from, Time to,
                                  CountDone done) {
  Rotation about;
  about.credential = std::string(credential);
  auto made = open_case(std::move(about));
  if (!made) return done(std::unexpected(std::move(made).error()));
  if (parts_.outside == nullptr) return done(cannot("No server runs."));
  if (!made->admin) return done(cannot("No admin credential is linked that could ask the provider."));
  if (!made->adapter->offers(Operation::usage) && !made->adapter->offers(Operation::cost))
    return done(cannot("The provider has no API that tells the use of one key."));
  auto count = std::make_shared<Count>();
  count->key = key_of(*made, version);
  if (count->key.empty()) return done(cannot("The provider's id of the key is not known."));
  count->about = std::move(*made);
  count->from = from, count->to = to;
  if (!count->about.adapter->offers(Operation::usage)) count->what = Operation::cost;
  count->done = std::move(done);
  ask_count(std::move(count));
}

void Rotations::ask_count(std::shared_ptr<Count> count) {
  const Case& about = count->about;
  const ReportSpan span = count->span();
  provider::Values values{{"id", count->key}, {"from", format_time(span.from)}, {"to", format_time(span.to)}};
  if (!count->page.empty()) values["page"] = count->page;
  const auto asked = provider::call_of(*about.adapter, count->what, about.link, values);
  if (!asked) return count->done(std::unexpected(asked.error()));
  const Bearer bearer{about.admin->id, about.admin_version()};
  envoy_.send(*parts_.outside, *asked, bearer, [this, count, values](Result<OutsideAnswer> answer) {
    if (!answer) return count->done(std::unexpected(std::move(answer).error()));
    const Heard heard = heard_of(count->about, count->what, *answer);
    if (heard.kind != Heard::Kind::done)
      return count->done(fail_upstream(Code::upstream_failed, heard.trouble, heard.trouble));
    auto page = provider::read_usage(*count->about.adapter, count->what, values, answer->body);
    if (!page) return count->done(std::unexpected(std::move(page).error()));
    take_count(count, *page);
  });
}

void Rotations::take_count(std::shared_ptr<Count> count, const provider::UsagePage& page) {
  ProviderCount& found = count->found;
  const bool of_use = count->what == Operation::usage;
  (of_use ? found.tells_use : found.tells_cost) = true;
  (of_use ? found.use : found.cost) = count->span();
  for (const provider::ProviderUsage& row : page.rows) {
    if (of_use) {
      found.calls += row.requests;
      found.input_tokens += row.input_tokens;
      found.output_tokens += row.output_tokens;
    }
    if (!row.cost) continue;
    found.tells_cost = true;
    found.cost = count->span();
    found.spent = saturating_add(found.spent, *row.cost);
  }
  count->page = page.next;
  if (!count->page.empty() && ++count->pages < limits::kAdminPages) return ask_count(std::move(count));
  const bool more = of_use && count->about.adapter->offers(Operation::cost);
  if (!more) return count->done(std::move(found));
  count->what = Operation::cost;
  count->page.clear();
  count->pages = 0;
  ask_count(std::move(count));
}

}  // namespace claviger::steward
