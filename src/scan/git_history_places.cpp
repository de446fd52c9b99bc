// Tells the places of a history: the hits themselves again, with their path, commits and people.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "scan/git_history_scan.hpp"

namespace claviger::scan {

HistoryCommit HistoryScan::about(std::uint32_t node) {
  HistoryCommit out;
  out.id = commits_.nodes()[node].id;
  const auto object = reader_->read(out.id);
  const auto commit = object ? parse_commit(*object->bytes, out.id.kind) : std::nullopt;
  if (!commit) return out;
  out.author = commit->author.name;
  out.email = commit->author.email;
  out.time_s = commit->author.time_s;
  out.zone_minutes = commit->author.zone_minutes;
  return out;
}

void HistoryScan::tell_places(const Places& places) {
  // Places that stand in one blob at one path are told from one scan of it.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<const Place*>> groups;
  for (const Place& place : places.all())
    if (!place.old) groups[{place.blob, place.path}].push_back(&place);
  progress_.done = 0;
  progress_.total = groups.size();
  ObjectReader reader(*database_, options_.memory / 8, limits::kGitObject);
  detect::Engine::Scanner scanner(engine_);
  for (const auto& [key, group] : groups) {
    tell_place(places, group, reader, scanner);
    ++progress_.done;
  }
}

void HistoryScan::tell_place(const Places& places, const std::vector<const Place*>& group,
                             ObjectReader& reader, detect::Engine::Scanner& scanner) {
  const HotBlob& blob = hits_.blobs[group.front()->blob];
  const auto object = reader.read(blob.id);
  if (!object) {
    problems_.add(fmt::format("blob {}", blob.id.hex()), object.error());
    return;
  }
  // What has hits is worth a proof that it is what its name says.
  if (name_of(blob.id.kind, object->type, *object->bytes) != blob.id)
    problems_.add(fmt::format("blob {}", blob.id.hex()), "its content does not fit its name; it was scanned");
  const std::string path = places.path(*group.front());
  const std::string_view text = as_text(*object->bytes);
  HotKeys keys;
  scanner.scan(text, {.path = path}, [&](const detect::Hit& hit) {
    const HotKey key = keys.next(hit);
    const auto found = std::ranges::find(group, key, &Place::key);
    if (found == group.end()) return;
    HistoryPlace place;
    place.object = blob.id;
    place.path = path;
    place.first = about((*found)->first);
    place.last = (*found)->first == (*found)->last ? place.first : about((*found)->last);
    place.still_in_head = (*found)->still_in_head;
    place.hit = hit;
    const LinePlace at = line_place(text, hit);
    place.line = at.line;
    place.column = at.column;
    place.end_line = at.end_line;
    report_.places.push_back(std::move(place));
  });
  report_.allowed += scanner.allowed();
}

void HistoryScan::tell_loose_ends(const Places& places) {
  ObjectReader reader(*database_, options_.memory / 8, limits::kGitObject);
  detect::Engine::Scanner scanner(engine_);
  for (std::uint32_t i = 0; i < hits_.blobs.size(); ++i) {
    if (places.has_path(i)) continue;
    const auto object = reader.read(hits_.blobs[i].id);
    if (!object) continue;  // told when it was swept
    const std::string_view text = as_text(*object->bytes);
    scanner.scan(text, {}, [&](const detect::Hit& hit) {
      HistoryPlace place;
      place.kind = HistoryKind::loose_end;
      place.object = hits_.blobs[i].id;
      place.hit = hit;
      const LinePlace at = line_place(text, hit);
      place.line = at.line;
      place.column = at.column;
      place.end_line = at.end_line;
      report_.places.push_back(std::move(place));
    });
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
    place.line = message.line;
    place.column = message.column;
    place.end_line = message.end_line;
    if (message.type == ObjectType::tag) {
      if (!tags.contains(message.id) && !(options_.all_objects && !restricted())) continue;
      place.kind = HistoryKind::tag_message;
    } else {
      const auto node = commits_.find(message.id);
      if (!node || !commits_.nodes()[*node].counted) continue;
      place.kind = HistoryKind::commit_message;
      place.first = place.last = about(*node);
      place.still_in_head = in_head[*node];
    }
    report_.places.push_back(std::move(place));
  }
}

}  // namespace claviger::scan
