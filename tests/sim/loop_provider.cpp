// What the simulated providers answer: as much of their admin APIs as adapters.toml uses of them.
#include "loop_provider.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::sim {
namespace {

using steward::OutsideAnswer;
using steward::OutsideCall;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSlowMs = 1'500;

std::string_view header(const OutsideCall& call, std::string_view name) {
  for (const auto& [one, value] : call.headers)
    if (one == name) return value;
  return {};
}

// The text behind `"name":"`.
std::string field(std::string_view body, std::string_view name) {
  const std::string mark = fmt::format("\"{}\":\"", name);
  const std::size_t at = body.find(mark);
  if (at == std::string_view::npos) return {};
  body.remove_prefix(at + mark.size());
  return std::string(body.substr(0, body.find('"')));
}

}  // namespace

Time LoopProvider::soon(std::int64_t most_ms) {
  return {clock_.now().ns + static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(most_ms))) * kMs};
}

std::string LoopProvider::fresh_secret(std::string_view provider) {
  const std::string front = provider == "openai"      ? "sk-svcacct-"
                            : provider == "x-ai"      ? "xai-"
                            : provider == "anthropic" ? "sk-ant-api03-"
                            : provider == "groq"      ? "gsk_"
                                                      : "";
  ++made_;
  return fmt::format("{}n{:05}{:040}z{:05}", front, made_, made_, made_);
}

LoopProvider::Key& LoopProvider::make(std::string_view provider, std::string id, std::string name) {
  return keys_.emplace_back(
      Key{std::string(provider), std::move(id), std::move(name), fresh_secret(provider), soon(kSlowMs)});
}

std::string LoopProvider::make_by_hand(std::string_view provider, KnownFrom from) {
  if (provider == "vllm") {
    const std::string secret = fresh_secret(provider);
    files_.write_by_hand(secret);
    return secret;
  }
  if (provider == "azure_openai") make(provider, "key2", "").known = clock_.now();
  Key& key =
      make(provider, provider == "azure_openai" ? "key1" : fmt::format("key_{:05}", made_ + 1), "by hand");
  if (from == KnownFrom::now) key.known = clock_.now();
  return key.secret;
}

void LoopProvider::end_by_hand(std::string_view secret) {
  for (Key& key : keys_)
    if (key.secret == secret && key.until == kNever) key.until = soon(kSlowMs);
}

std::string LoopProvider::id_of(std::string_view secret) const {
  const auto found = std::ranges::find(keys_, secret, &Key::secret);
  return found == keys_.end() ? std::string() : found->id;
}

LoopProvider::Key* LoopProvider::newest(std::string_view provider, std::string_view id) {
  Key* found = nullptr;
  for (Key& key : keys_)
    if (key.provider == provider && key.id == id && key.until == kNever) found = &key;
  return found;
}

bool LoopProvider::accepts(std::string_view provider, std::string_view secret) const {
  if (provider == "vllm") return files_.accepts(secret);
  const Time now = clock_.now();
  return std::ranges::any_of(keys_, [&](const Key& key) {
    return key.provider == provider && key.secret == secret && key.known <= now && now < key.until;
  });
}

std::size_t LoopProvider::lasting(std::string_view provider) const {
  if (provider == "vllm") return files_.lasting();
  return static_cast<std::size_t>(std::ranges::count_if(
      keys_, [&](const Key& key) { return key.provider == provider && key.until == kNever; }));
}

void LoopProvider::let_through(Weather weather) {
  if (waiting_.empty()) return;
  auto [call, done] = std::move(waiting_.front());
  waiting_.pop_front();
  const std::uint64_t fate = weather == Weather::foul ? rng_.below(16) : 15;
  if (fate == 0) return done(fail_upstream(Code::upstream_timeout, "lost before"));
  if (fate == 1) return done(OutsideAnswer{429, {{"retry-after", "1"}}, "{}"});
  OutsideAnswer answer = happen(call);
  if (fate == 2) return done(fail_upstream(Code::upstream_failed, "lost behind"));
  if (fate == 3) answer = {500, {}, "{}"};
  done(std::move(answer));
}

void LoopProvider::caller_dies() {
  for (; !waiting_.empty(); waiting_.pop_front())
    if (rng_.below(2) == 0) happen(waiting_.front().first);
}

OutsideAnswer LoopProvider::happen(const OutsideCall& call) {
  if (call.base.contains("anthropic")) return anthropic(call);
  if (call.base.contains("groq") || call.base.contains("llm.internal")) return probed(call);
  if (call.target.contains("CognitiveServices") || call.target.starts_with("/openai/")) return azure(call);
  if (call.target.starts_with("/auth/") || call.target == "/v1/api-key") return xai(call);
  return openai(call);
}

OutsideAnswer LoopProvider::openai(const OutsideCall& call) {
  if (call.target.ends_with("/models")) {
    const std::string_view bearer = header(call, "authorization");
    return accepts("openai", bearer.substr(std::min<std::size_t>(7, bearer.size())))
               ? OutsideAnswer{200, {}, R"({"object":"list","data":[]})"}
               : OutsideAnswer{401, {}, R"({"error":{"code":"invalid_api_key"}})"};
  }
  if (call.target.contains("/usage/") || call.target.contains("/costs"))
    return {200, {}, R"({"object":"page","data":[],"has_more":false,"next_page":null})"};
  if (call.method == "POST") {
    const Key& key = make("openai", fmt::format("key_{:05}", made_ + 1), field(call.body, "name"));
    return {200, {}, fmt::format(R"({{"id":"{}","name":"{}","value":"{}"}})", key.id, key.name, key.secret)};
  }
  if (call.method == "DELETE") {
    Key* key = newest("openai", call.target.substr(call.target.rfind('/') + 1));
    if (key == nullptr) return {404, {}, R"({"error":{"message":"No such key"}})"};
    key->until = soon(kSlowMs);
    return {200, {}, fmt::format(R"({{"id":"{}","deleted":true}})", key->id)};
  }
  std::string rows;
  for (const Key& key : keys_) {
    if (key.provider != "openai" || key.until != kNever || key.known > clock_.now()) continue;
    rows += fmt::format(R"({}{{"id":"{}","name":"{}","redacted_value":"{}...{}","created_at":{}}})",
                        rows.empty() ? "" : ",", key.id, key.name, key.secret.substr(0, 14),
                        key.secret.substr(key.secret.size() - 4), key.known.ns / 1'000'000'000);
  }
  return {200, {}, fmt::format(R"({{"object":"list","data":[{}],"has_more":false}})", rows)};
}

OutsideAnswer LoopProvider::azure(const OutsideCall& call) {
  if (call.target.starts_with("/openai/"))
    return accepts("azure_openai", header(call, "api-key"))
               ? OutsideAnswer{200, {}, R"({"data":[],"object":"list"})"}
               : OutsideAnswer{401, {}, R"({"error":{"code":"401","message":"invalid subscription key"}})"};
  if (call.target.contains("/regenerateKey")) {
    const std::string slot = field(call.body, "keyName") == "Key1" ? "key1" : "key2";
    newest("azure_openai", slot)->until = clock_.now();
    make("azure_openai", slot, "");
  }
  return {200,
          {},
          fmt::format(R"({{"key1":"{}","key2":"{}"}})", newest("azure_openai", "key1")->secret,
                      newest("azure_openai", "key2")->secret)};
}

OutsideAnswer LoopProvider::xai(const OutsideCall& call) {
  if (call.target == "/v1/api-key") {
    const std::string_view bearer = header(call, "authorization");
    return accepts("x-ai", bearer.substr(std::min<std::size_t>(7, bearer.size())))
               ? OutsideAnswer{200, {}, R"({"api_key_id":"x","api_key_disabled":false})"}
               : OutsideAnswer{400, {}, R"({"error":"Incorrect API key provided: xx***yy."})"};
  }
  if (call.target.ends_with("/propagation")) {
    const std::string path = call.target.substr(0, call.target.rfind('/'));
    const bool known = newest("x-ai", path.substr(path.rfind('/') + 1))->known <= clock_.now();
    return {200, {}, fmt::format(R"({{"icPropagation":{{"us-east-1.api.x.ai":{}}}}})", known)};
  }
  if (call.method == "POST") {
    const std::string path = call.target.substr(0, call.target.rfind('/'));
    const std::string id = path.substr(path.rfind('/') + 1);
    newest("x-ai", id)->until = parse_time(field(call.body, "oldSecretExpireTime")).value();
    const Key& key = make("x-ai", id, "");
    return {200, {}, fmt::format(R"({{"apiKeyId":"{}","apiKey":"{}"}})", id, key.secret)};
  }
  std::string rows;
  for (const Key& key : keys_)
    if (key.provider == "x-ai" && key.until == kNever)
      rows += fmt::format(R"({}{{"apiKeyId":"{}","name":"","redactedApiKey":"xai-...{}"}})",
                          rows.empty() ? "" : ",", key.id, key.secret.substr(key.secret.size() - 4));
  return {200, {}, fmt::format(R"({{"apiKeys":[{}],"paginationToken":""}})", rows)};
}

OutsideAnswer LoopProvider::anthropic(const OutsideCall& call) {
  if (call.target.starts_with("/v1/models"))
    return accepts("anthropic", header(call, "x-api-key"))
               ? OutsideAnswer{200, {}, R"({"data":[],"has_more":false})"}
               : OutsideAnswer{401, {}, R"({"type":"error","error":{"type":"authentication_error"}})"};
  if (call.target.contains("/analytics/"))
    return {200, {}, R"({"data":[],"has_more":false,"next_page":null})"};
  if (call.method == "POST") {
    const auto key = std::ranges::find(keys_, call.target.substr(call.target.rfind('/') + 1), &Key::id);
    if (key == keys_.end() || key->provider != "anthropic")
      return {404, {}, R"({"type":"error","error":{"type":"not_found_error"}})"};
    key->until = std::min(key->until, soon(kSlowMs));
    return {200, {}, fmt::format(R"({{"id":"{}","status":"{}"}})", key->id, field(call.body, "status"))};
  }
  std::string rows;
  for (const Key& key : keys_) {  // those that are off, too
    if (key.provider != "anthropic" || key.known > clock_.now()) continue;
    rows +=
        fmt::format(R"({}{{"id":"{}","name":"{}","partial_key_hint":"{}...{}","status":"{}"}})",
                    rows.empty() ? "" : ",", key.id, key.name, key.secret.substr(0, 16),
                    key.secret.substr(key.secret.size() - 4), key.until == kNever ? "active" : "inactive");
  }
  return {200, {}, fmt::format(R"({{"data":[{}],"has_more":false,"last_id":null}})", rows)};
}

OutsideAnswer LoopProvider::probed(const OutsideCall& call) const {
  const std::string_view bearer = header(call, "authorization");
  const std::string_view provider = call.base.contains("groq") ? "groq" : "vllm";
  if (accepts(provider, bearer.substr(std::min<std::size_t>(7, bearer.size()))))
    return {200, {}, R"({"object":"list","data":[]})"};
  return {401,
          {},
          provider == "groq" ? R"({"error":{"code":"invalid_api_key"}})" : R"({"error":"Unauthorized"})"};
}

}  // namespace claviger::sim
