// The embedded store: one SQLite file in write-ahead mode, one writing and one reading connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/mutex.hpp"
#include "store/store.hpp"

namespace claviger::store {

enum class Durability : std::uint8_t {
  process,  // a commit survives kill -9; power loss may take the last ones (synchronous=NORMAL)
  disk,     // a commit is on disk before write() returns (synchronous=FULL)
};

struct SqliteOptions {
  std::string path = ":memory:";  // ":memory:": for tests, gone with the object
  Durability durability = Durability::process;
  std::int64_t data_version = kDataVersion;
};

class SqliteStore final : public Store {
 public:
  // Creates the file (mode 0600) when there is none. Refuses with data_version when it was written by another
  // version, with corrupt when it is no store, with store_unavailable when it cannot be opened.
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);
  ~SqliteStore() override;

  Result<void> write(Work work) override;
  Result<void> read(Work work) override;
  Result<void> scrub() override;
  // Writes what the store at `from` holds at this moment into a new file `to` (mode 0600), as one consistent
  // picture, also while another process uses it. already_exists; store_unavailable, corrupt.
  static Result<void> copy(const std::string& from, const std::string& to);
  // Runs SQLite's own integrity check; `corrupt` with its first findings.
  Result<void> check_integrity();

  class Connection;  // store/connection.hpp

 private:
  enum class Sharing : std::uint8_t { one_connection, two_connections };
  explicit SqliteStore(Sharing sharing);

  const Sharing sharing_;  // ":memory:" has one connection, so there reads wait for writes
  Mutex writing_;
  std::unique_ptr<Connection> writer_ CLAVIGER_GUARDED_BY(writing_);
  Mutex reading_;  // taken after writing_ when both are needed
  std::unique_ptr<Connection> reader_ CLAVIGER_GUARDED_BY(reading_);
};

}  // namespace claviger::store
