// The exchange with the provider.
#include "gate/forward.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "gate/inject.hpp"
#include "gate/meter.hpp"
#include "gate/patience.hpp"
#include "gate/refusal.hpp"
#include "gate/response.hpp"
#include "gate/settle.hpp"
#include "gate/trip.hpp"
#include "provider/model_list.hpp"

namespace claviger::gate {
namespace {

constexpr std::int64_t kNone = INT64_MAX;
constexpr std::string_view kNothing;
constexpr std::size_t kSmallPiece = 4 * 1024;  // copied behind its head: cheaper than a second piece

// One exchange, from the intent to the receipt. Lives in forward's frame.
struct Exchange {
  Lane& lane;
  net::ServerConnection& client;
  Request& request;
  Admission& admission;
  Docket& docket;
  net::Stream& upstream;
  const Live& live;
  Trip& trip;
  Reply reply{};
  std::string lead{};     // the answer's head, until it leaves with the first bytes of the body
  std::string leaving{};  // what goes in front of the bytes that are being sent
  bool client_gone = false;
  bool head_sent = false;
  bool answered = false;  // the client has had a complete answer
  std::optional<ledger::Exposure> exposure{};
  ~Exchange() {
    if (lane.is_stopped()) docket.interrupted(journal::Outcome::shutdown);
  }
};

// A base URL keeps the brackets of an IPv6 address; an origin has none.
net::Origin origin_of(const provider::BaseUrl& base) {
  std::string_view host = base.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {base.scheme == "https", std::string(host), base.port};
}

Error lost_rights() { return {Code::stream_cut, Origin::policy, "the key lost its rights", {}, 0}; }
Error unrecorded() {
  return {Code::journal_unavailable, Origin::internal, "the intent could not be written", {}, 0};
}
Error upstream_error(Code code, std::string detail, std::string say = {}) {
  return {code, Origin::upstream, std::move(detail), std::move(say), 0};
}

journal::Outcome outcome_of(const Error& error, const Exchange& x) {
  if (x.live.was_cut()) return journal::Outcome::cut_by_revocation;
  if (x.client_gone) return journal::Outcome::client_gone;
  if (x.reply.status >= 300) return journal::Outcome::upstream_error;
  if (x.reply.status != 0) return journal::Outcome::upstream_cut;
  return error.code == Code::upstream_timeout ? journal::Outcome::upstream_timeout
                                              : journal::Outcome::upstream_failed;
}

bool note_sent(Exchange& x, const Result<void>& sent) {
  x.client.stream().set_deadline(kNone);
  x.client_gone = !sent;
  return sent.has_value();
}

net::Task<bool> finish_sending(Exchange& x, net::Prompt<Result<void>> sending) {
  const auto sent = co_await sending;
  co_return note_sent(x, sent);
}

// Sends to the client unless it has left. A client that stops reading or goes away only stops being sent to.
net::Prompt<bool> send(Exchange& x, std::string_view first, std::string_view second = {},
                       std::string_view third = {}) {
  if (x.client_gone) return false;
  x.upstream.set_deadline(kNone);  // the provider is not late while the client is slow
  x.client.stream().expire_after_ms(limits::kWriteStallMs);
  net::Prompt<Result<void>> sending = x.client.stream().write(first, second, third);
  if (sending.done()) return note_sent(x, sending.value());
  return finish_sending(x, std::move(sending));
}

// Puts the receipt on record; to be awaited before anything that may be the answer's last byte leaves.
Lane::Recorded settle_and_record(Exchange& x) {
  if (!x.exposure) return x.lane.nothing_to_record();
  x.docket.ended(settle(std::move(*x.exposure), x.admission.grant, x.reply));
  x.exposure.reset();
  x.docket.close();
  return x.lane.written();
}

net::Task<void> send_refusal(Exchange& x, const Error& error) {
  const std::string answer =
      refusal_response(error, x.request.dialect(), x.docket.request_id(), AfterRefusal::keep_alive);
  x.answered = true;
  co_await send(x, answer);
}

// The intent is on record but nothing went upstream: the hold goes back.
net::Task<void> give_up(Exchange& x, Error error) {
  Docket::Ending ending;
  ending.status = http_status(error.code);
  ending.outcome = x.live.was_cut() ? journal::Outcome::cut_by_revocation : journal::Outcome::upstream_failed;
  x.docket.ended(ending);
  x.docket.close();
  co_await x.lane.written();
  x.trip.hold.reset();
  co_await send_refusal(x, error);
}

// The answer cannot be had, or not to its end: settle, and tell the client in its dialect.
net::Task<void> break_off(Exchange& x, Error error, const Meter* meter) {
  x.reply.outcome = outcome_of(error, x);
  if (x.live.was_cut()) error = lost_rights();
  if (!x.head_sent) x.reply.status_sent = http_status(error.code);
  if (meter != nullptr) {
    x.reply.usage = meter->usage();
    x.reply.whole = meter->saw_end();
  }
  co_await settle_and_record(x);
  if (!x.head_sent) {
    co_await send_refusal(x, error);
  } else if (meter != nullptr && meter->is_stream()) {
    // Behind the stream's own end nothing may follow: the client has its whole answer. Gemini's have no end
    // marker: there only the framing says that nothing is missing.
    std::string frame;
    const provider::Route& route = x.request.route();
    if (!meter->saw_end() || route.dialect == provider::Dialect::gemini)
      frame = chunk(provider::stream_error(route.dialect, route.endpoint, error, x.docket.request_id(),
                                           meter->next_sequence()));
    x.answered = true;
    co_await send(x, frame, wire::kLastChunk);
  }
}

// A failed exchange has cost nothing and is on record; if the money can be held once more, another credential
// is asked. False: the client gets this answer after all.
net::Task<bool> try_another(Exchange& x) {
  if (!x.trip.goes_on() || x.client_gone || x.live.was_cut()) co_return false;
  x.reply.outcome = journal::Outcome::upstream_error;
  x.reply.whole = true;
  co_await settle_and_record(x);
  auto hold = reserve(x.admission.caller, x.admission.grant, x.lane.shared().ledger, x.lane.now());
  if (!hold) co_return false;
  x.trip.hold.emplace(std::move(*hold));
  co_return true;
}

// The answer's end has been read.
Lane::Recorded settle_complete(Exchange& x) {
  x.reply.outcome = x.client_gone           ? journal::Outcome::client_gone
                    : x.reply.status >= 300 ? journal::Outcome::upstream_error
                                            : journal::Outcome::completed;
  return settle_and_record(x);
}

journal::Intent intent_of(const Admission& admission, const ledger::Hold& hold, const World& world) {
  journal::Intent intent;
  intent.at = hold.reserved_at();
  intent.credential_version = admission.grant.credential->version;
  intent.hold_nanousd = hold.worst();
  intent.tokens = admission.grant.worst.tokens;
  intent.generation = world.generation;
  intent.stream = admission.grant.ask.stream;
  return intent;
}

// A stream whose framing ended but whose own end never came: SDKs would take it for a success.
bool ended_early(const Exchange& x, const Meter& meter) {
  return meter.is_stream() && x.reply.status < 300 && !meter.saw_end() && !meter.failed() &&
         !meter.overflowed() && x.request.dialect() != provider::Dialect::gemini;
}

// False: the client has gone and the rest is not worth reading.
bool expect_more(Exchange& x, Patience& patience) {
  const std::int64_t now = x.lane.loop().now_ns();
  if (x.client_gone) patience.client_left(now);
  x.upstream.set_deadline(patience.deadline_ns(now));
  return patience.worth_more();
}

// Sends bytes of the body, with the head before them when it has not left yet.
net::Prompt<bool> send_piece(Exchange& x, std::string_view bytes, Framing framing, bool last) {
  x.leaving = std::exchange(x.lead, {});
  std::string_view tail;
  if (framing == Framing::chunked && !bytes.empty()) {
    x.leaving += chunk_head(bytes.size());
    tail = last ? kChunkEndAndLast : kChunkEnd;
  } else if (framing == Framing::chunked && last) {
    tail = wire::kLastChunk;
  }
  x.head_sent = true;
  x.answered = last;
  if (bytes.size() > kSmallPiece) return send(x, x.leaving, bytes, tail);
  x.leaving.append(bytes).append(tail);
  return send(x, x.leaving);
}

// An answer whose head has been read.
struct Answer {
  net::ResponseReader reader;
  std::optional<Meter> meter{};  // once the head is known
  Framing framing = Framing::length;
  bool reusable = false;  // the upstream connection, when the body has come to its end

  bool leaves_connection() const { return reusable && reader.clean(); }
};

// Passes the body on, metered. True when the provider's answer came to its end, whatever became of the
// client.
net::Task<bool> relay(Exchange& x, Answer& answer) {
  net::ResponseReader& reader = answer.reader;
  Meter& meter = *answer.meter;
  Patience patience(x.lane.loop().now_ns());
  while (!reader.complete()) {
    if (!expect_more(x, patience)) {
      co_await break_off(x, upstream_error(Code::upstream_timeout, "read on long enough"), &meter);
      co_return false;
    }
    const auto piece = co_await reader.next_piece();
    if (!piece) {
      co_await break_off(x, piece.error(), &meter);
      co_return false;
    }
    patience.took(piece->size());
    const bool over = reader.complete();
    const std::string_view out = meter.pass(*piece, over ? Meter::Rest::none : Meter::Rest::follows);
    if (!x.client_gone) x.docket.sent(out.size());
    const bool early = over && ended_early(x, meter);
    if (!early && (over || meter.saw_end())) {
      x.reply.usage = meter.usage();
      x.reply.whole = meter.saw_end();
      co_await settle_complete(x);
    }
    co_await send_piece(x, out, answer.framing, over && !early);
    std::string().swap(x.leaving);  // a stream is silent most of its time
    if (early) co_await break_off(x, upstream_error(Code::upstream_failed, "stream without its end"), &meter);
  }
  co_return true;
}

// The body of an error, up to a bound: what it says of the credential is judged before the client hears of
// it. False: it broke off.
net::Task<bool> read_error(Exchange& x, net::ResponseReader& reader, std::string& body) {
  x.upstream.expire_after_ms(limits::kStreamSilenceMs);
  while (!reader.complete() && body.size() < limits::kErrorBody) {
    const auto piece = co_await reader.next_piece();
    if (!piece) co_return false;
    body.append(*piece);
  }
  co_return true;
}

// What must not reach the client as the provider said it. The provider's words may quote the key.
std::optional<Error> withheld(const wire::ResponseHead& head, const CredentialEntry& credential) {
  if (head.status == 401)
    return upstream_error(
        Code::credential_unavailable, fmt::format("credential {} was refused", credential.name),
        fmt::format("The provider refused the credential '{}': it was revoked, has expired or was "
                    "mistyped. An administrator must replace it.",
                    credential.name));
  if (head.status >= 300 && head.status < 400)
    return upstream_error(Code::upstream_malformed, fmt::format("redirect with status {}", head.status),
                          "The provider answered with a redirect, which is never followed.");
  return std::nullopt;
}

// The body as it goes upstream: the client's own bytes, or a copy with the gate's edits.
std::string_view outgoing_body(const Request& request, const Grant& grant, std::string& edited) {
  if (grant.edits.splices.empty()) return request.body;
  for (const std::string_view piece : provider::gather(request.body, grant.edits.splices))
    edited.append(piece);
  return edited;
}

// The key's own limits where it has any; the provider's are another account's.
std::string allowance_headers(const Exchange& x) {
  const KeyEntry& entry = x.admission.caller.entry();
  if (!entry.key.rates.rpm && !entry.key.rates.tpm) return {};
  std::string out;
  const Time now = x.lane.now();
  append_allowance(out, x.request.dialect(), x.lane.shared().ledger.allowance(entry.account, now), now);
  return out;
}

// "https://api.example.com", as a provider writes its own address.
std::string address_of(const provider::BaseUrl& base) {
  std::string out = base.scheme + "://" + base.host;
  if (base.port != (base.scheme == "https" ? 443 : 80)) out.append(":").append(std::to_string(base.port));
  return out;
}

// A list of models shows what its reader may use, under the gate's own address.
void change_list(const Exchange& x, int status, Meter& meter) {
  const Grant& grant = x.admission.grant;
  if (grant.route->endpoint != provider::Endpoint::models || status >= 300) return;
  const std::string_view host = x.request.head.headers.find("host");
  std::string own(x.lane.shared().inbound_tls == nullptr ? "http://" : "https://");
  own += host;
  const policy::Scope& scope = x.admission.caller.entry().scope;
  meter.change_list(
      [own = std::move(own), theirs = address_of(grant.credential->base), &scope](std::string_view body) {
        const auto may_use = [&scope](std::string_view model) {
          return scope.models.empty() || std::ranges::any_of(scope.models, [&](const std::string& glob) {
                   return policy::glob_match(glob, model);
                 });
        };
        return provider::readdressed(provider::cut_model_list(body, may_use), theirs, own);
      });
}

// A stream may run for long: it is not to hold what was asked along with it.
void forget_request(Exchange& x) {
  x.docket.keep_texts();
  x.request.body = {};
  x.client.consume();
  x.request.room.give_back();
}

// The bytes have left. The key goes, and the memory with it: a stream would hold it for as long as it runs.
void drop(Outbound) {}

enum class After : std::uint8_t { tell, another, broken };

// What an error says of the credential, and whether another one is asked instead of telling the client.
net::Task<After> judge_error(Exchange& x, net::ResponseReader& reader, std::string& body,
                             std::int64_t wait_ms) {
  const bool all_read = co_await read_error(x, reader, body);
  const CredentialEntry& credential = *x.admission.grant.credential;
  const provider::Finding finding =
      provider::verdict(provider::words_of(*credential.provider), x.reply.status, body);
  note(x.lane, credential, finding, wait_ms);
  if (finding == provider::Finding::refused) x.lane.shared().tokens->forget(credential);
  if (provider::worth_another(finding)) {
    const bool another = co_await try_another(x);
    if (another) co_return After::another;
  }
  if (all_read) co_return After::tell;
  co_await break_off(x, upstream_error(Code::upstream_failed, "an error broke off"), nullptr);
  co_return After::broken;
}

// From the exposure to the head of the answer, and what follows from that. False: no body is to be passed on.
net::Task<bool> ask_provider(Exchange& x, Outbound outbound, Answer& answer) {
  std::string edited;
  const std::string_view body = outgoing_body(x.request, x.admission.grant, edited);
  x.upstream.expire_after_ms(limits::kFirstByteTimeoutMs);
  x.exposure.emplace(std::move(*x.trip.hold));
  x.trip.hold.reset();
  const std::string_view behind = outbound.take_body(body) ? kNothing : body;
  const auto sent = co_await x.upstream.write(outbound.head(), behind);
  drop(std::move(outbound));
  wire::ResponseHead head;
  // A provider may refuse before it has taken the whole body, so a failed write still has its answer looked
  // for.
  auto read = co_await answer.reader.read_head(x.request.head.method, head);
  x.docket.first_byte();
  if (!read) {
    Error error = sent ? read.error() : sent.error();
    if (!x.client_gone && !x.live.was_cut())
      note(x.lane, *x.admission.grant.credential, provider::Finding::fault);
    co_await break_off(x, std::move(error), nullptr);
    co_return false;
  }
  x.reply.status = head.status;
  auto kept_back = withheld(head, *x.admission.grant.credential);
  const std::int64_t wait_ms = retry_after_ms(head.headers);
  Meter& meter = answer.meter.emplace(x.admission.grant, Meter::shape_of(head.headers.find("content-type")));
  change_list(x, head.status, meter);
  meter.note_head(head.headers);
  const bool has_length = head.framing == wire::Framing::length || head.framing == wire::Framing::none;
  // A stream is always sent in chunks, so that an error can still be put behind what has left already.
  const bool keeps_length = has_length && !meter.is_stream() && !meter.changes_bytes();
  answer.framing = keeps_length ? Framing::length : Framing::chunked;
  x.lead = response_head(head, answer.framing, x.docket.request_id(), allowance_headers(x));
  x.reply.status_sent = head.status;
  const bool reusable = head.keep_alive && sent.has_value();
  std::string error_body;
  if (head.status >= 400) {
    const After after = co_await judge_error(x, answer.reader, error_body, wait_ms);
    answer.reusable = reusable && after == After::another;
    if (after != After::tell) co_return false;
  } else {
    note(x.lane, *x.admission.grant.credential, provider::Finding::good);
  }
  if (kept_back) {
    co_await break_off(x, std::move(*kept_back), nullptr);
    co_return false;
  }
  answer.reusable = reusable;
  if (answer.reader.complete()) {
    x.reply.whole = meter.saw_end();
    if (!x.client_gone) x.docket.sent(error_body.size());
    co_await settle_complete(x);
    co_await send_piece(x, error_body, answer.framing, true);
    co_return false;
  }
  if (!error_body.empty()) co_await send_piece(x, error_body, answer.framing, false);
  // A head whose body is not here yet leaves at once: clients start their own clocks by it.
  if (!x.head_sent && !answer.reader.body_is_here()) co_await send_piece(x, kNothing, answer.framing, false);
  if (meter.is_stream()) forget_request(x);
  co_return true;
}

// From the exposure to the end of the answer. True when the upstream connection may be used again.
net::Task<bool> converse(Exchange& x, Outbound outbound) {
  Answer answer{net::ResponseReader(x.upstream)};
  const bool goes_on = co_await ask_provider(x, std::move(outbound), answer);
  const bool ended = !goes_on || co_await relay(x, answer);
  co_return ended&& answer.leaves_connection();
}

// How an attempt ended for the connection, or that the next credential is to be asked.
enum class Attempt : std::uint8_t { keep, close, again };

net::Task<Attempt> answer_unreachable(net::ServerConnection& client, const Request& request, Docket& docket,
                                      Error error) {
  docket.refused(error);
  docket.close();
  const std::string answer =
      refusal_response(error, request.dialect(), docket.request_id(), AfterRefusal::keep_alive);
  client.stream().expire_after_ms(limits::kWriteStallMs);
  const auto told = co_await client.stream().write(answer);
  co_return told ? Attempt::keep : Attempt::close;
}

// One credential's turn. The hold is spent when the exchange began, and untouched when no connection came.
net::Task<Attempt> attempt(Lane& lane, net::ServerConnection& client, Request& request, Admission& admission,
                           const World& world, Docket& docket, Trip& trip) {
  const auto token = co_await ready_token(lane, *admission.grant.credential);
  if (!token) {
    if (trip.goes_on()) co_return Attempt::again;
    const Attempt told = co_await answer_unreachable(client, request, docket, token.error());
    co_return told;
  }
  const net::Origin origin = origin_of(admission.grant.credential->base);
  auto connected = co_await lane.upstreams().acquire(origin);
  if (!connected) {
    note(lane, *admission.grant.credential, provider::Finding::unreachable);
    if (trip.goes_on()) co_return Attempt::again;
    const Attempt told = co_await answer_unreachable(client, request, docket, connected.error());
    co_return told;
  }
  std::unique_ptr<net::Stream> upstream = std::move(*connected);
  const Live live(lane, admission.caller.key().id, *upstream);
  Exchange x{lane, client, request, admission, docket, *upstream, live, trip};
  docket.exposed(intent_of(admission, *trip.hold, world));
  const bool on_record = co_await lane.recorded();
  if (live.was_cut()) {
    co_await give_up(x, lost_rights());
  } else if (!on_record) {
    co_await give_up(x, unrecorded());
  } else if (auto outbound = Injector::inject(request, admission.grant, *trip.hold, keyring(lane));
             !outbound) {
    co_await give_up(x, outbound.error());
  } else {
    docket.sent_with(outbound->credential_version());
    const bool reusable = co_await converse(x, std::move(*outbound));
    if (reusable) lane.upstreams().release(origin, std::move(upstream));
  }
  if (trip.hold) co_return Attempt::again;
  co_return x.answered && !x.client_gone ? Attempt::keep : Attempt::close;
}

}  // namespace

net::Task<Connection> forward(Lane& lane, net::ServerConnection& client, Request& request,
                              Admission& admission, const World& world, Docket& docket) {
  Trip trip = plan_trip(lane, request, admission, world, docket);
  for (;;) {
    const Attempt ended = co_await attempt(lane, client, request, admission, world, docket, trip);
    if (ended != Attempt::again) co_return ended == Attempt::keep ? Connection::keep : Connection::close;
    move_on(lane, admission, docket, trip);
  }
}

}  // namespace claviger::gate
