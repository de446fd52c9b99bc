// Copies in the order that keeps the copy whole, and back again behind every check.
#include "app/backup.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/house.hpp"
#include "app/tar.hpp"
#include "crypto/hash.hpp"
#include "journal/checkpoint.hpp"
#include "journal/verify.hpp"
#include "store/sqlite.hpp"

namespace claviger::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kManifest = "MANIFEST.json";
constexpr std::string_view kSums = "SHA256SUMS";
constexpr std::size_t kPiece = 1024 * 1024;
constexpr std::size_t kSumsMost = 64 * 1024 * 1024;

std::unexpected<Error> bad(const std::string& file, std::string_view what) {
  return fail(Code::corrupt, fmt::format("{}: {}", file, what),
              fmt::format("The backup {} cannot be restored: {}.", file, what));
}

// Removes a path when it goes out of scope, unless what it holds was kept.
class Scrap {
 public:
  explicit Scrap(std::string path) : path_(std::move(path)) {}
  ~Scrap() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  Scrap(const Scrap&) = delete;
  Scrap& operator=(const Scrap&) = delete;
  const std::string& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

// One archive on its way out, with the sums of what went in.
class Packing {
 public:
  explicit Packing(TarWriter out) : out_(std::move(out)) {}

  Result<void> text(std::string_view name, std::string_view content) {
    TRY_VOID(out_.begin(name, content.size()));
    TRY_VOID(out_.add(content));
    return note(name, crypto::sha256(content));
  }
  // The first `size` bytes of a file of `folder`.
  Result<void> file(Folder& folder, std::string_view name, std::string_view as, std::uint64_t size) {
    TRY_VOID(out_.begin(as, size));
    crypto::Sha256 sum;
    for (std::uint64_t at = 0; at < size;) {
      const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - at));
      TRY(const std::string piece, folder.read(name, at, want));
      if (piece.size() != want) return fail(Code::io_failed, fmt::format("{} became shorter", as));
      TRY_VOID(out_.add(piece));
      sum.add(piece);
      at += want;
    }
    return note(as, sum.finish());
  }
  Result<void> finish() {
    TRY_VOID(out_.begin(kSums, sums_.size()));
    TRY_VOID(out_.add(sums_));
    return out_.finish();
  }
  std::uint64_t bytes() const { return out_.bytes(); }
  std::uint64_t files() const { return files_; }

 private:
  Result<void> note(std::string_view name, const Digest& sum) {
    sums_ += fmt::format("{}  {}\n", hex(sum), name);
    ++files_;
    return {};
  }
  TarWriter out_;
  std::string sums_;
  std::uint64_t files_ = 0;
};

// How much of a journal segment is whole lines.
Result<std::uint64_t> whole_lines(Folder& folder, std::string_view name) {
  TRY(std::uint64_t end, folder.size(name));
  while (end > 0) {
    const std::uint64_t begin = end > kPiece ? end - kPiece : 0;
    TRY(const std::string piece, folder.read(name, begin, static_cast<std::size_t>(end - begin)));
    const std::size_t mark = piece.rfind('\n');
    if (mark != std::string::npos) return begin + mark + 1;
    end = begin;
  }
  return 0;
}

Result<void> pack_folder(Packing& packing, const std::string& path, std::string_view as) {
  TRY(const auto folder, PosixFolder::open(path));
  TRY(const auto names, folder->list());
  for (const std::string& name : names) {
    const std::string stored = fmt::format("{}/{}", as, name);
    if (name.ends_with(".jsonl")) {
      TRY(const std::uint64_t size, whole_lines(*folder, name));
      TRY_VOID(packing.file(*folder, name, stored, size));
      continue;
    }
    // The others are small and replaced whole: one read gives one of them, the old or the new.
    const auto content = folder->read(name, 0, kPiece);
    if (!content && content.error().code == Code::not_found) continue;  // a partial tile that has grown
    if (!content) return std::unexpected(content.error());
    TRY_VOID(packing.text(stored, *content));
  }
  return {};
}

std::optional<journal::Checkpoint> checkpoint_of(Folder& audit) {
  const auto text = audit.read(journal::kCheckpointFile, 0, 64 * 1024);
  if (!text) return std::nullopt;
  const auto read = journal::read_checkpoint(*text);
  return read ? std::optional(*read) : std::nullopt;
}

Json manifest_of(const Backup& backup) {
  return {{"format", 1},
          {"made", format_time(backup.made)},
          {"program", kVersion},
          {"data_version", store::kDataVersion},
          {"tree_size", backup.tree_size},
          {"root", backup.root}};
}

Result<Backup> read_manifest(const std::string& file, std::string_view text) {
  const Json manifest = Json::parse(text, nullptr, false);
  if (!manifest.is_object() || manifest.value("format", 0) != 1)
    return bad(file, "its manifest is not of a format that this program knows");
  const auto made = parse_time(manifest.value("made", ""));
  if (!made) return bad(file, "its manifest does not say when it was made");
  if (manifest.value("data_version", std::int64_t{0}) != store::kDataVersion)
    return fail(Code::data_version, file + " holds another data version",
                fmt::format("The backup {} was made by program version {} and holds data of another version: "
                            "restore it with that program.",
                            file, manifest.value("program", "unknown")));
  Backup backup;
  backup.file = file;
  backup.made = *made;
  backup.tree_size = manifest.value("tree_size", std::uint64_t{0});
  backup.root = manifest.value("root", "");
  return backup;
}

// Unpacks into a folder and holds every file against its sum.
class Unpacking {
 public:
  Unpacking(std::string file, std::string target) : file_(std::move(file)), target_(std::move(target)) {}

  Result<void> run() {
    TRY(folder_, PosixFolder::open(target_));
    TRY_VOID(read_tar(file_, [&](std::string_view name, std::uint64_t size, std::string_view piece) {
      return take(name, size, piece);
    }));
    end_file();
    return compare();
  }
  const std::string& manifest() const { return manifest_; }
  std::uint64_t files() const { return found_.size(); }

 private:
  Result<void> take(std::string_view name, std::uint64_t size, std::string_view piece) {
    if (piece.empty() && size > 0) return begin(name, size);
    if (piece.empty()) TRY_VOID(begin(name, size));
    if (current_ == kSums) {
      sums_ += piece;
      return {};
    }
    sum_.add(piece);
    if (current_ == kManifest) {
      manifest_ += piece;
      return {};
    }
    return open_->append(piece);
  }
  Result<void> begin(std::string_view name, std::uint64_t size) {
    end_file();
    current_ = name;
    if (found_.contains(current_)) return bad(file_, fmt::format("{} stands in it twice", name));
    if (name == kSums || name == kManifest)
      return size <= kSumsMost ? Result<void>{} : bad(file_, fmt::format("{} is too large", name));
    const bool ours = name == "version" || name == "claviger.db" || name.starts_with("journal/") ||
                      name.starts_with("audit/");
    if (!ours) return bad(file_, fmt::format("{} does not belong into it", name));
    TRY(open_, folder_->open_append(name));
    return {};
  }
  void end_file() {
    if (current_.empty() || current_ == kSums) return;
    found_[current_] = hex(sum_.finish());
    open_.reset();
    current_.clear();
  }
  Result<void> compare() {
    std::size_t known = 0;
    for (std::size_t begin = 0; begin < sums_.size();) {
      const std::size_t end = std::min(sums_.find('\n', begin), sums_.size());
      const std::string_view line = std::string_view(sums_).substr(begin, end - begin);
      if (line.size() < 67) return bad(file_, "its list of sums is damaged");
      const std::string name(line.substr(66));
      const auto there = found_.find(name);
      if (there == found_.end()) return bad(file_, fmt::format("{} is missing", name));
      if (there->second != line.substr(0, 64)) return bad(file_, fmt::format("{} is damaged", name));
      ++known;
      begin = end + 1;
    }
    if (known == 0) return bad(file_, "it has no list of sums");
    if (known != found_.size()) return bad(file_, "it holds files without a sum");
    return {};
  }

  const std::string file_, target_;
  std::unique_ptr<PosixFolder> folder_;
  std::unique_ptr<File> open_;
  std::string current_, manifest_, sums_;
  crypto::Sha256 sum_;
  std::map<std::string, std::string> found_;
};

// What the restored directory must prove before it is put in place.
Result<void> prove(const RestoreOptions& options, const std::string& data) {
  TRY(const auto store, store::SqliteStore::open({.path = data + "/claviger.db"}));
  TRY_VOID(store->check_integrity());
  TRY(const auto journal, PosixFolder::open(data + "/journal"));
  TRY(const auto audit, PosixFolder::open(data + "/audit"));
  TRY(const journal::VerifyReport own, journal::verify(*journal, *audit, {options.public_key, {}}));
  if (!own.ok())
    return bad(options.input, fmt::format("its journal is not whole: {}: {}", own.problems.front().where,
                                          own.problems.front().what));
  if (options.checkpoint.empty()) return {};
  TRY(const auto against, journal::verify(*journal, *audit, {options.public_key, options.checkpoint}));
  if (against.ok()) return {};
  return fail(
      Code::conflict, "the backup does not reach the checkpoint",
      fmt::format("This is a rollback: the journal in {} does not reach the checkpoint that was given "
                  "({}). Take a newer backup.",
                  options.input, against.problems.front().what));
}

}  // namespace

Result<Backup> back_up(const std::string& data, const std::string& output, const Clock& clock) {
  const std::string database = data + "/claviger.db";
  if (!fs::exists(data + "/version"))
    return fail(Code::not_found, data + " has no version file",
                fmt::format("{} is not a data directory.", data));
  if (fs::exists(output))
    return refuse(Code::already_exists, fmt::format("{} exists already: give another name.", output));
  Scrap copy(fmt::format("{}.store", output));
  Scrap unfinished(output + ".unfinished");
  fs::remove(copy.path());
  fs::remove(unfinished.path());
  TRY(const auto audit, PosixFolder::open(data + "/audit"));
  Backup backup;
  backup.file = fs::absolute(output).lexically_normal().string();
  backup.made = clock.now();
  TRY_VOID(store::SqliteStore::copy(database, copy.path()));
  if (const auto checkpoint = checkpoint_of(*audit)) {
    backup.tree_size = checkpoint->size;
    backup.root = base64(checkpoint->root);
  }
  TRY(TarWriter out, TarWriter::create(unfinished.path()));
  Packing packing(std::move(out));
  TRY_VOID(packing.text(kManifest, manifest_of(backup).dump(2) + "\n"));
  TRY_VOID(packing.text("version", fmt::format("{}\n", store::kDataVersion)));
  TRY(const auto beside, PosixFolder::open(fs::absolute(output).parent_path().string()));
  const std::string copied = fs::path(copy.path()).filename().string();
  TRY(const std::uint64_t size, beside->size(copied));
  TRY_VOID(packing.file(*beside, copied, "claviger.db", size));
  TRY_VOID(pack_folder(packing, data + "/audit", "audit"));
  TRY_VOID(pack_folder(packing, data + "/journal", "journal"));
  TRY_VOID(packing.finish());
  backup.bytes = packing.bytes();
  backup.files = packing.files();
  std::error_code error;
  fs::rename(unfinished.path(), output, error);
  if (error) return fail(Code::io_failed, fmt::format("naming {}: {}", output, error.message()));
  return backup;
}

Result<Backup> restore(const RestoreOptions& options, const Clock& clock) {
  std::error_code error;
  if (fs::exists(options.data) && !fs::is_empty(options.data, error))
    return refuse(Code::already_exists,
                  fmt::format("{} is not empty: restore into a new directory.", options.data));
  Scrap made(fs::path(options.data).lexically_normal().string() + ".restoring");
  fs::remove_all(made.path(), error);
  if (::mkdir(made.path().c_str(), 0700) != 0)
    return fail(Code::io_failed, "making " + made.path(), fmt::format("{} cannot be made.", made.path()));
  Unpacking unpacking(options.input, made.path());
  TRY_VOID(unpacking.run());
  TRY(Backup backup, read_manifest(options.input, unpacking.manifest()));
  backup.files = unpacking.files();
  backup.bytes = fs::file_size(options.input, error);
  TRY_VOID(prove(options, made.path()));
  TRY(const auto folder, PosixFolder::open(made.path()));
  const Json mark{{"restored", format_time(clock.now())},
                  {"made", format_time(backup.made)},
                  {"tree_size", backup.tree_size},
                  {"root", backup.root}};
  TRY_VOID(folder->replace(kRestoredMark, mark.dump(), Sync::yes));
  fs::remove(options.data, error);
  fs::rename(made.path(), options.data, error);
  if (error)
    return fail(Code::io_failed, fmt::format("naming {}: {}", options.data, error.message()),
                fmt::format("{} cannot be put in place: {}.", options.data, error.message()));
  made.keep();
  return backup;
}

}  // namespace claviger::app
