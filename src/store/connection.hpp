// One SQLite connection: its kept statements and its transactions. Not thread-safe; SqliteStore locks.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/sqlite.hpp"

namespace claviger::store {

enum class Access : std::uint8_t { read, write };

class SqliteStore::Connection {
 public:
  // Opens and sets the pragmas; makes no file.
  static Result<std::unique_ptr<Connection>> open(const SqliteOptions& options);

  // A transaction around `work`.
  Result<void> transact(Access access, const Work& work);
  Result<void> execute(const char* sql);
  // Moves the write-ahead log into the file and cuts it to nothing.
  Result<void> empty_log();
  // VACUUM INTO: one read transaction, and no page of the copy holds what was deleted.
  Result<void> copy_into(const std::string& path);
  Result<std::vector<Row>> query(Access access, std::string_view sql, const std::vector<Value>& params);
  Result<std::int64_t> run(std::string_view sql, const std::vector<Value>& params);
  // An aborted transaction is over although its work goes on: nothing more may be run in it.
  bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

 private:
  struct CloseDb {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };
  struct CloseStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  Result<sqlite3_stmt*> prepared(Access access, std::string_view sql, const std::vector<Value>& params);
  Result<Row> row_of(sqlite3_stmt* statement) const;
  std::unexpected<Error> failed(int code, std::string_view doing) const;

  std::unique_ptr<sqlite3, CloseDb> db_;  // outlives the statements
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, CloseStatement>, TextHash, std::equal_to<>>
      kept_;
};

}  // namespace claviger::store
