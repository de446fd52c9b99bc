// claviger prices: what models cost here, other people's lists read in, and which models in use have no
// price.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>

#include "app/command.hpp"
#include "app/config.hpp"
#include "app/house.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/money.hpp"
#include "provider/glob.hpp"
#include "provider/price_import.hpp"

namespace claviger::app {
namespace {

constexpr std::int64_t kStaleDays = 180;  // prices nobody has looked at for so long are told
constexpr std::int64_t kDayNs = 24LL * 3600 * 1'000'000'000;
constexpr std::int64_t kMovedPercent = 20;  // a change that deserves a look

struct PriceOptions {
  std::string data, config, provider, model, file, output, valid_from;
  bool json = false;
  Output form() const { return json ? Output::json : Output::text; }
};

Json decimal(const std::optional<std::int64_t>& nano) {
  return nano ? Json(format_usd({*nano})) : Json(nullptr);
}

std::string day_of(Time time) { return time.ns == INT64_MIN ? "always" : format_time(time).substr(0, 10); }

std::string_view origin_of(const provider::Price& row) {
  return row.imported ? "imported" : row.from_operator ? "operator" : "built-in";
}

Json described(const provider::Price& row) {
  Json out = {
      {"provider", row.provider},
      {"models", row.models},
      {"valid_from", row.valid_from.ns == INT64_MIN ? Json(nullptr) : Json(format_time(row.valid_from))},
      {"origin", origin_of(row)},
      {"source", row.source},
      {"version", row.version}};
  for (const provider::RateField& field : provider::kRateFields)
    if (const auto& rate = row.rates.*field.member) out[std::string(field.name)] = format_usd({*rate});
  if (row.second) out["second"] = format_usd(*row.second);
  if (row.characters) out["characters"] = format_usd({*row.characters});
  if (row.tool_call) out["tool_call"] = format_usd(*row.tool_call);
  for (const provider::PicturePrice& one : row.pictures)
    out["pictures"].push_back({{"size", one.size},
                               {"quality", one.quality},
                               {"price", one.price ? Json(format_usd(*one.price)) : Json(nullptr)},
                               {"tokens", one.tokens ? Json(*one.tokens) : Json(nullptr)}});
  for (const provider::ContextTier& tier : row.tiers)
    out["tiers"].push_back({{"above", tier.above},
                            {"input", decimal(tier.rates.input)},
                            {"output", decimal(tier.rates.output)}});
  if (row.context) out["context"] = *row.context;
  if (row.max_output) out["max_output"] = *row.max_output;
  return out;
}

Result<Config> config_of(const PriceOptions& asked) {
  const std::string path = asked.data.empty() ? asked.config : config_path(asked.config, asked.data);
  return load_config(path, asked.data);
}

bool listed(const PriceOptions& asked, const provider::Price& row) {
  if (!asked.provider.empty() && row.provider != asked.provider) return false;
  return asked.model.empty() || std::ranges::any_of(row.models, [&](const std::string& model) {
           return model == asked.model || provider::glob_match(asked.model, model) ||
                  provider::glob_match(model, asked.model);
         });
}

Result<int> list(Terminal& terminal, const PriceOptions& asked) {
  TRY(const Config config, config_of(asked));
  TRY(const provider::Catalog catalog, make_catalog(config));
  Json rows = Json::array();
  for (const provider::Price& row : catalog.prices().rows())
    if (listed(asked, row)) rows.push_back(described(row));
  if (asked.json) {
    terminal.out << Json{{"version", catalog.prices().version()}, {"prices", std::move(rows)}}.dump(2)
                 << '\n';
    return kOk;
  }
  std::vector<std::vector<std::string>> lines;
  for (const Json& row : rows) {
    const auto cell = [&](const char* name) { return row.contains(name) ? plain(row[name]) : "-"; };
    lines.push_back({cell("provider"), row["models"][0].get<std::string>(), cell("input"), cell("cache_read"),
                     cell("output"), cell("valid_from").substr(0, 10), cell("origin"), cell("source")});
  }
  print_table(terminal.out, {"provider", "model", "input", "cached", "output", "from", "origin", "source"},
              lines);
  return kOk;
}

Result<std::string> read_list(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    return refuse(Code::invalid_input, fmt::format("{} cannot be read.", path));
  if (text.size() > limits::kPriceFile)
    return refuse(Code::invalid_input,
                  fmt::format("{} is larger than {} bytes: no price list is.", path, limits::kPriceFile));
  return text;
}

// Written beside the file and moved into its place, so that a server never reads half of it.
Result<void> write_list(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file << text;
    file.flush();
    if (!file) return refuse(Code::invalid_input, fmt::format("{} cannot be written.", beside));
  }
  std::error_code error;
  std::filesystem::rename(beside, path, error);
  if (error) return refuse(Code::invalid_input, fmt::format("{}: {}", path, error.message()));
  return {};
}

// Prices that are far from what is in force now.
Json moved(const provider::PriceImport& import, const provider::PriceBook& before, Time now) {
  Json out = Json::array();
  for (const provider::Price& row : import.rows)
    for (const std::string& model : row.models) {
      const provider::Price* old = before.find(row.provider, model, now);
      if (old == nullptr) continue;
      for (const auto& [name, member] : provider::kRateFields) {
        const auto was = old->rates.*member, is = row.rates.*member;
        if (!was || !is) continue;
        const std::int64_t change = *is > *was ? *is - *was : *was - *is;
        if (change / 100 * 100 < *was / 100 * kMovedPercent || change == 0) continue;
        out.push_back({{"model", row.provider + "/" + model},
                       {"rate", name},
                       {"was", format_usd({*was})},
                       {"is", format_usd({*is})}});
      }
    }
  return out;
}

Result<int> import(Terminal& terminal, const PriceOptions& asked) {
  if (asked.data.empty() == asked.output.empty())
    return refuse(Code::invalid_input, "Say where the prices go: --data DIR, or --output FILE.");
  const Time now = SystemClock().now();
  Time from{now.ns - now.ns % kDayNs};
  if (!asked.valid_from.empty()) {
    TRY(from, parse_time(asked.valid_from));
  }
  TRY(const Config config, config_of(asked));
  TRY(const provider::Catalog catalog, make_catalog(config));
  std::vector<std::string> names;
  for (const provider::Provider& one : catalog.providers()) names.push_back(one.name);
  TRY(const std::string text, read_list(asked.file));
  const std::string source =
      fmt::format("{}, imported {}", std::filesystem::path(asked.file).filename().string(), day_of(now));
  TRY(const provider::PriceImport made, provider::import_prices(text, from, source, names));
  if (made.rows.empty())
    return refuse(Code::invalid_input, fmt::format("{} prices no model that is known here.", asked.file));
  Config checked = config;
  checked.prices = provider::price_file_text(made);
  TRY([[maybe_unused]] const provider::Catalog usable, make_catalog(checked));
  const std::string path = asked.output.empty() ? prices_path(config, asked.data) : asked.output;
  TRY_VOID(write_list(path, checked.prices));
  Json left = Json::array();
  for (const provider::NotTaken& one : made.not_taken)
    left.push_back({{"model", one.model}, {"why", one.why}});
  std::size_t models = 0;
  for (const provider::Price& row : made.rows) models += row.models.size();
  const Json report = {{"format", made.format},
                       {"output", path},
                       {"valid_from", format_time(from)},
                       {"rows", made.rows.size()},
                       {"models", models},
                       {"rounded_up", made.rounded_up},
                       {"not_taken", std::move(left)},
                       {"moved", moved(made, catalog.prices(), now)}};
  if (asked.json) {
    terminal.out << report.dump(2) << '\n';
    return kOk;
  }
  terminal.out << fmt::format("{} rows for {} models from {} (format {}), valid from {}, written to {}\n",
                              made.rows.size(), models, asked.file, made.format, day_of(from), path);
  for (const Json& one : report["moved"])
    terminal.out << fmt::format("  moved: {} {} {} -> {}\n", plain(one["model"]), plain(one["rate"]),
                                plain(one["was"]), plain(one["is"]));
  for (const Json& one : report["not_taken"])
    terminal.out << fmt::format("  not taken: {}: {}\n", plain(one["model"]), plain(one["why"]));
  terminal.out << "A running server takes them at its next start.\n";
  return kOk;
}

// When somebody last looked at a row: the newest date that its source names, else since when it is valid.
std::optional<Time> looked_at(const provider::Price& row) {
  std::optional<Time> newest;
  for (std::size_t at = 0; at + 10 <= row.source.size(); ++at) {
    if (row.source[at] != '2' || row.source[at + 4] != '-') continue;
    if (const auto time = parse_time(row.source.substr(at, 10)); time && (!newest || *newest < *time))
      newest = *time;
  }
  if (!newest && row.valid_from.ns != INT64_MIN) newest = row.valid_from;
  return newest;
}

Json verdict(const provider::PriceBook& prices, const Json& used, Time now) {
  const std::string provider = used.value("provider", ""), model = used.value("model", "");
  Json out = {{"provider", provider},
              {"model", model},
              {"requests", used.value("requests", 0)},
              {"cost_nanousd", used.value("cost_nanousd", std::int64_t{0})}};
  const provider::Price* row = prices.find(provider, model, now);
  out["state"] = row == nullptr ? "unpriced" : "priced";
  if (row == nullptr) return out;
  const auto seen = looked_at(*row);
  if (seen && now.ns - seen->ns > kStaleDays * kDayNs) out["state"] = "stale";
  const bool free = row->rates.input == std::optional<std::int64_t>(0) && row->rates.output.value_or(0) == 0;
  out["free"] = free;  // a price of 0 that somebody wrote down is not an unknown one
  out["price_version"] = row->version;
  out["looked_at"] = seen ? Json(day_of(*seen)) : Json(nullptr);
  return out;
}

int check(Terminal& terminal, const Common& common) {
  auto config = load_config(config_path(common.config, common.data), common.data);
  if (!config) return tell(terminal, common.output(), config.error());
  auto catalog = make_catalog(*config);
  if (!catalog) return tell(terminal, common.output(), catalog.error());
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  console::ApiRequest asked = request("GET", "/api/v1/usage");
  add_query(asked, "by", "provider,model");
  add_query(asked, "from", "2020-01-01T00:00:00Z");
  const Reply reply = ask_door(terminal, common, **door, asked);
  if (reply.exit != kOk) return reply.exit;
  const Time now = SystemClock().now();
  Json models = Json::array(), unpriced = Json::array(), stale = Json::array();
  for (const Json& row : reply.body["rows"]) {
    if (row.value("model", "").empty()) continue;  // lists of models name none
    Json one = verdict(catalog->prices(), row, now);
    if (one["state"] == "unpriced")
      unpriced.push_back(one["provider"].get<std::string>() + "/" + one["model"].get<std::string>());
    if (one["state"] == "stale")
      stale.push_back(one["provider"].get<std::string>() + "/" + one["model"].get<std::string>());
    models.push_back(std::move(one));
  }
  const bool good = unpriced.empty() && stale.empty();
  if (common.json) {
    terminal.out << Json{{"ok", good}, {"unpriced", unpriced}, {"stale", stale}, {"models", models}}.dump(2)
                 << '\n';
    return good ? kOk : kNegative;
  }
  std::vector<std::vector<std::string>> lines;
  for (const Json& one : models)
    lines.push_back({plain(one["state"]), plain(one["provider"]), plain(one["model"]), plain(one["requests"]),
                     one.contains("looked_at") ? plain(one["looked_at"]) : "-"});
  print_table(terminal.out, {"price", "provider", "model", "requests", "looked at"}, lines);
  if (!good)
    terminal.out << "Add [[price]] rows to claviger.toml, or import a list: claviger prices import FILE.\n";
  return good ? kOk : kNegative;
}

std::shared_ptr<PriceOptions> add_options(CLI::App* command) {
  auto asked = std::make_shared<PriceOptions>();
  command->add_option("--data", asked->data, "Data directory, for its own prices")->envname("CLAVIGER_DATA");
  command->add_option("--config", asked->config, "Configuration file, for its [[price]] rows");
  command->add_flag("--json", asked->json, "Print JSON");
  return asked;
}

}  // namespace

void add_price_commands(Bench& bench) {
  CLI::App* group = bench.group("prices", "What models cost here");
  Terminal& terminal = bench.terminal;
  const auto run = [&terminal](const std::shared_ptr<PriceOptions>& asked,
                               Result<int> (*what)(Terminal&, const PriceOptions&)) {
    return [&terminal, asked, what] {
      const Result<int> code = what(terminal, *asked);
      return code ? *code : tell(terminal, asked->form(), code.error());
    };
  };
  CLI::App* all = bench.command(group, "list", "Lists all price rows: built-in, imported and your own",
                                "  claviger prices list --provider anthropic\n"
                                "  claviger prices list --data DIR --model gpt-5 --json");
  auto listing = add_options(all);
  all->add_option("--provider", listing->provider, "Only this provider's");
  all->add_option("--model", listing->model, "Only rows for this model, or models of this glob");
  bench.action(all, run(listing, list));

  CLI::App* take =
      bench.command(group, "import", "Reads LiteLLM's or genai-prices' list into the data directory",
                    "  claviger prices import model_prices_and_context_window.json --data DIR\n"
                    "  claviger prices import data.json --output prices.toml --valid-from 2026-12-01 --json");
  auto importing = add_options(take);
  take->add_option("file", importing->file, "The list, as JSON")->required();
  take->add_option("--output", importing->output, "Price file to write instead of the data directory's");
  take->add_option("--valid-from", importing->valid_from, "Since when (default: today)");
  bench.action(take, run(importing, import));

  CLI::App* look = bench.command(group, "check", "Says which models in use have no price, or an old one",
                                 "  claviger prices check --data DIR --json");
  auto common = add_common(look);
  bench.action(look, [&terminal, common] { return check(terminal, *common); });
}

}  // namespace claviger::app
