// One SQLite connection.
#include "store/connection.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace claviger::store {
namespace {

constexpr std::size_t kStatementsKept = 256;

// Gives a statement back for its next use, whatever happened in this one.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

int bind(sqlite3_stmt* statement, int at, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return sqlite3_bind_int64(statement, at, *number);
  // The parameters outlive the step, so SQLite need not copy them.
  if (const auto* text = std::get_if<std::string>(&value))
    return sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  if (const auto* blob = std::get_if<Bytes>(&value)) {
    if (blob->empty()) return sqlite3_bind_zeroblob(statement, at, 0);  // a null pointer would be NULL
    return sqlite3_bind_blob64(statement, at, blob->data(), blob->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, at);
}

// Work that meets a column of the wrong type has met damage.
Result<void> guarded(const Work& work, Tx& tx) {
  try {
    return work(tx);
  } catch (const std::bad_variant_access&) {
    return fail(Code::corrupt, "a stored value is not of its column's type");
  } catch (const std::out_of_range&) {
    return fail(Code::corrupt, "a row has fewer columns than were asked for");
  }
}

}  // namespace

std::unexpected<Error> SqliteStore::Connection::failed(int code, std::string_view doing) const {
  const std::string detail =
      fmt::format("store: {}: {}", doing, db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(Code::corrupt, detail, "The store's file is damaged or is no Claviger store.");
    case SQLITE_CONSTRAINT:
      return fail(Code::conflict, detail);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_INTERRUPT:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return fail(Code::store_unavailable, detail);
    default:
      return fail(Code::internal, detail);
  }
}

Result<std::unique_ptr<SqliteStore::Connection>> SqliteStore::Connection::open(const SqliteOptions& options) {
  auto made = std::make_unique<Connection>();
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(options.path.c_str(), &db, flags, nullptr);
  made->db_.reset(db);
  if (opened != SQLITE_OK) return made->failed(opened, "opening " + options.path);
  sqlite3_busy_timeout(db, static_cast<int>(limits::kStoreBusyMs));
  // Deleted key material must not linger in free pages (secure_delete), nor any of it in temporary files.
  TRY_VOID(
      made->execute("PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON;"
                    "PRAGMA trusted_schema=OFF; PRAGMA journal_mode=WAL"));
  TRY_VOID(made->execute(options.durability == Durability::disk ? "PRAGMA synchronous=FULL"
                                                                : "PRAGMA synchronous=NORMAL"));
  return made;
}

Result<void> SqliteStore::Connection::execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(code, "running a script");
  return {};
}

Result<void> SqliteStore::Connection::copy_into(const std::string& path) {
  sqlite3_stmt* made = nullptr;
  int code = sqlite3_prepare_v2(db_.get(), "VACUUM INTO ?1", -1, &made, nullptr);
  const std::unique_ptr<sqlite3_stmt, CloseStatement> statement(made);
  if (code == SQLITE_OK) code = sqlite3_bind_text(made, 1, path.c_str(), -1, SQLITE_STATIC);
  if (code == SQLITE_OK) code = sqlite3_step(made);
  if (code != SQLITE_DONE) return failed(code, "copying to " + path);
  return {};
}

Result<void> SqliteStore::Connection::empty_log() {
  const int code =
      sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(code, "emptying the write-ahead log");
  return {};
}

Result<sqlite3_stmt*> SqliteStore::Connection::prepared(Access access, std::string_view sql,
                                                        const std::vector<Value>& params) {
  auto found = kept_.find(sql);
  if (found == kept_.end()) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, &rest);
    std::unique_ptr<sqlite3_stmt, CloseStatement> owned(statement);
    if (code != SQLITE_OK) return failed(code, sql);
    if (!owned) return fail(Code::internal, "store: an empty statement");
    if (std::string_view(rest, sql.data() + sql.size()).find_first_not_of(" \n\t;") != std::string_view::npos)
      return fail(Code::internal, fmt::format("store: more than one statement: {}", sql));
    if (kept_.size() >= kStatementsKept) kept_.clear();
    found = kept_.emplace(std::string(sql), std::move(owned)).first;
  }
  sqlite3_stmt* statement = found->second.get();
  if (access == Access::read && sqlite3_stmt_readonly(statement) == 0)
    return fail(Code::internal, fmt::format("store: a reading transaction may not run {}", sql));
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) != params.size())
    return fail(Code::internal, fmt::format("store: {} parameters given to {}", params.size(), sql));
  for (std::size_t i = 0; i < params.size(); ++i) {
    const int code = bind(statement, static_cast<int>(i) + 1, params[i]);
    if (code != SQLITE_OK) return failed(code, sql);
  }
  return statement;
}

Result<Row> SqliteStore::Connection::row_of(sqlite3_stmt* statement) const {
  Row row;
  const int count = sqlite3_column_count(statement);
  row.columns.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const int type = sqlite3_column_type(statement, i);
    if (type == SQLITE_INTEGER) {
      row.columns.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(statement, i)));
    } else if (type == SQLITE_TEXT) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      row.columns.emplace_back(
          std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, i))));
    } else if (type == SQLITE_BLOB) {
      const auto* blob = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, i));
      row.columns.emplace_back(Bytes(blob, blob + sqlite3_column_bytes(statement, i)));
    } else if (type == SQLITE_NULL) {
      row.columns.emplace_back();
    } else {
      return fail(Code::internal, "store: a statement gave a floating-point number");
    }
  }
  return row;
}

Result<std::vector<Row>> SqliteStore::Connection::query(Access access, std::string_view sql,
                                                        const std::vector<Value>& params) {
  if (!in_transaction()) return fail(Code::store_unavailable, "store: the transaction was aborted");
  TRY(sqlite3_stmt * statement, prepared(access, sql, params));
  const Reset reset{statement};
  std::vector<Row> rows;
  while (true) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return rows;
    if (code != SQLITE_ROW) return failed(code, sql);
    TRY(Row row, row_of(statement));
    rows.push_back(std::move(row));
  }
}

Result<std::int64_t> SqliteStore::Connection::run(std::string_view sql, const std::vector<Value>& params) {
  if (!in_transaction()) return fail(Code::store_unavailable, "store: the transaction was aborted");
  TRY(sqlite3_stmt * statement, prepared(Access::write, sql, params));
  const Reset reset{statement};
  // Only INSERT, UPDATE and DELETE set sqlite3_changes; what they changed in triggers is not counted.
  const sqlite3_int64 before = sqlite3_total_changes64(db_.get());
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement);
  if (code != SQLITE_DONE) return failed(code, sql);
  return sqlite3_total_changes64(db_.get()) == before ? 0 : sqlite3_changes64(db_.get());
}

namespace {

class SqliteTx final : public Tx {
 public:
  SqliteTx(SqliteStore::Connection& connection, Access access) : connection_(connection), access_(access) {}

  Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> params) override {
    return connection_.query(access_, sql, params);
  }
  Result<std::int64_t> run(std::string_view sql, std::vector<Value> params) override {
    if (access_ == Access::read)
      return fail(Code::internal, "store: a reading transaction may not change anything");
    return connection_.run(sql, params);
  }
  Result<void> script(std::string_view sql) override {
    if (access_ == Access::read)
      return fail(Code::internal, "store: a reading transaction may not change anything");
    return connection_.execute(std::string(sql).c_str());
  }

 private:
  SqliteStore::Connection& connection_;
  Access access_;
};

}  // namespace

Result<void> SqliteStore::Connection::transact(Access access, const Work& work) {
  TRY_VOID(execute(access == Access::write ? "BEGIN IMMEDIATE" : "BEGIN"));
  // Also when `work` throws: the connection must not stay inside the transaction.
  struct Rollback {
    Connection& connection;
    ~Rollback() {
      if (connection.in_transaction()) static_cast<void>(connection.execute("ROLLBACK"));
    }
  } const rollback{*this};
  SqliteTx tx(*this, access);
  TRY_VOID(guarded(work, tx));
  if (access == Access::read) return {};
  if (!in_transaction()) return fail(Code::store_unavailable, "store: the transaction was aborted");
  return execute("COMMIT");
}

}  // namespace claviger::store
