// One record per request.
#include "gate/docket.hpp"

#include "base/check.hpp"
#include "base/limits.hpp"

namespace claviger::gate {

Docket::Docket(journal::Writer& journal, const Clock& clock, std::string request_id)
    : journal_(journal), clock_(clock), request_id_(std::move(request_id)), opened_ns_(clock.monotonic_ns()) {
  receipt_.req = request_id_;
}

Docket::~Docket() { close(); }

void Docket::identified(const identity::Key& key) {
  receipt_.key = key.id;
  receipt_.lineage = key.lineage;
  receipt_.team = key.team;
  receipt_.project = key.project;
  receipt_.environment = key.environment;
}

void Docket::granted(std::string_view provider, std::string_view model, std::string_view credential,
                     std::string_view price_version) {
  receipt_.provider = provider;
  model_ = model;
  receipt_.model = model_;
  receipt_.credential = credential;
  receipt_.price_version = price_version;
}

void Docket::keep_texts() {
  user_agent_ = receipt_.user_agent;
  receipt_.user_agent = user_agent_;
}

void Docket::refused(const Error& error) {
  check(!exposed_, "a request that was exposed ends with a receipt");
  refusal_ = error.code;
  refused_by_ = error.origin;
}

void Docket::exposed(journal::Intent intent) {
  check(!exposed_ && !closed_, "an intent is written once");
  intent.req = receipt_.req;
  intent.key = receipt_.key;
  intent.team = receipt_.team;
  intent.project = receipt_.project;
  intent.environment = receipt_.environment;
  intent.lineage = receipt_.lineage;
  intent.provider = receipt_.provider;
  intent.route = receipt_.route;
  intent.model = receipt_.model;
  intent.credential = receipt_.credential;
  exposed_ = true;
  receipt_.intent_at = intent.at;
  receipt_.credential_version = intent.credential_version;
  receipt_.hold_nanousd = intent.hold_nanousd;
  // What stands when nothing better becomes known, an early destruction included.
  receipt_.outcome = journal::Outcome::internal;
  receipt_.cost_nanousd = intent.hold_nanousd;
  receipt_.estimated = true;
  receipt_.presumed = true;
  journal_.append(intent);
}

void Docket::ended(const Ending& ending) {
  check(exposed_ && !ended_, "an exposed request ends once");
  ended_ = true;
  receipt_.status = ending.status;
  receipt_.outcome = ending.outcome;
  receipt_.usage = ending.usage;
  receipt_.cost_nanousd = ending.cost;
  receipt_.estimated = ending.estimated;
  receipt_.presumed = ending.presumed;
}

void Docket::interrupted(journal::Outcome outcome) {
  if (exposed_ && !ended_ && !closed_) receipt_.outcome = outcome;
}

void Docket::again() {
  check(exposed_ && closed_, "an attempt ends before the next begins");
  if (attempt_ == 1) base_id_ = request_id_;
  request_id_ = base_id_ + "." + std::to_string(++attempt_);
  receipt_.req = request_id_;
  receipt_.usage = {};
  receipt_.bytes_out = 0;
  exposed_ = ended_ = closed_ = false;
  first_byte_ns_ = 0;
}

void Docket::close() {
  if (closed_) return;
  closed_ = true;
  // While the disk is full, refusals, which cost nothing, must not pile up in memory for ever.
  if (!exposed_ && !journal_.healthy() && journal_.pending() > limits::kJournalSegment) return;
  if (!exposed_) {
    journal_.append(journal::Refusal{clock_.now(), receipt_.req, receipt_.key, refusal_, refused_by_,
                                     http_status(refusal_), receipt_.route, receipt_.model, receipt_.ip});
    return;
  }
  const std::int64_t now = clock_.monotonic_ns();
  receipt_.at = clock_.now();
  receipt_.ms = (now - opened_ns_) / 1'000'000;
  receipt_.ttfb_ms = first_byte_ns_ == 0 ? 0 : (first_byte_ns_ - opened_ns_) / 1'000'000;
  journal_.append(receipt_);
}

}  // namespace claviger::gate
