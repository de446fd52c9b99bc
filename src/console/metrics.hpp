// Metrics as text: OpenMetrics 1.0 or the older Prometheus format, by what the reader accepts.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace claviger::console {

// Series written of one family at most; what comes after is summed into one with every label "overflow".
inline constexpr std::size_t kSeriesPerFamily = 500;

// Builds one exposition, family by family. Names are without "_total": it is put where the format wants it.
class Exposition {
 public:
  enum class Format : std::uint8_t { openmetrics, text };
  explicit Exposition(Format format) : format_(format) {}

  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Begins a family. Every family must have a name of its own; `unit` is the name's last word or empty.
  void counter(std::string_view name, std::string_view unit, std::string_view help);
  void gauge(std::string_view name, std::string_view unit, std::string_view help);
  // One series of the family begun last. `nano` values are written as decimals of 1e-9 exactly.
  void sample(Labels labels, std::int64_t value);
  void sample_nano(Labels labels, std::int64_t nano);

  // The text, ended as the format asks. The object is used up.
  std::string take();
  std::string_view content_type() const;

 private:
  void family(std::string_view name, std::string_view unit, std::string_view help, std::string_view type);
  void line(std::string_view labels, std::string_view value);
  enum class Scale : std::uint8_t { one, nano };
  void put(Labels labels, std::int64_t value, Scale scale);
  void end_family();

  Format format_;
  std::string text_;
  std::string name_;  // of the family's samples
  std::size_t series_ = 0;
  std::int64_t overflow_ = 0;
  Scale overflow_scale_ = Scale::one;
  std::string overflow_labels_;
};

// The format that an Accept header asks for; the older one when it does not name OpenMetrics.
Exposition::Format exposition_format(std::string_view accept);

}  // namespace claviger::console
