// Reports of leaks: hashes and places come in, incidents go out.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "console/incident_parts.hpp"

namespace claviger::console {

Result<std::vector<Digest>> read_hashes(Session& s) {
  const std::vector<std::string>& texts = s.body.texts("sha256");
  if (texts.empty() || texts.size() > limits::kMatchBatch)
    return refuse(Code::invalid_input, fmt::format("sha256: 1 to {} hashes at once", limits::kMatchBatch));
  std::vector<Digest> hashes;
  for (const std::string& text : texts) {
    const auto bytes = unhex(text);
    Digest digest;
    if (!bytes || bytes->size() != digest.size())
      return refuse(
          Code::invalid_input,
          fmt::format("sha256: number {} of {} is not 64 hex digits. Send the SHA-256 of the secret, "
                      "never the secret.",
                      hashes.size() + 1, texts.size()));
    std::ranges::copy(*bytes, digest.begin());
    hashes.push_back(digest);
  }
  return hashes;
}

Result<std::optional<Time>> read_exposure(Session& s) {
  const std::string& text = s.body.text("first_exposed");
  if (text.empty()) return std::nullopt;
  auto at = parse_time(text);
  if (!at)
    return refuse(Code::invalid_input,
                  fmt::format("first_exposed: '{}' is no time like 2026-11-20T13:30:00Z", text));
  return *at;
}

steward::Doer doer_of(const Session& s) {
  return {s.actor.name, std::string(identity::role_name(s.actor.role)), s.request.ip};
}

// A developer is not told of production's incidents; they are opened all the same.
Answer leak_answer(const Session& s, const steward::LeakAnswer& taken) {
  Json list = Json::array();
  for (const steward::Incident& it : taken.incidents) {
    if (s.production() == identity::Production::hidden && identity::is_production(it.environment)) continue;
    list.push_back({{"id", it.id}, {"subject", it.subject()}, {"state", steward::name_of(it.state)}});
  }
  return Answer{200, {{"incidents", std::move(list)}, {"unknown", taken.unknown}}, {}, {}};
}

Result<Answer> report_leaks(Session& s) {
  TRY(const std::vector<Digest> hashes, read_hashes(s));
  const std::vector<std::string>& places = s.body.texts("places");
  if (places.size() > limits::kLeakPlaces)
    return refuse(Code::invalid_input, fmt::format("places: at most {}", limits::kLeakPlaces));
  steward::LeakReport report;
  TRY(report.first_exposed, read_exposure(s));
  report.source = s.body.text("source");
  report.drill = s.body.boolean("drill").value_or(false);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const bool one_each = places.size() == hashes.size();
    report.leaks.push_back({hashes[i], one_each ? std::vector<std::string>{places[i]} : places});
  }
  TRY(const steward::LeakAnswer taken, s.parts.incidents->report(report, doer_of(s)));
  return leak_answer(s, taken);
}

}  // namespace claviger::console
