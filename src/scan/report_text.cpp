// The report for people: by secret, with its places, whose it is and what to do next.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "scan/report.hpp"
#include "scan/text_form.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kPlacesShown = 20;  // of one secret; the JSON report has them all

struct Group {
  std::vector<const Finding*> places;
};

// One group a secret and rule, the most severe first, then in the order of the first place.
std::vector<Group> grouped(const Outcome& outcome) {
  std::map<std::pair<Digest, std::string_view>, std::size_t> index;
  std::vector<Group> groups;
  for (const Finding& finding : outcome.findings) {
    const auto [at, added] = index.try_emplace({finding.sha256, finding.rule}, groups.size());
    if (added) groups.emplace_back();
    groups[at->second].places.push_back(&finding);
  }
  std::ranges::sort(groups, [](const Group& a, const Group& b) {
    const Finding *one = a.places.front(), *other = b.places.front();  // in one array
    return std::pair(other->severity, one) < std::pair(one->severity, other);
  });
  return groups;
}

class Page {
 public:
  explicit Page(const ReportOptions& options) : options_(options) {}

  void add(const Group& group) {
    const Finding& one = *group.places.front();
    const bool reveal = options_.secrets == Secrets::revealed;
    out_ += fmt::format("{}  {}  {}{}\n", coloured(one), visible(one.rule),
                        reveal ? visible(one.secret) : redacted(one.secret),
                        one.validated ? "  (proven by its structure)" : "");
    for (std::size_t i = 0; i < std::min(group.places.size(), kPlacesShown); ++i) add_place(*group.places[i]);
    if (group.places.size() > kPlacesShown)
      out_ += fmt::format("    and {} more\n", counted(group.places.size() - kPlacesShown, "place"));
    add_span(group);
    if (one.known) add_known(*one.known);
    if (one.asked) out_ += fmt::format("    asked: {} ({})\n", one.asked->verdict, visible(one.asked->why));
    out_ += fmt::format("    next:  {}\n\n", visible(next(one)));
  }

  std::string take() { return std::move(out_); }

 private:
  std::string coloured(const Finding& finding) const {
    const std::string_view name = severity_name(finding.severity);
    if (options_.colour == Colour::no) return fmt::format("{:<8}", name);
    const char* colour = finding.severity >= Severity::high ? "31;1" : "33";
    return fmt::format("\x1b[{}m{:<8}\x1b[0m", colour, name);
  }

  void add_place(const Finding& finding) {
    out_ += fmt::format("    {}:{}:{}", visible(finding.file), finding.line, finding.column);
    if (!finding.commit.empty())
      out_ += fmt::format("  {} {} {}", finding.commit.substr(0, 12), finding.date.substr(0, 10),
                          visible(finding.author));
    out_ += '\n';
  }

  // Since when, until when, and whether it still stands there.
  void add_span(const Group& group) {
    if (!options_.history) return;
    const auto by_date = [](const Finding* a, const Finding* b) { return a->date < b->date; };
    const Finding& first = **std::ranges::min_element(group.places, by_date);
    const bool in_head =
        std::ranges::any_of(group.places, [](const Finding* f) { return f->still_in_head.value_or(false); });
    out_ += fmt::format("    since: {} in {}; {}\n", first.date.substr(0, 10),
                        first.first_commit.empty() ? "no commit" : first.first_commit.substr(0, 12),
                        in_head ? "it still stands in HEAD" : "it is gone from HEAD, not from the history");
  }

  void add_known(const Known& known) {
    out_ += fmt::format("    ours:  {} {} ({})", known.kind, visible(known.name), visible(known.id));
    if (known.version > 0) out_ += fmt::format(", version {}", known.version);
    if (!known.owner.empty()) out_ += fmt::format(", owner {}", visible(known.owner));
    if (!known.environment.empty()) out_ += fmt::format(", {}", visible(known.environment));
    out_ += fmt::format(", {}\n", visible(known.state));
  }

  static std::string next(const Finding& finding) {
    if (!finding.known) return finding.advice;
    if (finding.known->kind == "key")
      return fmt::format("claviger key revoke --data DIR {}", finding.known->id);
    return fmt::format("claviger rotate --data DIR {}. {}", finding.known->name, finding.advice);
  }

  const ReportOptions& options_;
  std::string out_;
};

}  // namespace

std::string text_report(const Outcome& outcome, const ReportOptions& options) {
  Page page(options);
  const std::vector<Group> groups = grouped(outcome);
  for (const Group& group : groups) page.add(group);
  std::string out = page.take();
  if (groups.empty())
    out += "Nothing found";
  else
    out +=
        fmt::format("{} in {}", counted(groups.size(), "secret"), counted(outcome.findings.size(), "place"));
  const Stats& stats = outcome.stats;
  const std::string what = stats.blobs > 0 ? counted(stats.blobs, "blob") : counted(stats.files, "file");
  return out + fmt::format("; {}, {} scanned in {:.2f} s\n", what, bytes_text(stats.bytes), stats.seconds);
}

}  // namespace claviger::scan
