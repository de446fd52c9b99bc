// The stages of a scan of history and what they hand to each other.
#pragma once

#include <memory>
#include <vector>

#include "scan/git_commits.hpp"
#include "scan/git_history.hpp"
#include "scan/git_hits.hpp"
#include "scan/git_places.hpp"
#include "scan/git_trees.hpp"

namespace claviger::scan {

class HistoryScan {
 public:
  HistoryScan(const GitRepository& repository, const HistoryOptions& options,
              std::shared_ptr<const detect::Engine> engine, HistoryProgress& progress)
      : repository_(repository), options_(options), engine_(std::move(engine)), progress_(progress) {}

  Result<HistoryReport> run();

 private:
  // What counts, from the options.
  Result<void> choose();
  Result<void> choose_range();
  // Finds hot blobs and messages: in the changed blobs of few commits, or in every object.
  void scan_objects();
  void scan_changes();
  void sweep_all();
  // The signatures of all commits' trees.
  std::vector<Signature> read_trees(HotTrees& trees);
  void tell_places(const Places& places);
  // What one thread needs to tell places.
  struct Teller {
    ObjectReader reader;
    detect::Engine::Scanner scanner;
    BlobArchives archives;
    std::vector<HistoryPlace> told;

    // The hits of a blob, with the path of the file that each stands in.
    void each_hit(std::string_view bytes, const std::string& path, const Inspector::Tell& tell);
  };
  Teller teller(std::size_t memory) const;
  void tell_place(const Places& places, const std::vector<const Place*>& group, Teller& teller);
  void tell_loose_ends(const Places& places);
  void tell_messages();
  HistoryCommit about(std::uint32_t node, ObjectReader& reader) const;
  bool promised() const { return is_promised_ && !options_.promised_is_error; }
  bool restricted() const {
    return !options_.range.empty() || !options_.branches.empty() || options_.since_s.has_value();
  }

  const GitRepository& repository_;
  const HistoryOptions& options_;
  std::shared_ptr<const detect::Engine> engine_;
  HistoryProgress& progress_;
  GitProblems problems_;
  HistoryReport report_;
  std::unique_ptr<ObjectDatabase> database_;
  std::unique_ptr<ObjectReader> reader_;
  bool is_promised_ = false;
  CommitChoice choice_;
  CommitTable commits_;
  HistoryHits hits_;
};

}  // namespace claviger::scan
