// Scans a history: objects, then commits, then places.
#include "scan/git_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>

#include "scan/git_changes.hpp"
#include "scan/git_history_scan.hpp"
#include "scan/git_sweep.hpp"

namespace claviger::scan {

Result<HistoryReport> scan_history(const GitRepository& repository, const HistoryOptions& options,
                                   const std::shared_ptr<const detect::Engine>& engine,
                                   HistoryProgress& progress) {
  return HistoryScan(repository, options, engine, progress).run();
}

std::string date_text(const HistoryCommit& commit) {
  const std::chrono::sys_seconds local{std::chrono::seconds(commit.time_s + 60 * commit.zone_minutes)};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  const int zone = std::abs(commit.zone_minutes);
  const std::string offset =
      zone == 0 ? "Z"
                : fmt::format("{}{:02}:{:02}", commit.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(), offset);
}

Result<HistoryReport> HistoryScan::run() {
  outlive_lost_pages();
  const std::uint64_t lost = lost_pages();
  TRY(database_, repository_.objects(problems_));
  is_promised_ = repository_.is_partial() || database_->has_promisor();
  reader_ = std::make_unique<ObjectReader>(*database_, limits::kGitCommitCache, limits::kGitCommit);
  TRY_VOID(choose());
  const std::vector<ObjectId> shallow = repository_.shallow(problems_);
  if (!shallow.empty())
    report_.notes.push_back(
        "This is a shallow clone: the history before its first commits is not here and was "
        "not scanned (git fetch --unshallow brings it).");
  const bool every_commit = options_.all_objects && !restricted();
  if (every_commit) {
    scan_objects();
    choice_.tips.insert(choice_.tips.end(), hits_.commits.begin(), hits_.commits.end());
  }
  const auto load_commits = [&] { commits_ = CommitTable::load(*database_, choice_, shallow, problems_); };
  if (!every_commit && !restricted()) {
    const std::jthread beside(load_commits);  // neither needs the other
    scan_objects();
  } else {
    progress_.phase = HistoryProgress::Phase::commits;
    load_commits();
    if (!every_commit) scan_objects();
  }

  std::vector<ObjectId> hot;
  hot.reserve(hits_.blobs.size());
  std::ranges::sort(hits_.blobs, {}, &HotBlob::id);
  for (const HotBlob& blob : hits_.blobs) hot.push_back(blob.id);
  HotTrees trees(*database_, hot, promised(), problems_);
  const std::vector<Signature> roots = read_trees(trees);
  progress_.phase = HistoryProgress::Phase::places;
  Places places(trees, hits_.blobs);
  Signature head = kCold;
  if (const auto id = repository_.head())
    if (const auto object = reader_->read(*id))
      if (const auto commit = parse_commit(*object->bytes, repository_.hash()))
        head = HotTreeReader(trees, limits::kGitTreeCache).signature(commit->tree);
  places.find(commits_, roots, head);
  tell_places(places);
  tell_messages();
  if (every_commit) tell_loose_ends(places);

  std::ranges::sort(report_.places, {}, [](const HistoryPlace& place) {
    return std::tuple(std::string_view(place.path), place.first ? place.first->time_s : 0, place.at.line,
                      place.at.column, place.object);
  });
  report_.commits = commits_.order().size();
  report_.missing = trees.missing();
  if (report_.missing > 0)
    report_.notes.push_back(
        fmt::format("{} objects that a remote has promised are not here and were not scanned "
                    "(a partial clone).",
                    report_.missing));
  report_.allowed = hits_.allowed;
  if (lost_pages() > lost)
    problems_.add(repository_.common_dir(),
                  "a file of it was cut off while it was read; what stood there is not scanned");
  report_.problem_count = problems_.count();
  report_.problems = problems_.take();
  return std::move(report_);
}

Result<void> HistoryScan::choose() {
  choice_.since_s = options_.since_s;
  if (!options_.range.empty()) return choose_range();
  for (const std::string& branch : options_.branches) {
    auto id = repository_.find_ref(branch);
    if (const auto named = resolve(repository_, *reader_, *database_, branch); !id && named) id = *named;
    if (!id) {
      const std::string say = fmt::format("there is no branch {} in {}.", branch, repository_.common_dir());
      return fail(Code::invalid_input, say, say);
    }
    choice_.tips.push_back(*id);
  }
  if (!options_.branches.empty()) return {};
  for (const GitRef& ref : repository_.refs(problems_)) choice_.tips.push_back(ref.id);
  if (options_.all_objects)
    for (const ObjectId& id : repository_.remembered(problems_))
      if (database_->find_packed(id) || database_->map_loose(id))
        choice_.tips.push_back(id);  // gc may have come
  return {};
}

Result<void> HistoryScan::choose_range() {
  const std::size_t dots = options_.range.find("..");
  if (dots == std::string::npos || options_.range.compare(dots, 3, "...") == 0) {
    const std::string say = fmt::format("a range is written A..B, not {}.", options_.range);
    return fail(Code::invalid_input, say, say);
  }
  const std::string from = options_.range.substr(0, dots);
  const std::string to = options_.range.substr(dots + 2);
  TRY(const ObjectId last, resolve(repository_, *reader_, *database_, to.empty() ? "HEAD" : to));
  choice_.tips.push_back(last);
  TRY(const ObjectId first, resolve(repository_, *reader_, *database_, from.empty() ? "HEAD" : from));
  choice_.excluded.push_back(first);
  return {};
}

void HistoryScan::scan_objects() {
  progress_.phase = HistoryProgress::Phase::objects;
  progress_.done = 0;
  progress_.total = 0;
  if (restricted() && commits_.order().size() <= limits::kGitFewCommits) {
    scan_changes();
  } else {
    sweep_all();
  }
}

void HistoryScan::sweep_all() {
  SweepOptions options;
  options.threads = options_.threads;
  options.memory = options_.memory;
  options.done = &progress_.done;
  options.total = &progress_.total;
  const CollectCommits collect =
      options_.all_objects && !restricted() ? CollectCommits::yes : CollectCommits::no;
  const SweepStats stats = sweep(*database_, options, problems_, [&] {
    return std::make_unique<HitCollector>(engine_, options_.archives, collect, hits_, problems_);
  });
  report_.objects = stats.objects;
  report_.bytes = stats.bytes;
}

void HistoryScan::scan_changes() {
  HitCollector collector(engine_, options_.archives, CollectCommits::no, hits_, problems_);
  ObjectReader reader(*database_, options_.memory / 4, limits::kGitObject);
  const auto scan = [&](const ObjectId& id, std::string_view type) {
    ++progress_.done;
    const auto object = reader.read(id);
    if (!object) {
      if (promised() && object.error().code == Code::not_found) {
        return;  // counted when its tree is read
      }
      problems_.add(fmt::format("{} {}", type, id.hex()), object.error());
      return;
    }
    SweptObject swept;
    swept.id = id;
    swept.type = object->type;
    swept.bytes = *object->bytes;
    collector.visit(swept);
    ++report_.objects;
    report_.bytes += object->bytes->size();
  };
  const auto blobs = changed_blobs(*database_, commits_, promised(), problems_);
  progress_.total = blobs.size() + commits_.order().size();
  for (const ObjectId& id : blobs) scan(id, "blob");
  for (const std::uint32_t commit : commits_.order()) scan(commits_.nodes()[commit].id, "commit");
}

std::vector<Signature> HistoryScan::read_trees(HotTrees& trees) {
  std::vector<std::uint32_t> wanted(commits_.order());
  std::ranges::reverse(wanted);  // the newest first, as packs have them
  wanted.insert(wanted.end(), commits_.border().begin(), commits_.border().end());
  std::vector<Signature> roots(commits_.nodes().size(), kCold);
  progress_.phase = HistoryProgress::Phase::commits;
  progress_.done = 0;
  progress_.total = wanted.size();
  const unsigned threads = std::max(1U, options_.threads);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    HotTreeReader reader(trees, std::min(limits::kGitTreeCache, options_.memory / (8 * threads)));
    constexpr std::size_t kBatch = 256;
    for (std::size_t begin = next.fetch_add(kBatch); begin < wanted.size(); begin = next.fetch_add(kBatch)) {
      const std::size_t end = std::min(begin + kBatch, wanted.size());
      for (std::size_t i = begin; i < end; ++i)
        roots[wanted[i]] = reader.signature(commits_.nodes()[wanted[i]].tree);
      progress_.done += end - begin;
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return roots;
}

}  // namespace claviger::scan
