// Petitions, one after the other, to the admin API.
#include "app/petitions.hpp"

#include "base/secret.hpp"

namespace claviger::app {
namespace {

console::ApiRequest request_of(const gate::Petition& petition) {
  console::ApiRequest request;
  request.method = petition.method;
  request.path = petition.path;
  request.query = petition.query;
  request.content_type = petition.content_type;
  request.idempotency_key = petition.idempotency_key;
  request.request_id = petition.request_id;
  request.ip = petition.ip;
  request.body = petition.body;
  return request;
}

void refuse_closed(gate::Petition& petition) {
  petition.answer = fail(Code::shutting_down, "the steward has ended");
}

}  // namespace

void Petitions::lay_down(std::shared_ptr<gate::Petition> petition, std::function<void()> done) {
  {
    const std::scoped_lock lock(lock_);
    if (!closed_) {
      waiting_.emplace_back(std::move(petition), std::move(done));
      steward_.post([this] { answer_next(); });
      return;
    }
  }
  refuse_closed(*petition);
  done();
}

void Petitions::answer_next() {
  Waiting next;
  {
    const std::scoped_lock lock(lock_);
    if (waiting_.empty()) return;
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  gate::Petition& petition = *next.first;
  console::ApiRequest request = request_of(petition);
  auto answer = api_.petition(request, petition.key);
  wipe_memory(request.body.data(), request.body.size());
  if (answer)
    petition.answer =
        gate::PetitionAnswer{answer->status, std::move(answer->body), std::move(answer->headers)};
  else
    petition.answer = std::unexpected(std::move(answer).error());
  next.second();
}

void Petitions::close() {
  std::deque<Waiting> rest;
  {
    const std::scoped_lock lock(lock_);
    closed_ = true;
    rest.swap(waiting_);
  }
  for (auto& [petition, done] : rest) {
    refuse_closed(*petition);
    done();
  }
}

}  // namespace claviger::app
