// The ledger's face: handles that do the safe thing when they are dropped.
#include "ledger/ledger.hpp"

#include <utility>

#include "base/check.hpp"
#include "ledger/book.hpp"

namespace claviger::ledger {

Hold::Hold(Hold&& other) noexcept
    : book_(std::exchange(other.book_, nullptr)),
      ticket_(std::exchange(other.ticket_, nullptr)),
      about_(other.about_) {}

Hold::~Hold() {
  if (ticket_) book_->release(*ticket_);
}

Exposure::Exposure(Hold&& hold) noexcept
    : book_(std::exchange(hold.book_, nullptr)),
      ticket_(std::exchange(hold.ticket_, nullptr)),
      open_(book_ != nullptr),
      about_(hold.about_) {}

Exposure::Exposure(Exposure&& other) noexcept
    : book_(std::exchange(other.book_, nullptr)),
      ticket_(std::exchange(other.ticket_, nullptr)),
      open_(std::exchange(other.open_, false)),
      about_(other.about_) {}

Exposure::~Exposure() {
  if (open_) finish(about_.worst, about_.tokens, Knowledge::presumed);
}

Posting Exposure::finish(Nanousd cost, std::int64_t tokens, Knowledge knowledge) {
  check(open_, "an exposure is posted once");
  check(cost.value >= 0 && tokens >= 0, "a cost is not negative");
  open_ = false;
  Posting posting;
  posting.hold = about_.worst;
  posting.cost = cost;
  posting.tokens = tokens;
  posting.reserved_at = about_.reserved_at;
  posting.presumed = knowledge == Knowledge::presumed;
  posting.overrun = cost > about_.worst;
  return ticket_ ? book_->post(*std::exchange(ticket_, nullptr), posting) : posting;
}

Posting post(Exposure&& exposure, Nanousd cost, std::int64_t tokens) {
  return exposure.finish(cost, tokens, Exposure::Knowledge::known);
}

Posting post_presumed(Exposure&& exposure) {
  return exposure.finish(exposure.about_.worst, exposure.about_.tokens, Exposure::Knowledge::presumed);
}

Ledger::Ledger(std::unique_ptr<Book> book) : book_(std::move(book)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(store::Store& store, std::uint64_t epoch, UsageSum usage) {
  auto book = std::make_unique<Book>(store, epoch, std::move(usage));
  TRY_VOID(book->load());
  return std::unique_ptr<Ledger>(new Ledger(std::move(book)));
}

Account Ledger::account(const AccountPath& path, const RateLimits& limits,
                        std::span<const RateLimits> above) {
  return Account(book_->seat(path, limits, above));
}

bool Ledger::has_blocking_budget(const Account& account) const {
  check(account.seat_ != nullptr, "an account was made by a ledger");
  return book_->has_blocking_budget(*account.seat_);
}

Result<Hold> Ledger::reserve(const Account& account, Nanousd worst, std::int64_t tokens, Time now) {
  check(account.seat_ != nullptr, "an account was made by a ledger");
  TRY(const Book::Taken taken, book_->reserve(*account.seat_, worst.value, tokens, now));
  return Hold(book_.get(), taken.ticket, Reservation{worst, tokens, taken.at});
}

Result<void> Ledger::put_budget(const Budget& budget) { return book_->put_budget(budget); }
Result<void> Ledger::remove_budget(std::string_view id) { return book_->remove_budget(id); }
std::vector<Budget> Ledger::budgets() const { return book_->budgets(); }

Result<std::vector<BudgetView>> Ledger::snapshot(Time now, std::string_view node) const {
  return book_->snapshot(now, node);
}

Result<void> Ledger::apply(store::Tx& tx, std::span<const Posted> posted, std::vector<Crossing>* crossed) {
  return book_->apply(tx, posted, crossed);
}

Result<void> Ledger::recover(store::Tx& tx, std::uint64_t epoch) { return book_->recover(tx, epoch); }
Result<void> Ledger::top_up(Time now) { return book_->top_up(now); }
Result<void> Ledger::close() { return book_->close(); }
Counters Ledger::counters() const { return book_->counters(); }
void Ledger::check_invariants() const { book_->check_invariants(); }

}  // namespace claviger::ledger
