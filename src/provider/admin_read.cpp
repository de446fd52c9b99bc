// Reading answers by the places their descriptors name.
#include "provider/admin_read.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "provider/admin_number.hpp"
#include "provider/admin_xml.hpp"
#include "wire/json.hpp"

namespace claviger::provider {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::unexpected<Error> malformed(const Adapter& adapter, Operation operation, std::string_view what) {
  return fail_upstream(Code::upstream_malformed,
                       fmt::format("{} {}: {}", adapter.provider, operation_name(operation), what),
                       fmt::format("The answer of {} to {} could not be understood: {}.", adapter.provider,
                                   operation_name(operation), what));
}

// An answer being read: its text may be XML made JSON, which is wiped, for it may hold a secret.
class Answer {
 public:
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() { crypto::wipe(made_); }

  Result<void> open(const Adapter& adapter, Operation operation, std::string_view body) {
    call_ = adapter.find(operation);
    if (body.size() > limits::kAdminAnswer) return malformed(adapter, operation, "it is too long");
    if (!call_) return malformed(adapter, operation, "there is no such operation");
    if (call_->form) {
      auto json = xml_as_json(body);
      if (!json) return std::unexpected(std::move(json).error());
      made_ = *std::move(json);
      body = made_;
    }
    if (!wire::scan(body, json_, wire::Duplicates::allow))
      return malformed(adapter, operation, "it is not JSON");
    return {};
  }
  wire::JsonValue root() const { return json_.root(); }
  const AdapterCall& call() const { return *call_; }

 private:
  const AdapterCall* call_ = nullptr;
  std::string made_;
  wire::Json json_;
};

wire::JsonValue at(wire::JsonValue value, std::string_view pointer) {
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    value = value[pointer.substr(0, end)];
    pointer.remove_prefix(end);
  }
  return value;
}

// Texts, numbers and flags alike: providers write one where they promise another.
std::string text_of(wire::JsonValue value) {
  if (value.is_string()) return value.text().value_or("");
  if (value.is_number() || value.is_boolean()) return std::string(value.raw());
  return {};
}

// "/a+/b": a sum of counts.
std::string sum_of(wire::JsonValue row, std::string_view places) {
  std::int64_t sum = 0;
  while (!places.empty()) {
    const std::size_t end = std::min(places.find('+'), places.size());
    sum += whole_number(text_of(at(row, places.substr(0, end))));
    places.remove_prefix(std::min(end + 1, places.size()));
  }
  return std::to_string(sum);
}

std::string decoded(std::string text) {
  const auto bytes = unbase64(text);
  crypto::wipe(text);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

// What stands at `place` of the row; empty when nothing does.
std::string read(wire::JsonValue row, std::string_view place) {
  if (place.starts_with('{')) {
    std::string out;
    while (!place.empty()) {
      const std::size_t open = std::min(place.find('{'), place.size());
      out.append(place.substr(0, open));
      if (open == place.size()) break;
      const std::size_t close = std::min(place.find('}'), place.size() - 1);
      std::string piece = read(row, place.substr(open + 1, close - open - 1));
      if (piece.empty()) return crypto::wipe(out), std::string();
      out.append(piece);
      crypto::wipe(piece);
      place.remove_prefix(close + 1);
    }
    return out;
  }
  if (place.contains('+')) return sum_of(row, place);
  const std::size_t colon = place.rfind(':');
  const std::string_view form =
      colon == std::string_view::npos ? std::string_view() : place.substr(colon + 1);
  std::string text = text_of(at(row, place.substr(0, colon)));
  return form == "base64" && !text.empty() ? decoded(std::move(text)) : text;
}

std::optional<Time> time_at(wire::JsonValue row, std::string_view place) {
  const std::string text = read(row, place);
  if (text.empty()) return std::nullopt;
  if (place.ends_with(":unix")) return Time{whole_number(text) * kSecond};
  const auto time = parse_time(text);
  return time ? std::optional(*time) : std::nullopt;  // AWS writes "N/A"
}

std::string with_slot(std::string_view place, const Values& about) {
  std::string out(place);
  const auto id = about.find("id");
  if (const std::size_t mark = out.find("{slot}"); mark != std::string::npos && id != about.end()) {
    std::string slot = id->second;
    for (char& c : slot) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    out.replace(mark, 6, slot);
  }
  return out;
}

std::string about_text(const Values& about, std::string_view name) {
  const auto at = about.find(name);
  return at == about.end() ? std::string() : at->second;
}

// The page that follows one of `count` rows.
std::string next_page(wire::JsonValue root, const AdapterCall& call, const Values& about, std::size_t count) {
  const std::string_view place = call.place("next");
  const std::string page = about_text(about, "page");
  const auto full_page = [&](std::string_view kind) -> std::int64_t {
    const std::int64_t size = place.starts_with(kind) ? whole_number(place.substr(kind.size())) : 0;
    return size > 0 && count >= static_cast<std::size_t>(size) ? size : 0;
  };
  if (place.starts_with("offset:")) {
    const std::int64_t size = full_page("offset:");
    return size == 0 ? std::string() : std::to_string(whole_number(page) + size);
  }
  if (place.starts_with("number:"))
    return full_page("number:") == 0 ? std::string()
                                     : std::to_string(std::max<std::int64_t>(1, whole_number(page)) + 1);
  if (place == "day") {
    const auto day = parse_time(page.empty() ? about_text(about, "from") : page);
    const auto to = parse_time(about_text(about, "to"));
    if (!day || !to) return {};
    const std::string next = format_time(*day + std::chrono::hours(24)).substr(0, 10);
    return parse_time(next).value_or(*to) < *to ? next : std::string();
  }
  const std::string_view more = call.place("more");
  if (!more.empty() && read(root, more) != "true") return {};
  return read(root, place);
}

// How many pages stand before the one that was asked for, where they are counted.
std::size_t pages_before(const AdapterCall& call, const Values& about) {
  const std::string_view place = call.place("next");
  const auto page =
      static_cast<std::size_t>(std::max<std::int64_t>(0, whole_number(about_text(about, "page"))));
  if (place.starts_with("number:")) return page > 0 ? page - 1 : 0;
  if (!place.starts_with("offset:")) return 0;
  const auto size = std::max<std::int64_t>(1, whole_number(place.substr(std::string_view("offset:").size())));
  return page / static_cast<std::size_t>(size);
}

KeyState state_of(wire::JsonValue row, const AdapterCall& call, std::string state) {
  for (char& c : state) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (state == "expired") return KeyState::expired;
  const bool off = state == "inactive" || state == "archived" || state == "disabled" ||
                   read(row, call.place("disabled")) == "true";
  return off ? KeyState::disabled : KeyState::active;
}

ProviderUsage usage_of(wire::JsonValue outer, wire::JsonValue row, const AdapterCall& call) {
  const auto both = [&](std::string_view name) {
    const std::optional<Time> own = time_at(row, call.place(name));
    return own ? own : time_at(outer, call.place(name));
  };
  ProviderUsage out;
  out.model = read(row, call.place("model"));
  out.from = both("from").value_or(Time{});
  out.to = both("to").value_or(out.from);
  out.requests = whole_number(read(row, call.place("requests")));
  out.input_tokens = whole_number(read(row, call.place("input")));
  out.output_tokens = whole_number(read(row, call.place("output")));
  if (const std::string_view place = call.place("cost"); !place.empty())
    out.cost = Nanousd{nano_of(read(row, place), place.ends_with(":cents") ? 7 : 9)};
  return out;
}

}  // namespace

std::optional<Operation> CreatedKey::next() const {
  if (!operation.empty()) return Operation::progress;
  if (secret.empty()) return Operation::reveal;
  return std::nullopt;
}

Result<CreatedKey> read_created(const Adapter& adapter, Operation operation, const Values& about,
                                std::string_view body) {
  Answer answer;
  TRY_VOID(answer.open(adapter, operation, body));
  const wire::JsonValue root = answer.root();
  const AdapterCall& call = answer.call();
  if (at(root, call.place("failed")).exists() && !call.place("failed").empty())
    return fail_upstream(Code::upstream_failed, "the operation failed",
                         fmt::format("{} could not create the key.", adapter.provider));
  CreatedKey key;
  key.id = read(root, call.place("id"));
  if (key.id.empty()) key.id = about_text(about, "id");
  if (read(root, call.place("done")) != "true") key.operation = read(root, call.place("operation"));
  key.secret = read(root, with_slot(call.place("secret"), about));
  key.expires = time_at(root, call.place("expires"));
  const bool more_to_come =
      !key.operation.empty() || (key.secret.empty() && adapter.offers(Operation::reveal));
  if (key.id.empty() && key.operation.empty()) return malformed(adapter, operation, "it names no key");
  if (key.secret.empty() && (!more_to_come || operation == Operation::reveal))
    return malformed(adapter, operation, "it holds no secret");
  return key;
}

Result<KeyPage> read_keys(const Adapter& adapter, const Values& about, std::string_view body) {
  Answer answer;
  TRY_VOID(answer.open(adapter, Operation::list, body));
  const AdapterCall& call = answer.call();
  if (pages_before(call, about) >= limits::kAdminPages)
    return malformed(adapter, Operation::list, "the list does not end");
  const wire::JsonValue rows = at(answer.root(), call.place("rows"));
  KeyPage page;
  // No key at all: Google leaves the list out, XML has an empty text for it.
  if (rows.exists() && !rows.is_array() && !rows.is_null() && !rows.text_equals(""))
    return malformed(adapter, Operation::list, "it holds no list");
  for (const wire::JsonValue row : rows.elements()) {
    ListedKey key;
    key.id = read(row, call.place("id"));
    if (key.id.empty()) return malformed(adapter, Operation::list, "a key has no id");
    key.name = read(row, call.place("name"));
    const bool by_id = adapter.hint == "sha256" || adapter.hint == "id";
    key.hint = by_id ? key.id : read(row, call.place("hint"));
    key.state = state_of(row, call, read(row, call.place("state")));
    key.created = time_at(row, call.place("created"));
    key.expires = time_at(row, call.place("expires"));
    key.last_used = time_at(row, call.place("last_used"));
    page.keys.push_back(std::move(key));
  }
  page.next = next_page(answer.root(), call, about, page.keys.size());
  return page;
}

std::optional<bool> fits_hint(const Adapter& adapter, const ListedKey& key, std::string_view secret) {
  if (adapter.hint.empty() || key.hint.empty()) return std::nullopt;
  if (adapter.hint == "sha256") return key.hint == hex(crypto::sha256(secret));
  if (adapter.hint == "id") return secret.starts_with(key.hint + ":");
  // "sk-ant-api03-R2D...igAA", "sk-...ab", "HQSx...Ug6Y", "xx***yy".
  const std::size_t first = key.hint.find_first_of(".*");
  const std::size_t last = key.hint.find_last_of(".*");
  if (first == std::string::npos) return std::nullopt;
  const std::string_view front = std::string_view(key.hint).substr(0, first);
  const std::string_view end = std::string_view(key.hint).substr(last + 1);
  if (front.empty() && end.empty()) return std::nullopt;
  return secret.size() >= front.size() + end.size() && secret.starts_with(front) && secret.ends_with(end);
}

Result<bool> read_propagation(const Adapter& adapter, std::string_view body) {
  Answer answer;
  TRY_VOID(answer.open(adapter, Operation::propagation, body));
  const wire::JsonValue all = at(answer.root(), answer.call().place("all"));
  if (!all.is_object() || all.size() == 0)
    return malformed(adapter, Operation::propagation, "it names no place");
  for (const auto& [where, there] : all.members())
    if (text_of(there) != "true") return false;
  return true;
}

Result<std::optional<Time>> read_last_used(const Adapter& adapter, std::string_view body) {
  Answer answer;
  TRY_VOID(answer.open(adapter, Operation::last_used, body));
  return time_at(answer.root(), answer.call().place("last_used"));
}

Result<UsagePage> read_usage(const Adapter& adapter, Operation operation, const Values& about,
                             std::string_view body) {
  Answer answer;
  TRY_VOID(answer.open(adapter, operation, body));
  const AdapterCall& call = answer.call();
  const wire::JsonValue rows = at(answer.root(), call.place("rows"));
  if (!rows.is_array()) return malformed(adapter, operation, "it holds no list");
  const std::string id = about_text(about, "id");
  UsagePage page;
  std::size_t count = 0;
  const auto take = [&](wire::JsonValue outer, wire::JsonValue row) {
    const std::string key = read(row, call.place("key"));
    if (id.empty() || key.empty() || key == id) page.rows.push_back(usage_of(outer, row, call));
  };
  for (const wire::JsonValue row : rows.elements()) {
    ++count;
    if (call.place("inner").empty())
      take(row, row);
    else
      for (const wire::JsonValue inner : at(row, call.place("inner")).elements()) take(row, inner);
  }
  page.next = next_page(answer.root(), call, about, count);
  return page;
}

}  // namespace claviger::provider
