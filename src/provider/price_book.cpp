// The index of all price rows: which one is in force for a model at a time.
#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "provider/glob.hpp"
#include "provider/price.hpp"
#include "provider/price_file.hpp"

namespace claviger::provider {
namespace {

struct GlobRow {
  std::string_view glob;  // into the row
  const Price* price = nullptr;
};

struct ProviderRows {
  // Both sorted so that the first row with valid_from <= at is the one in force.
  std::unordered_map<std::string_view, std::vector<const Price*>> names;
  std::vector<GlobRow> globs;
  Price dearest;
};

std::ptrdiff_t literals(std::string_view glob) {
  return std::ranges::count_if(glob, [](char c) { return c != '*' && c != '?'; });
}

// Whose word counts more: the operator's own, an imported one, the built-in one.
int rank(const Price& row) { return row.imported ? 1 : row.from_operator ? 2 : 0; }

// The higher rank first, then the newest.
bool before(const Price& a, const Price& b) {
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  if (a.valid_from != b.valid_from) return a.valid_from > b.valid_from;
  return a.version < b.version;
}

template <class T>
void raise(std::optional<T>& top, const std::optional<T>& value) {
  if (value) top = std::max(top.value_or(T{}), *value);
}

void raise_rates(Rates& top, const Rates& rates, int percent) {
  for (const auto& [name, member] : kRateFields)
    if (rates.*member) raise(top.*member, std::optional((*(rates.*member) * percent + 99) / 100));
}

void raise_price(Price& top, const Price& row) {
  const int percent = row.peaks.empty() ? 100 : std::max(100, row.peak_percent);
  raise_rates(top.rates, row.rates, percent);
  for (const ContextTier& tier : row.tiers) raise_rates(top.rates, tier.rates, percent);
  top.priority_percent = std::max(top.priority_percent, row.priority_percent);
  top.us_geo_percent = std::max(top.us_geo_percent, row.us_geo_percent);
  raise(top.tool_call, row.tool_call);
  raise(top.file_search, row.file_search);
  raise(top.code_session, row.code_session);
  raise(top.second, row.second);
  raise(top.characters, row.characters);
  for (const PicturePrice& one : row.pictures) {
    if (top.pictures.empty()) top.pictures.emplace_back();
    raise(top.pictures.front().price, one.price);
    raise(top.pictures.front().tokens, one.tokens);
  }
  raise(top.request, row.request);
  raise(top.output_bound, row.max_output);
  raise(top.output_bound, row.output_bound);
  raise(top.context, row.context);
}

bool share_a_model(const Price& a, const Price& b) {
  return std::ranges::any_of(a.models, [&](const std::string& model) {
    return std::ranges::find(b.models, model) != b.models.end();
  });
}

}  // namespace

struct PriceBook::Index {
  std::string version;
  std::deque<Price> rows;
  std::map<std::string, ProviderRows, std::less<>> providers;

  Result<void> add(std::vector<Price> more);
  Result<void> check_overlap() const;
  void link();
};

Result<void> PriceBook::Index::add(std::vector<Price> more) {
  for (Price& row : more) {
    if (row.from_operator) {
      // A row of an operator that leaves a bound out keeps the built-in one of the same model.
      for (const Price& old : rows)
        if (!old.from_operator && old.provider == row.provider && share_a_model(old, row)) {
          if (!row.max_output && !row.output_bound) {
            row.max_output = old.max_output;
            row.output_bound = old.output_bound;
          }
          if (!row.context) row.context = old.context;
          if (!row.image_tokens) row.image_tokens = old.image_tokens;
        }
    }
    rows.push_back(std::move(row));
  }
  return check_overlap();
}

Result<void> PriceBook::Index::check_overlap() const {
  for (auto a = rows.begin(); a != rows.end(); ++a)
    for (auto b = std::next(a); b != rows.end(); ++b)
      if (a->provider == b->provider && rank(*a) == rank(*b) && a->valid_from == b->valid_from &&
          share_a_model(*a, *b))
        return refuse(
            Code::configuration,
            fmt::format("[[price]] {} and {} price one model from the same day on.", a->version, b->version));
  return {};
}

void PriceBook::Index::link() {
  for (Price& row : rows) {
    ProviderRows& mine = providers[row.provider];
    for (const std::string& model : row.models) {
      if (is_glob(model))
        mine.globs.push_back({model, &row});
      else
        mine.names[model].push_back(&row);
    }
    raise_price(mine.dearest, row);
    for (const Price& other : rows)
      if (other.provider == row.provider && rank(other) >= rank(row) && other.valid_from > row.valid_from &&
          share_a_model(other, row) && (!row.next || other.valid_from < row.next->valid_from))
        row.next = &other;
  }
  for (auto& [name, mine] : providers) {
    for (auto& [model, list] : mine.names)
      std::ranges::sort(list, [](const Price* a, const Price* b) { return before(*a, *b); });
    std::ranges::sort(mine.globs, [](const GlobRow& a, const GlobRow& b) {
      const auto left = literals(a.glob), right = literals(b.glob);
      return left != right ? left > right : before(*a.price, *b.price);
    });
    mine.dearest.provider = name;
    mine.dearest.models = {"*"};
    mine.dearest.source = "dearest rate of each class over the provider's rows";
    mine.dearest.version = version + ":" + name + "/dearest";
  }
  for (Price& row : rows) row.fallback = &providers[row.provider].dearest;
}

PriceBook::PriceBook() : index_(std::make_unique<Index>()) {}
PriceBook::~PriceBook() = default;
PriceBook::PriceBook(PriceBook&&) noexcept = default;
PriceBook& PriceBook::operator=(PriceBook&&) noexcept = default;

Result<PriceBook> PriceBook::parse(std::string_view toml) {
  TRY(PriceFile file, parse_price_file(toml, RowOrigin::builtin, OtherTables::refuse));
  PriceBook out;
  out.index_->version = std::move(file.version);
  TRY_VOID(out.index_->add(std::move(file.rows)));
  out.index_->link();
  return out;
}

Result<PriceBook> PriceBook::with_operator_rows(std::string_view builtin_toml, std::string_view operator_toml,
                                                OtherTables others, std::string_view imported_toml) {
  TRY(PriceFile builtin, parse_price_file(builtin_toml, RowOrigin::builtin, OtherTables::refuse));
  TRY(PriceFile own, parse_price_file(operator_toml, RowOrigin::operator_file, others));
  TRY(PriceFile imported, parse_price_file(imported_toml, RowOrigin::imported, OtherTables::refuse));
  PriceBook out;
  out.index_->version = std::move(builtin.version);
  TRY_VOID(out.index_->add(std::move(builtin.rows)));
  TRY_VOID(out.index_->add(std::move(imported.rows)));
  TRY_VOID(out.index_->add(std::move(own.rows)));
  out.index_->link();
  return out;
}

const Price* PriceBook::find(std::string_view provider, std::string_view model, Time at) const {
  const auto mine = index_->providers.find(provider);
  if (mine == index_->providers.end()) return nullptr;
  if (const auto named = mine->second.names.find(model); named != mine->second.names.end())
    for (const Price* row : named->second)
      if (row->valid_from <= at) return row;
  for (const GlobRow& row : mine->second.globs)
    if (row.price->valid_from <= at && glob_match(row.glob, model)) return row.price;
  return nullptr;
}

const Price* PriceBook::dearest(std::string_view provider) const {
  const auto mine = index_->providers.find(provider);
  return mine == index_->providers.end() ? nullptr : &mine->second.dearest;
}

const std::deque<Price>& PriceBook::rows() const { return index_->rows; }
std::string_view PriceBook::version() const { return index_->version; }

}  // namespace claviger::provider
