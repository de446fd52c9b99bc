// Reads faults from words, markers and scripts.
#include "sandbox/fault.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace claviger::sandbox {
namespace {

constexpr std::string_view kMarker = "[[sandbox:";

Result<std::int64_t> number_of(std::string_view word, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (problem != std::errc() || end != value.data() + value.size() || number < 0 || number > 1'000'000'000)
    return refuse(Code::invalid_input, "Not a fault of the sandbox: " + std::string(word));
  return number;
}

// "429*2" -> status and times.
Result<void> read_status(std::string_view word, std::string_view value, Fault& fault) {
  const std::size_t star = value.find('*');
  TRY(const std::int64_t status, number_of(word, value.substr(0, star)));
  if (status < 400 || status > 599)
    return refuse(Code::invalid_input, "Not an error's status: " + std::string(word));
  fault.status = static_cast<int>(status);
  if (star == std::string_view::npos) return {};
  TRY(fault.times, number_of(word, value.substr(star + 1)));
  return {};
}

Result<void> read_malformed(std::string_view word, std::string_view value, Fault& fault) {
  fault.malformed = value.empty() ? "body" : std::string(value);
  if (fault.malformed == "body" || fault.malformed == "head" || fault.malformed == "chunk") return {};
  return refuse(Code::invalid_input, "Not a fault of the sandbox: " + std::string(word));
}

Result<void> read_number(std::string_view word, std::string_view name, std::string_view value, Fault& fault) {
  TRY(const std::int64_t number, number_of(word, value));
  if (name == "latency") return fault.latency_ms = number, Result<void>();
  if (name == "lag") return fault.lag_ms = number, Result<void>();
  if (name == "stall") return fault.stall_ms = number, Result<void>();
  if (name == "cut") return fault.cut = static_cast<std::size_t>(number), Result<void>();
  if (name == "retry_after") return fault.retry_after_ms = number, Result<void>();
  if (name == "big_event") return fault.big_event = static_cast<std::size_t>(number), Result<void>();
  if (name == "tokens") return fault.tokens = number, Result<void>();
  if (name == "input") return fault.input = number, Result<void>();
  if (name == "cached") return fault.cached = number, Result<void>();
  if (name == "cache_write") return fault.cache_write = number, Result<void>();
  if (name == "searches") return fault.searches = number, Result<void>();
  if (name == "reasoning") return fault.reasoning = number, Result<void>();
  if (name == "propagation") return fault.propagation_ms = number, Result<void>();
  if (name == "status_after" && number >= 400 && number < 600)
    return fault.status_after = static_cast<int>(number), Result<void>();
  return refuse(Code::invalid_input, "Not a fault of the sandbox: " + std::string(word));
}

Result<void> add_fault(std::string_view word, Fault& fault) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
  if (name == "drop" && value.empty()) return fault.drop = true, Result<void>();
  if (name == "lost" && value.empty()) return fault.lost = true, Result<void>();
  if (name == "omit_usage" && value.empty()) return fault.omit_usage = true, Result<void>();
  if (name == "lie_usage" && value.empty()) return fault.lie_usage = 1, Result<void>();
  if (name == "malformed") return read_malformed(word, value, fault);
  if (name == "status") return read_status(word, value, fault);
  if (name == "id") return {};  // tells two equal faults with a count apart
  if (name != "lie_usage") return read_number(word, name, value, fault);
  TRY(fault.lie_usage, number_of(word, value));
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

Result<void> add_faults(std::string_view words, Fault& fault) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find_first_of(",;"), words.size());
    const std::string_view word = trimmed(words.substr(0, end));
    if (!word.empty()) TRY_VOID(add_fault(word, fault));
    words.remove_prefix(std::min(words.size(), end + 1));
  }
  return {};
}

std::string markers_in(std::string_view text) {
  std::string words;
  for (std::size_t at = text.find(kMarker); at != std::string_view::npos; at = text.find(kMarker, at)) {
    at += kMarker.size();
    const std::size_t end = text.find("]]", at);
    if (end == std::string_view::npos) break;
    if (!words.empty()) words += ',';
    words += text.substr(at, end - at);
  }
  return words;
}

Result<Script> Script::parse(std::string_view json) {
  const auto list = nlohmann::json::parse(json, nullptr, false);
  const auto wrong = [](const std::string& what) {
    return refuse(Code::invalid_input, "The script is wrong: " + what);
  };
  if (!list.is_array()) return wrong("it must be a JSON list of {match, method, fault, times}.");
  Script script;
  for (const auto& item : list) {
    if (!item.is_object() || !item.contains("fault") || !item["fault"].is_string())
      return wrong("a rule has no \"fault\".");
    for (const auto& [name, value] : item.items())
      if (name != "match" && name != "method" && name != "fault" && name != "times")
        return wrong("a rule names \"" + name + "\".");
    if (item.contains("match") && !item["match"].is_string()) return wrong("\"match\" is no text.");
    if (item.contains("method") && !item["method"].is_string()) return wrong("\"method\" is no text.");
    if (item.contains("times") && !item["times"].is_number_unsigned()) return wrong("\"times\" is no count.");
    Fault fault;
    TRY_VOID(add_faults(item["fault"].get<std::string>(), fault));
    script.rules_.push_back({item.value("match", ""), item.value("method", ""),
                             item["fault"].get<std::string>(), item.value("times", -1L)});
  }
  return script;
}

std::string Script::take(const Request& request) {
  std::string words;
  for (Rule& rule : rules_) {
    if (rule.left == 0 || (!rule.method.empty() && rule.method != request.method)) continue;
    if (request.target.find(rule.match) == std::string::npos &&
        request.body.find(rule.match) == std::string::npos)
      continue;
    if (rule.left > 0) --rule.left;
    if (!words.empty()) words += ',';
    words += rule.fault;
  }
  return words;
}

bool Counts::spend(const std::string& words, std::int64_t times) {
  if (times == 0) return true;
  std::int64_t& spent = spent_[words];
  if (spent >= times) return false;
  ++spent;
  return true;
}

}  // namespace claviger::sandbox
