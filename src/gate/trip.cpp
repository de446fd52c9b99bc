// Choosing among credentials, and telling what became of them.
#include "gate/trip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "gate/counted.hpp"
#include "gate/mint.hpp"

namespace claviger::gate {

void note(Lane& lane, const CredentialEntry& credential, provider::Finding finding,
          std::int64_t retry_after_ms) {
  const std::int64_t now_ns = lane.shared().clock.monotonic_ns();
  const Bench::Turn turn = lane.shared().bench->note(credential, finding, retry_after_ms, now_ns);
  const bool of_key = finding == provider::Finding::refused || finding == provider::Finding::no_money;
  if (turn == Bench::Turn::none || !of_key) return;
  const std::string subject = "credential:" + credential.id;
  const bool benched = turn == Bench::Turn::benched;
  const std::string message = fmt::format(
      "The provider {} the credential '{}'{}.",
      finding == provider::Finding::refused ? "refused" : "has no more money for the account of",
      credential.name, benched ? ": it rests, and others carry its traffic where there are any" : " once");
  journal::Alert alert;
  alert.at = lane.now();
  alert.kind = benched ? "credential_benched" : "credential_suspect";
  alert.subject = subject;
  alert.window_start = alert.at;
  alert.message = message;
  lane.journal().append(alert);
}

std::int64_t retry_after_ms(const wire::Headers& headers) {
  const auto number = [&](std::string_view name) -> std::int64_t {
    const std::string_view text = headers.find(name);
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && value > 0
               ? std::min(value, limits::kBenchLongestMs)
               : 0;
  };
  const std::int64_t ms = number("retry-after-ms");
  return ms > 0 ? ms : number("retry-after") * 1000;
}

Keyring keyring(Lane& lane) { return {lane.shared().vault, *lane.shared().tokens, lane.now()}; }

net::Task<Result<void>> ready_token(Lane& lane, const CredentialEntry& credential) {
  Shared& shared = lane.shared();
  const bool needed = credential.provider->proof == provider::Proof::service_account &&
                      !shared.tokens->has(credential, lane.now());
  if (!needed) co_return Result<void>();
  if (auto failed = shared.tokens->failure(credential, lane.clock().monotonic_ns()))
    co_return std::unexpected(std::move(*failed));
  if (lane.token_waits >= limits::kTokenWaits)
    co_return fail(Code::overloaded, "as many requests wait for tokens as may",
                   "Too many requests are waiting for an access token: try again in a moment.");
  const Counted waits(lane.token_waits);
  const MintParts parts{shared.clock, shared.vault, *shared.tokens, shared.workers, shared.upstream_tls};
  // By value: the lane may stop waiting before the thread is done.
  const auto job = [credential, parts] { return mint(credential, parts); };
  auto minted = co_await net::on_worker(shared.minters->of(credential), lane.loop(), job);
  if (!minted.done && minted.tried) {
    const bool refused = minted.done.error().code == Code::credential_unavailable;
    note(lane, credential, refused ? provider::Finding::refused : provider::Finding::unreachable);
  }
  co_return std::move(minted.done);
}

Trip plan_trip(Lane& lane, const Request& request, Admission& admission, const World& world, Docket& docket) {
  Grant& grant = admission.grant;
  Trip trip;
  trip.hold.emplace(std::move(admission.hold));
  const CredentialEntry* first = grant.credential;
  if (!request.provider.empty() && request.provider == first->name) return trip;
  trip.others = world.candidates(first->provider->name, first->environment);
  const std::string& asked = grant.named_model;
  std::erase_if(trip.others,
                [&](const CredentialEntry* one) { return one->model_behind(asked) != grant.ask.model; });
  if (trip.others.empty()) return trip;
  grant.credential = lane.shared().bench->pick(trip.others, lane.shared().clock.monotonic_ns());
  std::erase(trip.others, grant.credential);
  if (grant.credential != first) docket.goes_to(grant.credential->id);
  return trip;
}

void move_on(Lane& lane, Admission& admission, Docket& docket, Trip& trip) {
  ++trip.attempts;
  Grant& grant = admission.grant;
  grant.credential = lane.shared().bench->pick(trip.others, lane.shared().clock.monotonic_ns());
  std::erase(trip.others, grant.credential);
  lane.shared().bench->moved_on();
  if (docket.is_exposed()) docket.again();
  docket.goes_to(grant.credential->id);
}

}  // namespace claviger::gate
