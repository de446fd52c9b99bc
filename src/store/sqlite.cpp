// The embedded store over its connections.
#include "store/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/connection.hpp"

namespace claviger::store {
namespace {

constexpr std::string_view kMemory = ":memory:";
constexpr std::string_view kMetaSchema =
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID";

// SQLite would make the file readable to all; its WAL takes the mode of the file.
Result<void> make_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(Code::store_unavailable, fmt::format("store: opening {}: {}", path, std::strerror(errno)));
  ::close(fd);
  return {};
}

Result<void> check_version(Tx& tx, std::int64_t ours) {
  TRY_VOID(tx.script(kMetaSchema));
  TRY(const std::vector<Row> rows, tx.query("SELECT value FROM meta WHERE key = 'data_version'"));
  const std::string wanted = std::to_string(ours);
  if (rows.empty()) {
    TRY_VOID(tx.run("INSERT INTO meta (key, value) VALUES ('data_version', ?1)", {wanted}));
    return {};
  }
  if (rows.front().text(0) == wanted) return {};
  return fail(
      Code::data_version, fmt::format("store: data version {}, program {}", rows.front().text(0), wanted),
      fmt::format("The store holds data of version {}, this program works with version {}. Run the program "
                  "version that wrote it, or restore a backup made by this one.",
                  rows.front().text(0), wanted));
}

}  // namespace

SqliteStore::SqliteStore(Sharing sharing) : sharing_(sharing) {}
SqliteStore::~SqliteStore() = default;

Result<void> SqliteStore::copy(const std::string& from, const std::string& to) {
  if (::access(from.c_str(), F_OK) != 0)
    return fail(Code::not_found, from + " is not there", fmt::format("There is no store {}.", from));
  if (::access(to.c_str(), F_OK) == 0)
    return refuse(Code::already_exists, fmt::format("{} exists already.", to));
  TRY_VOID(make_file(to));  // an empty file is written into, and keeps its mode
  TRY(const auto source, Connection::open({.path = from}));
  return source->copy_into(to);
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  const Sharing sharing = options.path == kMemory ? Sharing::one_connection : Sharing::two_connections;
  if (sharing == Sharing::two_connections) TRY_VOID(make_file(options.path));
  std::unique_ptr<SqliteStore> made(new SqliteStore(sharing));
  {
    const Lock writing(made->writing_);
    TRY(made->writer_, Connection::open(options));
  }
  TRY_VOID(made->write([&](Tx& tx) { return check_version(tx, options.data_version); }));
  if (sharing == Sharing::two_connections) {
    const Lock reading(made->reading_);
    TRY(made->reader_, Connection::open(options));
  }
  return made;
}

Result<void> SqliteStore::write(Work work) {
  const Lock writing(writing_);
  return writer_->transact(Access::write, work);
}

Result<void> SqliteStore::read(Work work) {
  if (sharing_ == Sharing::one_connection) {
    const Lock writing(writing_);
    return writer_->transact(Access::read, work);
  }
  const Lock reading(reading_);
  return reader_->transact(Access::read, work);
}

Result<void> SqliteStore::scrub() {
  if (sharing_ == Sharing::one_connection) return {};
  const Lock writing(writing_);
  const Lock reading(reading_);  // a reader's snapshot would keep the log from being emptied
  return writer_->empty_log();
}

Result<void> SqliteStore::check_integrity() {
  std::string findings;
  TRY_VOID(read([&](Tx& tx) -> Result<void> {
    TRY(const std::vector<Row> rows, tx.query("PRAGMA integrity_check(8)"));
    for (const Row& row : rows)
      if (row.text(0) != "ok") findings += (findings.empty() ? "" : "; ") + row.text(0);
    return {};
  }));
  if (!findings.empty()) return fail(Code::corrupt, "store: " + findings);
  return {};
}

}  // namespace claviger::store
