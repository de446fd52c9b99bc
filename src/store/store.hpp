// The narrow interface to stored state: transactions over SQL. Each module keeps its own tables and
// statements.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/encoding.hpp"
#include "base/money.hpp"
#include "base/result.hpp"

namespace claviger::store {

// Version of everything stored, in the store and in the data directory. Data of another version is not
// opened.
inline constexpr std::int64_t kDataVersion = 1;

using Value = std::variant<std::monostate, std::int64_t, std::string, Bytes>;

// Parameters from the types that do not convert by themselves. nullopt is NULL.
inline Value value(std::string_view text) { return Value(std::string(text)); }
inline Value value(ByteView bytes) { return Value(Bytes(bytes.begin(), bytes.end())); }
inline Value value(const std::optional<std::int64_t>& number) { return number ? Value(*number) : Value(); }
inline Value value(const std::optional<Nanousd>& amount) { return amount ? Value(amount->value) : Value(); }

// One row of an answer. Asking a column for a type it does not hold throws std::bad_variant_access, which
// Store::read and Store::write turn into `corrupt`: the tables are STRICT, so it means damage or a wrong
// statement.
struct Row {
  std::vector<Value> columns;

  bool null(std::size_t i) const { return std::holds_alternative<std::monostate>(columns.at(i)); }
  std::int64_t integer(std::size_t i) const { return std::get<std::int64_t>(columns.at(i)); }
  const std::string& text(std::size_t i) const { return std::get<std::string>(columns.at(i)); }
  std::string take_text(std::size_t i) { return std::move(std::get<std::string>(columns.at(i))); }
  const Bytes& blob(std::size_t i) const { return std::get<Bytes>(columns.at(i)); }
  std::optional<std::int64_t> maybe_integer(std::size_t i) const {
    return null(i) ? std::nullopt : std::optional(integer(i));
  }
};

// One transaction. Statements are prepared and kept; parameters are ?1..?n. Pass literals, never text made at
// run time. Errors: store_unavailable (busy, full, unreadable), corrupt (damaged file), conflict (a
// constraint or trigger said no; `detail` holds its message), internal (a wrong statement).
class Tx {
 public:
  virtual ~Tx() = default;
  virtual Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> params = {}) = 0;
  // Rows changed.
  virtual Result<std::int64_t> run(std::string_view sql, std::vector<Value> params = {}) = 0;
  // Several statements without parameters: for schemas.
  virtual Result<void> script(std::string_view sql) = 0;
};

using Work = std::function<Result<void>(Tx&)>;

// Thread-safe. Work must not call the store again, and must keep nothing of the Tx.
class Store {
 public:
  virtual ~Store() = default;
  // All or nothing: committed when `work` succeeds, rolled back when it refuses or throws. After a success
  // the change is as durable as the store was opened to be. An error of the commit itself leaves it rolled
  // back.
  virtual Result<void> write(Work work) = 0;
  // A consistent view; statements that change anything are refused with `internal`.
  virtual Result<void> read(Work work) = 0;
  // After this returns, bytes that were deleted before the call are no longer in any file of the store.
  virtual Result<void> scrub() = 0;
};

// Makes sure that the tables of each module exist. Scripts are idempotent (CREATE ... IF NOT EXISTS).
Result<void> install(Store& store, std::initializer_list<std::string_view> schemas);

}  // namespace claviger::store
