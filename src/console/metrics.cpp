// Writes expositions; follows the OpenMetrics 1.0 text format and Prometheus text format 0.0.4.
#include "console/metrics.hpp"

#include <fmt/format.h>

#include <utility>

namespace claviger::console {
namespace {

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out.push_back(c);
  }
}

std::string decimal(std::int64_t nano) {
  const bool negative = nano < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(nano) : static_cast<std::uint64_t>(nano);
  return fmt::format("{}{}.{:09}", negative ? "-" : "", magnitude / 1'000'000'000, magnitude % 1'000'000'000);
}

std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view unit, std::string_view help,
                        std::string_view type) {
  end_family();
  const bool total = type == "counter";
  name_ = std::string(name) + (total ? "_total" : "");
  // The older format names a counter's family as its samples.
  const std::string_view family = format_ == Format::openmetrics ? name : std::string_view(name_);
  text_ += fmt::format("# TYPE {} {}\n", family, type);
  if (format_ == Format::openmetrics && !unit.empty()) text_ += fmt::format("# UNIT {} {}\n", family, unit);
  text_ += fmt::format("# HELP {} {}\n", family, help);
}

void Exposition::counter(std::string_view name, std::string_view unit, std::string_view help) {
  family(name, unit, help, "counter");
}

void Exposition::gauge(std::string_view name, std::string_view unit, std::string_view help) {
  family(name, unit, help, "gauge");
}

void Exposition::line(std::string_view labels, std::string_view value) {
  text_.append(name_);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.append(" ").append(value).append("\n");
}

void Exposition::put(Labels labels, std::int64_t value, Scale scale) {
  if (++series_ > kSeriesPerFamily) {
    overflow_ = saturating_sum(overflow_, value);
    overflow_scale_ = scale;
    overflow_labels_.clear();
    for (const auto& label : labels)
      overflow_labels_.append(overflow_labels_.empty() ? "" : ",")
          .append(label.first)
          .append("=\"overflow\"");
    return;
  }
  std::string written;
  for (const auto& [label, text] : labels) {
    written.append(written.empty() ? "" : ",").append(label).append("=\"");
    append_escaped(written, text);
    written.append("\"");
  }
  line(written, scale == Scale::nano ? decimal(value) : std::to_string(value));
}

void Exposition::sample(Labels labels, std::int64_t value) { put(labels, value, Scale::one); }
void Exposition::sample_nano(Labels labels, std::int64_t nano) { put(labels, nano, Scale::nano); }

void Exposition::end_family() {
  if (series_ > kSeriesPerFamily)
    line(overflow_labels_, overflow_scale_ == Scale::nano ? decimal(overflow_) : std::to_string(overflow_));
  series_ = 0;
  overflow_ = 0;
  overflow_labels_.clear();
}

std::string Exposition::take() {
  end_family();
  if (format_ == Format::openmetrics) text_ += "# EOF\n";
  return std::move(text_);
}

std::string_view Exposition::content_type() const {
  return format_ == Format::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                        : "text/plain; version=0.0.4; charset=utf-8";
}

Exposition::Format exposition_format(std::string_view accept) {
  return accept.find("application/openmetrics-text") != std::string_view::npos
             ? Exposition::Format::openmetrics
             : Exposition::Format::text;
}

}  // namespace claviger::console
