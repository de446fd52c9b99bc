// What becomes of the simulated key file.
#include "loop_files.hpp"

#include <algorithm>

namespace claviger::sim {
namespace {

constexpr std::int64_t kReloadNs = std::int64_t{1'500} * 1'000'000;

std::unexpected<Error> untold(std::string_view what) { return fail(Code::io_failed, std::string(what)); }

}  // namespace

void LoopFiles::write_by_hand(const std::string& secret) {
  file_ = {secret};
  readings_ = {{clock_.now(), file_}};
}

void LoopFiles::write(std::string_view lines) {
  file_.clear();
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    file_.emplace_back(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

void LoopFiles::reload() {
  const Time soon{clock_.now().ns + static_cast<std::int64_t>(rng_.below(kReloadNs))};
  readings_.push_back({readings_.empty() ? soon : std::max(soon, readings_.back().from), file_});
}

void LoopFiles::let_through(Weather weather) {
  const std::uint64_t fate = weather == Weather::foul ? rng_.below(8) : 7;
  if (waiting_.empty()) {
    if (fate == 0) reload();
    return;
  }
  auto [lines, done] = std::move(waiting_.front());
  waiting_.pop_front();
  if (fate == 0) return done(untold("the folder cannot be written"));
  write(lines);
  if (fate == 1) return done(untold("the reload command failed"));
  reload();
  if (fate == 2) return done(untold("the reload command took too long"));
  done({});
}

void LoopFiles::caller_dies() {
  for (; !waiting_.empty(); waiting_.pop_front()) {
    if (rng_.below(2) == 0) continue;
    write(waiting_.front().first);
    if (rng_.below(2) == 0) reload();
  }
}

bool LoopFiles::accepts(std::string_view secret) const {
  const Time now = clock_.now();
  const auto read = std::ranges::find_if(readings_.rbegin(), readings_.rend(),
                                         [&](const Reading& one) { return one.from <= now; });
  return read != readings_.rend() && std::ranges::find(read->secrets, secret) != read->secrets.end();
}

}  // namespace claviger::sim
