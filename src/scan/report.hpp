// Reports of a scan: text for people, and the formats that other programs read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "crypto/hmac.hpp"
#include "scan/finding.hpp"

namespace claviger::scan {

enum class Format : std::uint8_t { text, json, jsonl, sarif, gitlab, junit, csv };
std::optional<Format> format_of(std::string_view name);

enum class Secrets : std::uint8_t { hidden, revealed };
enum class Colour : std::uint8_t { no, yes };

struct ReportOptions {
  Format format = Format::text;
  Secrets secrets = Secrets::hidden;  // revealed: in text, JSON, JSONL and CSV; never in the others
  Colour colour = Colour::no;
  bool history = false;  // findings carry first and last commit
  std::string version;   // of the program
  std::string revision;  // of the repository that was scanned; may be empty
  std::string origin;    // its URL, without user and password; may be empty
  Time started, ended;
  // Keys the fingerprints of SARIF and GitLab, so that a reader cannot test guesses; outlives the report.
  const crypto::HmacSha256* fingerprint = nullptr;
};

// The whole report. Never holds a secret unless revealed, and never in SARIF, GitLab and JUnit.
std::string report(const Outcome& outcome, const ReportOptions& options);

// One finding as the JSON object that `report` writes.
void append_json(std::string& out, const Finding& finding, const ReportOptions& options);
// A number that stands for rule, file and secret, in hex; tells nothing without the key.
std::string fingerprint(const Finding& finding, const ReportOptions& options);

// The parts of `report`, one a file.
std::string sarif_report(const Outcome& outcome, const ReportOptions& options);
std::string gitlab_report(const Outcome& outcome, const ReportOptions& options);
std::string junit_report(const Outcome& outcome, const ReportOptions& options);
std::string text_report(const Outcome& outcome, const ReportOptions& options);

}  // namespace claviger::scan
