// Reads the usage of Bedrock's event streams.
#include "provider/bedrock_stream.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "provider/usage_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

// What the metrics count beyond the model's own events is billed, and flagged.
void raise(std::int64_t counted, std::int64_t sum, std::int64_t Usage::* bucket, Usage& usage) {
  if (counted <= sum) return;
  usage.*bucket += counted - sum;
  usage.mismatch = true;
}

void take_metrics(JsonValue metrics, Usage& usage) {
  const std::int64_t input = count_or_zero(metrics["inputTokenCount"]);
  const std::int64_t output = count_or_zero(metrics["outputTokenCount"]);
  if (usage.seen) {
    raise(input, usage.total_in(), &Usage::uncached_in, usage);
    raise(output, usage.total_out(), &Usage::text_out, usage);
    return;
  }
  usage.seen = true;
  usage.uncached_in = input;
  usage.text_out = output;
  usage.cache_read = count_or_zero(metrics["cacheReadInputTokenCount"]);
  usage.cache_write_5m = count_or_zero(metrics["cacheWriteInputTokenCount"]);
}

}  // namespace

void MessageMeter::on_message(const wire::EventMessage& message) {
  if (message.type != "event") {
    failed_ = true;
    return;
  }
  wire::Json json;
  if (!wire::scan(message.payload, json, wire::Duplicates::allow)) return;
  if (endpoint_ == Endpoint::invoke) return on_chunk(json.root());
  if (message.name != "metadata") return;
  finished_ = true;
  usage_ = read_converse_usage(json.root()["usage"]);
}

// The chunk that carries the metrics is the last one, whichever model it is that speaks.
void MessageMeter::on_chunk(JsonValue root) {
  const auto packed = root["bytes"].text();
  const auto bytes = packed ? unbase64(*packed) : std::nullopt;
  if (!bytes) return;
  chunk_.assign(as_text(*bytes));
  wire::Json json;
  if (!wire::scan(chunk_, json, wire::Duplicates::allow)) return;
  const JsonValue event = json.root();
  if (!event.is_object()) return;
  if (given(event["type"])) {
    inner_.on_event({{}, chunk_, {}});
    failed_ = failed_ || inner_.failed();
    if (inner_.usage().seen) usage_ = inner_.usage();
  } else if (const Usage own = read_invoke_usage(given(event["metadata"]) ? event["metadata"] : event);
             own.seen) {
    usage_ = own;
  }
  const JsonValue metrics = event["amazon-bedrock-invocationMetrics"];
  if (!given(metrics)) return;
  finished_ = true;
  take_metrics(metrics, usage_);
}

}  // namespace claviger::provider
