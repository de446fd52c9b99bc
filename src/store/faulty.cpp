// Scripted failures around another store.
#include "store/faulty.hpp"

namespace claviger::store {
namespace {

std::unexpected<Error> scripted(std::string_view what) {
  return fail(Code::store_unavailable, "store: scripted failure " + std::string(what));
}

}  // namespace

void FaultyStore::fail_write(std::uint64_t nth, Fault fault) {
  const Lock lock(mutex_);
  plan_[writes_ + nth] = fault;
}

void FaultyStore::set_down() {
  const Lock lock(mutex_);
  down_ = true;
}

void FaultyStore::set_up() {
  const Lock lock(mutex_);
  down_ = false;
}

std::uint64_t FaultyStore::writes() const {
  const Lock lock(mutex_);
  return writes_;
}

std::optional<Fault> FaultyStore::next_fault() {
  const Lock lock(mutex_);
  if (down_) return Fault::before;
  const auto planned = plan_.extract(++writes_);
  return planned.empty() ? std::nullopt : std::optional(planned.mapped());
}

Result<void> FaultyStore::write(Work work) {
  const std::optional<Fault> fault = next_fault();
  if (!fault) return inner_.write(std::move(work));
  if (*fault == Fault::before) return scripted("before the work");
  if (*fault == Fault::after_commit) {
    TRY_VOID(inner_.write(std::move(work)));
    return scripted("after the commit");
  }
  return inner_.write([&](Tx& tx) -> Result<void> {
    TRY_VOID(work(tx));
    return scripted("of the commit");
  });
}

bool FaultyStore::is_down() const {
  const Lock lock(mutex_);
  return down_;
}

Result<void> FaultyStore::read(Work work) {
  if (is_down()) return scripted("of a read");
  return inner_.read(std::move(work));
}

Result<void> FaultyStore::scrub() {
  if (is_down()) return scripted("of a scrub");
  return inner_.scrub();
}

}  // namespace claviger::store
