// Two passes over the files: each producer's sequence, then the tree in the order of its ranges.
#include "journal/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/encoding.hpp"
#include "base/json_writer.hpp"
#include "crypto/merkle.hpp"
#include "journal/checkpoint.hpp"
#include "journal/range.hpp"
#include "journal/reader.hpp"

namespace claviger::journal {
namespace {

constexpr std::size_t kProblemsKept = 20;

// State of one producer's epoch while its lines go by.
struct Sequence {
  std::uint64_t next_seq = 1;
  std::uint32_t next_segment = 0;
  bool stopped = false;
};

class Verifier {
 public:
  Verifier(Folder& journal, Folder& audit, const VerifyOptions& options)
      : journal_(journal), audit_(audit), options_(options) {}

  Result<VerifyReport> run() {
    TRY(segments_, segments(journal_));
    TRY_VOID(check_signature());
    TRY_VOID(check_tree());
    TRY_VOID(check_sequences());
    return std::move(report_);
  }

 private:
  void problem(std::string where, std::string what) {
    if (++report_.problem_count <= kProblemsKept)
      report_.problems.push_back({std::move(where), std::move(what)});
  }

  // An audit file's whole text; nullopt and a problem when it is missing.
  Result<std::optional<std::string>> audit_file(std::string_view name) {
    constexpr std::size_t kBound = 64 * 1024;
    Result<std::string> text = audit_.read(name, 0, kBound);
    if (text) return std::optional(std::move(*text));
    if (text.error().code != Code::not_found) return std::unexpected(text.error());
    problem(fmt::format("audit/{}", name), "the file is missing");
    return std::nullopt;
  }

  Result<void> check_signature() {
    TRY(const auto note, audit_file(kCheckpointFile));
    std::optional<std::string> key_text = options_.public_key;
    if (options_.public_key.empty()) {
      TRY(key_text, audit_file(kPublicKeyFile));
    }
    if (!note || !key_text) return {};
    const Result<Checkpoint> checkpoint = read_checkpoint(*note);
    if (!checkpoint) {
      problem("audit/checkpoint", checkpoint.error().detail);
      return {};
    }
    checkpoint_ = *checkpoint;
    report_.tree_size = checkpoint->size;
    report_.root = base64(checkpoint->root);
    const Result<VerifierKey> key = read_verifier_key(*key_text);
    if (!key) {
      problem("audit/key.pub", key.error().detail);
      return {};
    }
    report_.signature_ok = key->origin == checkpoint->origin && is_signed_by(*note, *key);
    if (!report_.signature_ok) problem("audit/checkpoint", "the signature is not by the key");
    return check_earlier(*key);
  }

  Result<void> check_earlier(const VerifierKey& key) {
    if (options_.earlier_checkpoint.empty()) return {};
    const Result<Checkpoint> earlier = read_checkpoint(options_.earlier_checkpoint);
    if (!earlier || !is_signed_by(options_.earlier_checkpoint, key)) {
      problem("earlier checkpoint", "it cannot be read, or its signature is not by the key");
      return {};
    }
    if (earlier->size > report_.tree_size) {
      problem("earlier checkpoint",
              fmt::format("it covers {} lines, today's only {}", earlier->size, report_.tree_size));
      return {};
    }
    earlier_ = *earlier;
    return {};
  }

  void compare_earlier(const crypto::MerkleTree& tree) {
    if (!earlier_ || tree.size() != earlier_->size) return;
    if (tree.root() != earlier_->root)
      problem("earlier checkpoint", "today's journal does not begin with what it covered");
    earlier_.reset();
  }

  // Hashes the lines in the order of the ranges, up to the checkpoint's size.
  Result<void> check_tree() {
    if (!checkpoint_) return {};
    crypto::MerkleTree tree;
    bool good = true;
    Result<void> read;
    const auto stop = [&](std::string where, std::string what) {
      problem(std::move(where), std::move(what));
      good = false;
      return Next::enough;
    };
    const auto look = [&](const Range& range) {
      if (tree.size() >= checkpoint_->size) return Next::enough;
      std::uint64_t& covered = covered_[range.segment];
      if (range.first != tree.size() || range.offset != covered)
        return stop("audit/ranges.jsonl", fmt::format("the range of leaf {} does not follow", range.first));
      read = read_range_lines(journal_, range, [&](std::string_view line) {
        tree.append(crypto::merkle_leaf(as_bytes(line)));
        compare_earlier(tree);
      });
      if (!read && read.error().code != Code::corrupt) return Next::enough;
      if (!read) {
        const std::string what = std::exchange(read, {}).error().detail;
        return stop(name_of(range.segment), what);
      }
      covered += range.bytes;
      covered_epoch_ = std::max(covered_epoch_, range.segment.epoch);
      return Next::more;
    };
    compare_earlier(tree);
    const Result<std::uint64_t> ranges = read_ranges(audit_, 0, look);
    TRY_VOID(read);
    if (!ranges && ranges.error().code != Code::corrupt) return std::unexpected(ranges.error());
    if (!ranges) stop("audit/ranges.jsonl", ranges.error().detail);
    if (!good) return {};
    if (tree.size() != checkpoint_->size)
      stop("audit/ranges.jsonl",
           fmt::format("it leads to {} lines, the checkpoint covers {}", tree.size(), checkpoint_->size));
    report_.root_ok = good && tree.root() == checkpoint_->root;
    if (good && !report_.root_ok) problem("journal", "the lines do not give the checkpoint's root");
    return {};
  }

  void check_line(const Line& line, Sequence& sequence, std::uint64_t number) {
    const auto at_line = [&] { return fmt::format("{}:{}", name_of(line.segment), number); };
    ++report_.lines;
    if (line.offset >= covered_[line.segment]) {
      ++report_.uncovered;
      // Every start derives the older epochs to their end before it derives anything of its own.
      if (line.segment.epoch < covered_epoch_) problem(at_line(), "an old line that is not in the tree");
    }
    const Result<Record> record = parser_.parse(line.text);
    if (!record) {
      ++report_.unreadable;
      ++sequence.next_seq;
      return problem(at_line(), record.error().detail);
    }
    const Envelope& envelope = record->envelope;
    if (sequence.stopped) problem(at_line(), "a line behind the stop record");
    if (envelope.producer != line.segment.producer || envelope.epoch != line.segment.epoch)
      problem(at_line(), "a line of another producer or epoch");
    if (envelope.seq != sequence.next_seq) {
      ++report_.gaps;
      problem(at_line(), fmt::format("n is {} where {} was due", envelope.seq, sequence.next_seq));
    }
    if ((sequence.next_seq == 1) != (envelope.kind == Kind::start))
      problem(at_line(), "an epoch has one start record, its first");
    sequence.next_seq = envelope.seq + 1;
    sequence.stopped = envelope.kind == Kind::stop;
  }

  Result<void> check_segment(const Segment& segment, Sequence& sequence, bool last, std::uint64_t highest) {
    const std::string name = name_of(segment);
    if (segment.number != sequence.next_segment) problem(name, "the segment before it is missing");
    sequence.next_segment = segment.number + 1;
    std::uint64_t number = 0;
    TRY(const std::uint64_t end, read_lines(journal_, segment, 0, [&](const Line& line) {
          check_line(line, sequence, ++number);
          return Next::more;
        }));
    TRY(const std::uint64_t size, journal_.size(name));
    if (size == end) return {};
    ++report_.torn_tails;
    if (!last || segment.epoch < highest) problem(name, "its last line is torn, and no start has cut it");
    return {};
  }

  Result<void> check_sequences() {
    TRY(const std::uint64_t highest, highest_epoch(journal_));
    std::set<std::string> producers;
    Sequence sequence;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const Segment& segment = segments_[i];
      const bool first =
          i == 0 || segments_[i - 1].producer != segment.producer || segments_[i - 1].epoch != segment.epoch;
      const bool last = i + 1 == segments_.size() || segments_[i + 1].producer != segment.producer ||
                        segments_[i + 1].epoch != segment.epoch;
      if (first) sequence = {};
      TRY_VOID(check_segment(segment, sequence, last, highest));
      producers.insert(segment.producer);
      report_.epochs += first ? 1 : 0;
      report_.unclosed += last && !sequence.stopped ? 1 : 0;
    }
    report_.producers = producers.size();
    return {};
  }

  Folder& journal_;
  Folder& audit_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::vector<Segment> segments_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Checkpoint> earlier_;
  std::map<Segment, std::uint64_t> covered_;  // bytes of each segment that are in the tree
  std::uint64_t covered_epoch_ = 0;           // highest one with a line in the tree
  Parser parser_;
};

void write_problem(JsonWriter& json, const Problem& problem) {
  json.open('{').field("where", problem.where).field("what", problem.what).close('}');
}

}  // namespace

Result<VerifyReport> verify(Folder& journal, Folder& audit, const VerifyOptions& options) {
  return Verifier(journal, audit, options).run();
}

std::string to_json(const VerifyReport& report) {
  std::string out;
  JsonWriter json(out);
  const auto count = [&](std::string_view name, std::uint64_t value) {
    json.field(name, static_cast<std::int64_t>(value));
  };
  json.open('{').field_bool("ok", report.ok());
  count("lines", report.lines);
  count("producers", report.producers);
  count("epochs", report.epochs);
  count("unclosed_epochs", report.unclosed);
  count("gaps", report.gaps);
  count("unreadable", report.unreadable);
  count("torn_tails", report.torn_tails);
  count("tree_size", report.tree_size);
  count("uncovered", report.uncovered);
  json.field("root", report.root).field_bool("root_ok", report.root_ok);
  json.field_bool("signature_ok", report.signature_ok);
  count("problem_count", report.problem_count);
  json.key("first_problem");
  if (report.problems.empty()) {
    json.null();
  } else {
    write_problem(json, report.problems.front());
  }
  json.key("problems").open('[');
  for (const Problem& problem : report.problems) write_problem(json, problem);
  json.close(']').close('}');
  return out;
}

}  // namespace claviger::journal
