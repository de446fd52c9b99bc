// Adding to the usage tables and asking them.
#include "steward/usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/check.hpp"
#include "identity/key.hpp"
#include "steward/suggest.hpp"
#include "store/store.hpp"

namespace claviger::steward {

namespace {

// One column a bucket, so that no bucket can be forgotten.
std::string make_schema() {
  std::string buckets;
  for (const provider::UsageField& field : provider::kUsageFields)
    buckets += fmt::format("  {} INTEGER NOT NULL,\n", field.name);
  return fmt::format(R"(
CREATE TABLE IF NOT EXISTS usage (
  hour INTEGER NOT NULL, key TEXT NOT NULL, team TEXT NOT NULL, project TEXT NOT NULL,
  environment TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, endpoint TEXT NOT NULL,
  requests INTEGER NOT NULL, errors INTEGER NOT NULL, estimated INTEGER NOT NULL, presumed INTEGER NOT NULL,
  cost_nanousd INTEGER NOT NULL,
  cost_q0 INTEGER NOT NULL, cost_q1 INTEGER NOT NULL, cost_q2 INTEGER NOT NULL, cost_q3 INTEGER NOT NULL,
{}  PRIMARY KEY (hour, key, team, project, environment, provider, model, endpoint)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_lineage (
  above TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (above, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_refusal (
  hour INTEGER NOT NULL, key TEXT NOT NULL, code TEXT NOT NULL, origin TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (hour, key, code, origin)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_total (
  kind TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_credential (
  credential TEXT NOT NULL, hour INTEGER NOT NULL, requests INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL,
  last_used INTEGER NOT NULL, PRIMARY KEY (credential, hour)
) STRICT, WITHOUT ROWID;
)",
                     buckets) +
         std::string(kAddressSchema);
}
const std::string kSchemaText = make_schema();

}  // namespace

const std::string_view kUsageSchema = kSchemaText;

Result<void> add_missing_buckets(store::Store& store) {
  return store.write([](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT name FROM pragma_table_info('usage')", {}));
    for (const provider::UsageField& field : provider::kUsageFields) {
      const bool there =
          std::ranges::any_of(rows, [&](const store::Row& row) { return row.text(0) == field.name; });
      if (!there)
        TRY_VOID(tx.run(fmt::format("ALTER TABLE usage ADD COLUMN {} INTEGER NOT NULL DEFAULT 0", field.name),
                        {}));
    }
    return {};
  });
}

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kQuarter = 900;

std::int64_t hour_of(Time time) {
  const std::int64_t seconds = time.ns / kSecond;
  return seconds - seconds % kHour;
}
std::size_t quarter_of(Time time) { return static_cast<std::size_t>(time.ns / kSecond % kHour / kQuarter); }

struct Sums {
  std::int64_t requests = 0, errors = 0, estimated = 0, presumed = 0;
  std::array<Nanousd, 4> cost{};
  provider::Usage usage;

  Nanousd total() const {
    Nanousd sum;
    for (const Nanousd part : cost) sum = saturating_add(sum, part);
    return sum;
  }
};

struct CredentialSums {
  std::int64_t requests = 0;
  Nanousd cost;
  std::int64_t last_used = 0;
};

constexpr std::size_t kTexts = 7;  // key, team, project, environment, provider, model, endpoint
template <class Text>
struct Group {
  std::int64_t hour = 0;
  std::array<Text, kTexts> texts;
};

// Compares groups of owned texts with groups of views, so that looking one up copies nothing.
struct LessGroup {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const Group<A>& a, const Group<B>& b) const {
    if (a.hour != b.hour) return a.hour < b.hour;
    for (std::size_t i = 0; i < kTexts; ++i) {
      const int order = std::string_view(a.texts[i]).compare(std::string_view(b.texts[i]));
      if (order != 0) return order < 0;
    }
    return false;
  }
};

// Statements over all buckets, put together once from the buckets' own names.
const std::string& insert_statement() {
  static const std::string sql = [] {
    std::string columns = "requests,errors,estimated,presumed,cost_nanousd,cost_q0,cost_q1,cost_q2,cost_q3";
    std::string values = "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17";
    std::string sums;
    int next = 18;
    for (const provider::UsageField& field : provider::kUsageFields) {
      columns += fmt::format(",{}", field.name);
      values += fmt::format(",?{}", next++);
    }
    for (std::size_t begin = 0; begin < columns.size();) {
      const std::size_t end = std::min(columns.find(',', begin), columns.size());
      const std::string column = columns.substr(begin, end - begin);
      sums += fmt::format("{}{} = {} + excluded.{}", begin == 0 ? "" : ", ", column, column, column);
      begin = end + 1;
    }
    return fmt::format(
        "INSERT INTO usage (hour,key,team,project,environment,provider,model,endpoint,{}) VALUES ({}) "
        "ON CONFLICT (hour,key,team,project,environment,provider,model,endpoint) DO UPDATE SET {}",
        columns, values, sums);
  }();
  return sql;
}

struct Dimension {
  By by;
  std::string_view name;
  std::string_view expression;
  bool time;
};
constexpr std::array<Dimension, 10> kDimensions{{
    {By::hour, "hour", "strftime('%Y-%m-%dT%H:00:00Z', hour, 'unixepoch')", true},
    {By::day, "day", "strftime('%Y-%m-%d', hour, 'unixepoch')", true},
    {By::month, "month", "strftime('%Y-%m', hour, 'unixepoch')", true},
    {By::key, "key", "key", false},
    {By::team, "team", "team", false},
    {By::project, "project", "project", false},
    {By::environment, "environment", "environment", false},
    {By::provider, "provider", "provider", false},
    {By::model, "model", "model", false},
    {By::endpoint, "endpoint", "endpoint", false},
}};
const Dimension& dimension(By by) { return kDimensions[static_cast<std::size_t>(by)]; }

// Put together from the constants above alone; what a caller gives goes in as parameters.
std::string query_statement(const std::vector<By>& by) {
  std::string select, group, order;
  for (std::size_t i = 0; i < by.size(); ++i) {
    select += fmt::format("{}, ", dimension(by[i]).expression);
    group += fmt::format("{}{}", i == 0 ? "GROUP BY " : ", ", i + 1);
    if (dimension(by[i]).time) order += fmt::format("{}, ", i + 1);
  }
  std::string sums = "SUM(requests), SUM(errors), SUM(estimated), SUM(presumed), SUM(cost_nanousd)";
  for (const provider::UsageField& field : provider::kUsageFields)
    sums += fmt::format(", SUM({})", field.name);
  return fmt::format(
      "SELECT {}{} FROM usage WHERE hour >= ?1 AND hour < ?2 AND (?3 = '' OR key = ?3 "
      "OR key IN (SELECT key FROM usage_lineage WHERE above = ?3)) "
      "AND (?4 = '' OR team = ?4) AND (?5 = '' OR project = ?5) AND (?6 = '' OR environment = ?6) "
      "AND (?7 = '' OR provider = ?7) AND (?8 = '' OR model = ?8) AND (?9 = '' OR endpoint = ?9) "
      "{} HAVING SUM(requests) IS NOT NULL ORDER BY {}SUM(cost_nanousd) DESC LIMIT ?10",
      select, sums, group.empty() ? "GROUP BY NULL" : group, order);
}

UsageRow read_row(const store::Row& row, std::size_t groups) {
  UsageRow out;
  std::size_t i = 0;
  for (; i < groups; ++i) out.group.push_back(row.text(i));
  out.requests = row.integer(i++);
  out.errors = row.integer(i++);
  out.estimated = row.integer(i++);
  out.presumed = row.integer(i++);
  out.cost_nanousd = {row.integer(i++)};
  for (const provider::UsageField& field : provider::kUsageFields) out.usage.*field.member = row.integer(i++);
  out.usage.seen = true;
  return out;
}

Result<std::vector<Count>> totals(store::Store& store, std::string_view kind) {
  std::vector<Count> counts;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT name, count FROM usage_total WHERE kind = ?1 ORDER BY name", {store::value(kind)}));
    for (const store::Row& row : rows) counts.push_back({row.text(0), row.integer(1)});
    return {};
  }));
  return counts;
}

}  // namespace

std::string_view by_name(By by) { return dimension(by).name; }

Result<By> parse_by(std::string_view name) {
  std::string names;
  for (const Dimension& d : kDimensions) {
    if (d.name == name) return d.by;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", d.name);
  }
  return refuse(Code::invalid_input,
                fmt::format("Usage cannot be grouped by '{}': use one of {}.", name, names));
}

Result<std::vector<UsageRow>> usage_query(store::Store& store, const std::vector<By>& by, Time from, Time to,
                                          const UsageFilter& filter, std::size_t limit) {
  const std::int64_t first = hour_of(from);
  const bool whole = to.ns % (kHour * kSecond) == 0;
  const std::int64_t behind = hour_of(to) + (whole ? 0 : kHour);
  std::vector<UsageRow> out;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query(query_statement(by),
                 {first, behind, filter.key, filter.team, filter.project, filter.environment, filter.provider,
                  filter.model, filter.endpoint, static_cast<std::int64_t>(limit)}));
    for (const store::Row& row : rows) out.push_back(read_row(row, by.size()));
    return {};
  }));
  return out;
}

Result<std::vector<Count>> refusal_counts(store::Store& store) { return totals(store, "refusal"); }
Result<std::vector<Count>> outcome_counts(store::Store& store) { return totals(store, "outcome"); }

Result<std::vector<CredentialUse>> credential_use(store::Store& store, Time from, Time to) {
  std::vector<CredentialUse> uses;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT credential, SUM(requests), SUM(cost_nanousd), MAX(last_used) FROM usage_credential "
                 "WHERE hour >= ?1 AND hour < ?2 GROUP BY credential ORDER BY credential",
                 {hour_of(from), hour_of(to) + kHour}));
    for (const store::Row& row : rows)
      uses.push_back({row.text(0), row.integer(1), {row.integer(2)}, {row.integer(3)}});
    return {};
  }));
  return uses;
}

Result<Nanousd> usage_sum(store::Tx& tx, std::string_view node, Time from, Time to) {
  const std::size_t colon = node.find(':');
  const std::string_view level = node.substr(0, colon);
  const std::string name(colon == std::string_view::npos ? "" : node.substr(colon + 1));
  check(level == "org" || ((level == "team" || level == "project" || level == "key") && !name.empty()),
        "a budget's node is an organisation, team, project or key");
  const auto of = [&](std::string_view wanted) {
    return store::Value(level == wanted ? name : std::string());
  };
  // Of the first and the last hour, only the quarters inside.
  TRY(const auto rows,
      tx.query(
          "SELECT COALESCE(SUM(CASE "
          "WHEN hour > ?1 AND hour < ?3 THEN cost_nanousd "
          "ELSE (CASE WHEN hour * 4 >= ?2 AND hour * 4 < ?4 THEN cost_q0 ELSE 0 END) "
          "+ (CASE WHEN hour * 4 + 3600 >= ?2 AND hour * 4 + 3600 < ?4 THEN cost_q1 ELSE 0 END) "
          "+ (CASE WHEN hour * 4 + 7200 >= ?2 AND hour * 4 + 7200 < ?4 THEN cost_q2 ELSE 0 END) "
          "+ (CASE WHEN hour * 4 + 10800 >= ?2 AND hour * 4 + 10800 < ?4 THEN cost_q3 ELSE 0 END) END), 0) "
          "FROM usage WHERE hour >= ?1 AND hour <= ?3 "
          "AND (?5 = '' OR team = ?5) AND (?6 = '' OR project = ?6) AND (?7 = '' OR key = ?7 "
          "OR key IN (SELECT key FROM usage_lineage WHERE above = ?7))",
          {hour_of(from), from.ns / (kQuarter * kSecond) * kHour, hour_of(to),
           to.ns / (kQuarter * kSecond) * kHour, of("team"), of("project"), of("key")}));
  return Nanousd{rows.at(0).integer(0)};
}

struct UsageBatch::Inside {
  std::map<Group<std::string>, Sums, LessGroup> usage;
  // Refusals by hour and (key, code, origin).
  std::map<std::pair<std::int64_t, std::array<std::string, 3>>, std::int64_t> hourly;
  std::map<std::string, std::int64_t> refusals;  // by code/origin
  std::array<std::int64_t, journal::kOutcomeCount> outcomes{};
  std::map<std::pair<std::string, std::int64_t>, CredentialSums> credentials;
  std::map<std::string, std::string, std::less<>> lineages;  // by key
  AddressBatch addresses;
  decltype(credentials)::pointer newest = nullptr;  // of credentials: mostly the one that is asked for next

  CredentialSums& credential(std::string_view id, std::int64_t hour) {
    if (newest == nullptr || newest->first.second != hour || newest->first.first != id)
      newest = &*credentials.try_emplace({std::string(id), hour}).first;
    return newest->second;
  }
};

UsageBatch::UsageBatch() : inside_(std::make_unique<Inside>()) {}
UsageBatch::~UsageBatch() = default;
void UsageBatch::clear() { *inside_ = {}; }

void UsageBatch::add(const journal::Receipt& r) {
  inside_->addresses.add(r);
  const Group<std::string_view> group{
      hour_of(r.intent_at), {r.key, r.team, r.project, r.environment, r.provider, r.model, r.endpoint}};
  auto found = inside_->usage.find(group);
  if (found == inside_->usage.end()) {
    Group<std::string> owned{group.hour, {}};
    for (std::size_t i = 0; i < kTexts; ++i) owned.texts[i] = group.texts[i];
    found = inside_->usage.emplace(std::move(owned), Sums{}).first;
  }
  Sums& sums = found->second;
  ++sums.requests;
  sums.errors += r.outcome != journal::Outcome::completed || r.status >= 400 ? 1 : 0;
  sums.estimated += r.estimated ? 1 : 0;
  sums.presumed += r.presumed ? 1 : 0;
  Nanousd& cost = sums.cost[quarter_of(r.intent_at)];
  cost = saturating_add(cost, r.cost_nanousd);
  for (const provider::UsageField& field : provider::kUsageFields)
    sums.usage.*field.member = saturating_add({sums.usage.*field.member}, {r.usage.*field.member}).value;
  if (!r.lineage.empty() && !inside_->lineages.contains(r.key)) inside_->lineages.emplace(r.key, r.lineage);
  ++inside_->outcomes[static_cast<std::size_t>(r.outcome)];
  if (r.credential.empty()) return;
  CredentialSums& use = inside_->credential(r.credential, group.hour);
  ++use.requests;
  use.cost = saturating_add(use.cost, r.cost_nanousd);
  use.last_used = std::max(use.last_used, r.intent_at.ns);
}

void UsageBatch::add(const journal::Refusal& r) {
  const std::string code(code_name(r.code));
  const std::string origin(origin_name(r.origin));
  ++inside_->hourly[{hour_of(r.at), {std::string(r.key), code, origin}}];
  ++inside_->refusals[fmt::format("{}/{}", code, origin)];
}

Result<void> UsageBatch::apply(store::Tx& tx) const {
  TRY_VOID(inside_->addresses.apply(tx));
  for (const auto& [group, sums] : inside_->usage) {
    std::vector<store::Value> values{group.hour};
    for (const std::string& text : group.texts) values.emplace_back(text);
    for (const std::int64_t n :
         {sums.requests, sums.errors, sums.estimated, sums.presumed, sums.total().value})
      values.emplace_back(n);
    for (const Nanousd part : sums.cost) values.emplace_back(part.value);
    for (const provider::UsageField& field : provider::kUsageFields)
      values.emplace_back(sums.usage.*field.member);
    TRY_VOID(tx.run(insert_statement(), std::move(values)));
  }
  for (const auto& [key, lineage] : inside_->lineages)
    for (const std::string_view above : identity::Lineage(lineage))
      TRY_VOID(tx.run("INSERT OR IGNORE INTO usage_lineage (above, key) VALUES (?1, ?2)",
                      {store::value(above), key}));
  for (const auto& [group, count] : inside_->hourly) {
    const auto& [key, code, origin] = group.second;
    TRY_VOID(
        tx.run("INSERT INTO usage_refusal (hour, key, code, origin, count) VALUES (?1, ?2, ?3, ?4, ?5) "
               "ON CONFLICT (hour, key, code, origin) DO UPDATE SET count = count + excluded.count",
               {group.first, key, code, origin, count}));
  }
  const auto add_total = [&](std::string_view kind, std::string_view name, std::int64_t count) {
    return tx.run(
        "INSERT INTO usage_total (kind, name, count) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (kind, name) DO UPDATE SET count = count + excluded.count",
        {store::value(kind), store::value(name), count});
  };
  for (std::size_t i = 0; i < inside_->outcomes.size(); ++i)
    if (inside_->outcomes[i] > 0)
      TRY_VOID(add_total("outcome", outcome_name(static_cast<journal::Outcome>(i)), inside_->outcomes[i]));
  for (const auto& [name, count] : inside_->refusals) TRY_VOID(add_total("refusal", name, count));
  for (const auto& [name, use] : inside_->credentials)
    TRY_VOID(tx.run(
        "INSERT INTO usage_credential (credential, hour, requests, cost_nanousd, last_used) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (credential, hour) DO UPDATE SET "
        "requests = requests + excluded.requests, cost_nanousd = cost_nanousd + excluded.cost_nanousd, "
        "last_used = MAX(last_used, excluded.last_used)",
        {name.first, name.second, use.requests, use.cost.value, use.last_used}));
  return {};
}

}  // namespace claviger::steward
