// Proves offline, from files alone, that the journal is whole: sequence, tree, checkpoint and signature.
//
// Reads DIR/journal (segments) and DIR/audit: ranges.jsonl (which line is which leaf), checkpoint (C2SP
// signed note over size and root), key.pub (its verifier key). No store, no running program, no root key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.hpp"

namespace claviger::journal {

struct VerifyOptions {
  std::string
      public_key;  // verifier key as in key.pub, from a place the machine cannot rewrite; empty: key.pub
  // A checkpoint kept from earlier (its text): today's journal must begin with what it covered. Empty: none.
  std::string earlier_checkpoint;
};

struct Problem {
  std::string where;  // "gate0-00000003-000000.jsonl:1284" or "audit/checkpoint"
  std::string what;
};

struct VerifyReport {
  std::uint64_t lines = 0;
  std::uint64_t producers = 0;
  std::uint64_t epochs = 0;      // producer epochs seen
  std::uint64_t unclosed = 0;    // epochs without a stop record: running, or ended by a crash
  std::uint64_t gaps = 0;        // places where the sequence is not last + 1
  std::uint64_t unreadable = 0;  // lines that are not records
  std::uint64_t torn_tails = 0;
  std::uint64_t tree_size = 0;
  std::uint64_t uncovered = 0;  // lines behind the checkpoint: written since, or added
  std::string root;             // base64, as the checkpoint has it
  bool root_ok = false;
  bool signature_ok = false;
  std::uint64_t problem_count = 0;
  std::vector<Problem> problems;  // the first few

  bool ok() const { return problem_count == 0; }
};

// Reads everything. A damaged journal is a report with problems, not an error; io_failed when it cannot be
// read.
Result<VerifyReport> verify(Folder& journal, Folder& audit, const VerifyOptions& options = {});
// {"ok":true,"lines":...,"first_problem":{...}|null,"problems":[...]}
std::string to_json(const VerifyReport& report);

}  // namespace claviger::journal
