// What is found and not reported: accepted findings and those of a baseline, the same in every mode.
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "scan/baseline.hpp"
#include "scan/finding.hpp"
#include "scan/ignore_file.hpp"

namespace claviger::scan {

struct Suppression {
  std::optional<IgnoreFile> ignores;
  Baseline baseline;
  Time now;

  // Whether the finding is to be reported; counts it when not.
  bool keeps(const Finding& finding, Skipped& skipped) {
    if (ignores && ignores->covers(finding.rule, finding.secret, now)) {
      ++skipped.ignored;
      return false;
    }
    if (baseline.covers(finding)) {
      ++skipped.baselined;
      return false;
    }
    return true;
  }

  void apply(Outcome& outcome) {
    std::erase_if(outcome.findings, [&](const Finding& f) { return !keeps(f, outcome.skipped); });
  }
};

}  // namespace claviger::scan
