// Reading the descriptors, and finding the one for a provider.
#include "provider/adapter.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/json_writer.hpp"
#include "provider/provider.hpp"

namespace claviger::provider {
namespace {

constexpr std::array<std::string_view, kOperations> kOperationNames{
    "create", "progress", "reveal",    "propagation", "list",  "disable", "enable",
    "remove", "revoke",   "last_used", "probe",       "usage", "cost"};
constexpr std::array<std::string_view, 5> kClassNames{"create", "in_place", "slots", "human", "self_hosted"};
constexpr std::array<std::string_view, 10> kAuthNames{
    "none", "bearer", "x_api_key", "api_key",    "x_goog_api_key", "bearer_and_x_api_key",
    "aws",  "google", "azure",     "client_pair"};
constexpr std::array<std::string_view, 5> kMethods{"GET", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::array<std::string_view, 24> kPlaces{
    "id",   "secret", "operation", "done",  "failed", "expires", "rows",     "inner",
    "name", "hint",   "created",   "state", "more",   "next",    "disabled", "last_used",
    "from", "to",     "key",       "model", "input",  "output",  "requests", "cost"};

struct TextKey {
  std::string_view name;
  std::string Adapter::* member;
};
constexpr std::array<TextKey, 9> kTextKeys{{{"provider", &Adapter::provider},
                                            {"variant", &Adapter::variant},
                                            {"full", &Adapter::full},
                                            {"hint", &Adapter::hint},
                                            {"console_url", &Adapter::console_url},
                                            {"admin_url", &Adapter::admin_url},
                                            {"token_url", &Adapter::token_url},
                                            {"region", &Adapter::region},
                                            {"service", &Adapter::service}}};

template <class Names>
std::optional<std::size_t> index_of(const Names& names, std::string_view name) {
  const auto at = std::ranges::find(names, name);
  if (at == names.end() || name.empty()) return std::nullopt;
  return static_cast<std::size_t>(at - names.begin());
}

std::unexpected<Error> bad(const Adapter& adapter, std::string_view what) {
  return refuse(Code::configuration,
                fmt::format("[[adapter]] {} {}: {}", adapter.provider, adapter.variant, what));
}

// A list or table of constants, as JSON.
void append_literal(const toml::node& node, JsonWriter& out) {
  if (const auto* list = node.as_array()) {
    out.open('[');
    for (const toml::node& element : *list) append_literal(element, out);
    out.close(']');
  } else if (const auto* table = node.as_table()) {
    out.open('{');
    for (const auto& [key, value] : *table) {
      out.key(key.str());
      append_literal(value, out);
    }
    out.close('}');
  } else if (const auto flag = node.value_exact<bool>()) {
    out.boolean(*flag);
  } else if (const auto number = node.value_exact<std::int64_t>()) {
    out.number(*number);
  } else {
    out.text(node.value_or(std::string()));
  }
}

BodyPart body_of(std::string_view name, const toml::node& node) {
  BodyPart part;
  part.name = name;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) part.parts.push_back(body_of(key.str(), value));
    return part;
  }
  if (const auto text = node.value_exact<std::string>()) {
    part.kind = BodyPart::Kind::text;
    part.text = *text;
    return part;
  }
  part.kind = BodyPart::Kind::literal;
  JsonWriter writer(part.text);
  append_literal(node, writer);
  return part;
}

Result<void> read_texts(const Adapter& adapter, std::string_view what, const toml::node& node,
                        HeaderFields& out) {
  const toml::table* table = node.as_table();
  if (!table) return bad(adapter, fmt::format("{} is a table of texts.", what));
  for (const auto& [key, value] : *table) {
    const auto text = value.value_exact<std::string>();
    if (!text) return bad(adapter, fmt::format("{} of {} is a text.", key.str(), what));
    out.emplace_back(key.str(), *text);
  }
  return {};
}

Result<void> read_call_key(const Adapter& adapter, std::string_view key, const toml::node& node,
                           AdapterCall& out) {
  const auto text = node.value_exact<std::string>();
  const auto flag = node.value_exact<bool>();
  if (key == "method" && text && index_of(kMethods, *text)) return out.method = *text, Result<void>();
  if (key == "path" && text && text->starts_with('/')) return out.path = *text, Result<void>();
  if (key == "at" && text) return out.at = *text, Result<void>();
  if (key == "form" && flag) return out.form = *flag, Result<void>();
  if (key == "own_key" && flag) return out.own_key = *flag, Result<void>();
  if (key == "auth" && text)
    if (const auto auth = index_of(kAuthNames, *text))
      return out.auth = static_cast<AdminAuth>(*auth), Result<void>();
  if (key == "body" && node.is_table()) return out.body = body_of({}, node), Result<void>();
  if (key == "headers") return read_texts(adapter, key, node, out.headers);
  if (key == "read") return read_texts(adapter, key, node, out.read);
  return bad(adapter, fmt::format("\"{}\" of {} is not known or has a value that cannot be used.", key,
                                  operation_name(out.operation)));
}

Result<void> read_call(const toml::node& node, Operation operation, Adapter& adapter) {
  const toml::table* table = node.as_table();
  AdapterCall call;
  call.operation = operation;
  call.at = "admin";
  if (!table) return bad(adapter, fmt::format("{} is a table.", operation_name(operation)));
  for (const auto& [key, value] : *table) TRY_VOID(read_call_key(adapter, key.str(), value, call));
  if (call.method.empty() || call.path.empty())
    return bad(adapter, fmt::format("{} has no method or no path.", operation_name(operation)));
  if (call.at == "admin" && adapter.admin_url.empty())
    return bad(adapter, fmt::format("{} needs an admin_url.", operation_name(operation)));
  for (const auto& [place, where] : call.read)
    if (!index_of(kPlaces, place) && place != "all")
      return bad(adapter,
                 fmt::format("{} reads \"{}\", which nobody asks for.", operation_name(operation), place));
  std::erase_if(adapter.calls, [operation](const AdapterCall& old) { return old.operation == operation; });
  adapter.calls.push_back(std::move(call));
  return {};
}

Result<void> read_parameters(const toml::node& node, Adapter& adapter) {
  const toml::table* table = node.as_table();
  if (!table) return bad(adapter, "parameters are tables.");
  for (const auto& [key, value] : *table) {
    const toml::table* fields = value.as_table();
    AdapterParameter one;
    one.name = key.str();
    if (fields) one.required = (*fields)["required"].value_or(false);
    if (fields) one.says = (*fields)["says"].value_or(std::string());
    const std::size_t known = fields ? 1U + (fields->contains("required") ? 1U : 0U) : 0;
    if (one.says.empty() || fields->size() != known)
      return bad(adapter, fmt::format("the parameter {} has \"says\" and perhaps \"required\".", one.name));
    adapter.parameters.push_back(std::move(one));
  }
  return {};
}

Result<void> read_list(const Adapter& adapter, std::string_view key, const toml::node& node,
                       std::vector<std::string>& out) {
  out.clear();
  if (const auto* list = node.as_array())
    for (const toml::node& element : *list) out.push_back(element.value_or(std::string()));
  if (out.empty() || std::ranges::find(out, "") != out.end())
    return bad(adapter, fmt::format("{} is a list of texts.", key));
  return {};
}

Result<void> read_key(std::string_view key, const toml::node& node, Adapter& adapter) {
  const auto text = node.value_exact<std::string>();
  const auto flag = node.value_exact<bool>();
  const auto number = node.value_exact<std::int64_t>();
  for (const TextKey& known : kTextKeys)
    if (known.name == key && text) return adapter.*known.member = *text, Result<void>();
  if (key == "class" && text)
    if (const auto at = index_of(kClassNames, *text))
      return adapter.rotation = static_cast<RotationClass>(*at), Result<void>();
  if (key == "kill" && text)
    if (const auto at = index_of(kOperationNames, *text))
      return adapter.kill = static_cast<Operation>(*at), Result<void>();
  if (key == "most_live" && number) return adapter.most_live = *number, Result<void>();
  if (key == "name_length" && number) return adapter.name_length = *number, Result<void>();
  if (key == "named" && flag) return adapter.named = *flag, Result<void>();
  if (key == "disable_narrows" && flag) return adapter.disable_narrows = *flag, Result<void>();
  if (key == "probe_keys") return read_list(adapter, key, node, adapter.probe_keys);
  if (key == "slots") return read_list(adapter, key, node, adapter.slots);
  if (key == "instructions") return read_list(adapter, key, node, adapter.instructions);
  if (key == "parameters") return read_parameters(node, adapter);
  if (index_of(kOperationNames, key)) return {};  // when the rest is known
  return bad(adapter, fmt::format("\"{}\" is not known or has a value that cannot be used.", key));
}

const Adapter* find_in(const std::vector<Adapter>& rows, std::string_view provider,
                       std::string_view variant) {
  const auto at = std::ranges::find_if(
      rows, [&](const Adapter& row) { return row.provider == provider && row.variant == variant; });
  return at == rows.end() ? nullptr : &*at;
}

Result<Adapter> read_adapter(const toml::table& table, const std::vector<Adapter>& before) {
  Adapter adapter;
  adapter.provider = table["provider"].value_or(std::string());
  if (const auto like = table["like"].value<std::string>()) {
    const Adapter* other = find_in(before, adapter.provider, *like);
    if (!other) return bad(adapter, fmt::format("there is no variant \"{}\" before it.", *like));
    adapter = *other;
  }
  adapter.variant = table["variant"].value_or(std::string());
  for (const auto& [key, value] : table)
    if (key.str() != "like") TRY_VOID(read_key(key.str(), value, adapter));
  for (const auto& [key, value] : table)
    if (const auto at = index_of(kOperationNames, key.str()))
      TRY_VOID(read_call(value, static_cast<Operation>(*at), adapter));
  if (adapter.provider.empty()) return bad(adapter, "it has no provider.");
  if (find_in(before, adapter.provider, adapter.variant)) return bad(adapter, "it is there twice.");
  if (adapter.kill && !adapter.offers(*adapter.kill)) return bad(adapter, "it cannot do what kill says.");
  return adapter;
}

}  // namespace

std::string_view class_name(RotationClass rotation) {
  return kClassNames[static_cast<std::size_t>(rotation)];
}

std::string_view operation_name(Operation operation) {
  return kOperationNames[static_cast<std::size_t>(operation)];
}

std::string_view AdapterCall::place(std::string_view name) const {
  for (const auto& [known, where] : read)
    if (known == name) return where;
  return {};
}

const AdapterCall* Adapter::find(Operation operation) const {
  const auto at = std::ranges::find(calls, operation, &AdapterCall::operation);
  return at == calls.end() ? nullptr : &*at;
}

bool Adapter::may_probe(std::string_view key) const {
  if (!offers(Operation::probe)) return false;
  bool known = false, told = false;
  for (const std::string_view begins : probe_keys) {
    if (begins.starts_with('!') && key.starts_with(begins.substr(1))) return false;
    if (begins.starts_with('!')) continue;
    told = true;
    known = known || key.starts_with(begins);
  }
  return known || !told;
}

Result<std::vector<Adapter>> parse_adapters(std::string_view toml_text) try {
  const toml::table file = toml::parse(toml_text);
  std::vector<Adapter> out;
  for (const auto& [key, value] : file)
    if (key.str() != "adapter" || !value.is_array_of_tables())
      return refuse(Code::configuration, fmt::format("Unknown key \"{}\": there is [[adapter]].", key.str()));
  const toml::array* rows = file["adapter"].as_array();
  if (!rows) return out;
  for (const toml::node& node : *rows) {
    TRY(Adapter adapter, read_adapter(*node.as_table(), out));
    out.push_back(std::move(adapter));
  }
  return out;
} catch (const toml::parse_error& error) {
  return refuse(Code::configuration,
                fmt::format("Line {}: {}", error.source().begin.line, error.description()));
}

const std::vector<Adapter>& builtin_adapters() {
  static const std::vector<Adapter> rows = parse_adapters(kAdaptersData).value();
  return rows;
}

const Adapter* find_adapter(std::string_view provider, std::string_view variant) {
  const std::string_view builtin = builtin_name(provider);
  return find_in(builtin_adapters(), builtin.empty() ? provider : builtin, variant);
}

const Adapter* find_adapter(std::string_view provider, const Values& parameters) {
  const auto variant = parameters.find("variant");
  return find_adapter(provider, variant == parameters.end() ? std::string_view() : variant->second);
}

}  // namespace claviger::provider
