// Tells the places of a history: the hits themselves again, with their path, commits and people.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "scan/git_history_scan.hpp"

namespace claviger::scan {

namespace {

constexpr std::size_t kBatch = 16;  // groups taken at once

// Places that stand in one blob at one path; they are told from one scan of it.
using Group = std::vector<const Place*>;

// As they lie in the packs, so that bases of deltas are still at hand.
std::vector<Group> groups_of(const Places& places, const std::vector<HotBlob>& blobs,
                             const ObjectDatabase& database) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Group> by_place;
  for (const Place& place : places.all())
    if (!place.old) by_place[{place.blob, place.path}].push_back(&place);
  using Where = std::pair<std::uint32_t, std::uint64_t>;
  std::vector<std::pair<Where, Group>> located;
  for (auto& [key, group] : by_place) {
    const auto packed = database.find_packed(blobs[key.first].id);
    const Where where =
        packed ? Where{packed->pack, database.packs()[packed->pack]->index().offset(packed->nth)} : Where{};
    located.emplace_back(where, std::move(group));
  }
  std::ranges::sort(located, std::greater(),
                    [](const auto& one) { return std::pair(one.first, one.second.front()); });
  std::vector<Group> out;
  for (auto& [where, group] : located) out.push_back(std::move(group));
  return out;
}

}  // namespace

HistoryCommit HistoryScan::about(std::uint32_t node, ObjectReader& reader) const {
  HistoryCommit out;
  out.id = commits_.nodes()[node].id;
  const auto object = reader.read(out.id);
  const auto commit = object ? parse_commit(*object->bytes, out.id.kind) : std::nullopt;
  if (!commit) return out;
  out.author = commit->author.name;
  out.email = commit->author.email;
  out.time_s = commit->author.time_s;
  out.zone_minutes = commit->author.zone_minutes;
  return out;
}

void HistoryScan::tell_places(const Places& places) {
  const std::vector<Group> groups = groups_of(places, hits_.blobs, *database_);
  progress_.done = 0;
  progress_.total = groups.size();
  const unsigned threads = std::max(1U, options_.threads);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  const auto work = [&] {
    Teller mine = teller(options_.memory / (8 * threads));
    for (std::size_t begin = next.fetch_add(kBatch); begin < groups.size(); begin = next.fetch_add(kBatch)) {
      const std::size_t end = std::min(begin + kBatch, groups.size());
      for (std::size_t i = begin; i < end; ++i) tell_place(places, groups[i], mine);
      progress_.done += end - begin;
    }
    const std::lock_guard lock(mutex);
    std::ranges::move(mine.told, std::back_inserter(report_.places));
  };
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
}

HistoryScan::Teller HistoryScan::teller(std::size_t memory) const {
  return {ObjectReader(*database_, memory, limits::kGitObject),
          detect::Engine::Scanner(engine_),
          BlobArchives(engine_, options_.archives),
          {}};
}

void HistoryScan::Teller::each_hit(std::string_view bytes, const std::string& path,
                                   const Inspector::Tell& tell) {
  if (archives.scan(bytes, path, tell)) return;
  LinePlaces lines(bytes);
  scanner.scan(bytes, {.path = path}, [&](const detect::Hit& hit) { tell(hit, path, lines.of(hit)); });
}

void HistoryScan::tell_place(const Places& places, const std::vector<const Place*>& group, Teller& teller) {
  const HotBlob& blob = hits_.blobs[group.front()->blob];
  const auto object = teller.reader.read(blob.id);
  if (!object) {
    problems_.add(fmt::format("blob {}", blob.id.hex()), object.error());
    return;
  }
  // What has hits is worth a proof that it is what its name says.
  if (name_of(blob.id.kind, object->type, *object->bytes) != blob.id)
    problems_.add(fmt::format("blob {}", blob.id.hex()), "its content does not fit its name; it was scanned");
  HotKeys keys;
  const auto tell = [&](const detect::Hit& hit, const std::string& path, const LinePlace& at) {
    const HotKey key = keys.next(hit);
    const auto found = std::ranges::find(group, key, &Place::key);
    if (found == group.end()) return;
    HistoryPlace place;
    place.object = blob.id;
    place.path = path;
    place.first = about((*found)->first, teller.reader);
    place.last = (*found)->first == (*found)->last ? place.first : about((*found)->last, teller.reader);
    place.still_in_head = (*found)->still_in_head;
    place.hit = hit;
    place.at = at;
    teller.told.push_back(std::move(place));
  };
  teller.each_hit(as_text(*object->bytes), places.path(*group.front()), tell);
}

void HistoryScan::tell_loose_ends(const Places& places) {
  Teller mine = teller(options_.memory / 8);
  for (std::uint32_t i = 0; i < hits_.blobs.size(); ++i) {
    if (places.has_path(i)) continue;
    const auto object = mine.reader.read(hits_.blobs[i].id);
    if (!object) continue;  // told when it was swept
    const auto tell = [&](const detect::Hit& hit, const std::string& inner, const LinePlace& at) {
      HistoryPlace place;
      place.kind = HistoryKind::loose_end;
      place.object = hits_.blobs[i].id;
      place.path = inner;
      place.hit = hit;
      place.at = at;
      report_.places.push_back(std::move(place));
    };
    mine.each_hit(as_text(*object->bytes), {}, tell);
  }
}

void HistoryScan::tell_messages() {
  std::vector<bool> in_head(commits_.nodes().size());
  if (const auto head = repository_.head())
    if (const auto node = commits_.find(*head)) in_head = commits_.reached_from(*node);
  std::unordered_set<ObjectId> tags(choice_.tips.begin(), choice_.tips.end());
  for (MessageHit& message : hits_.messages) {
    HistoryPlace place;
    place.object = message.id;
    place.hit = std::move(message.hit);
    place.at = message.at;
    if (message.type == ObjectType::tag) {
      if (!tags.contains(message.id) && !(options_.all_objects && !restricted())) continue;
      place.kind = HistoryKind::tag_message;
    } else {
      const auto node = commits_.find(message.id);
      if (!node || !commits_.nodes()[*node].counted) continue;
      place.kind = HistoryKind::commit_message;
      place.first = place.last = about(*node, *reader_);
      place.still_in_head = in_head[*node];
    }
    report_.places.push_back(std::move(place));
  }
}

}  // namespace claviger::scan
