// Tools that a provider works itself, by the names that records give them, and how often an answer shows
// each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace claviger::provider {

enum class HostedTool : std::uint8_t {
  web_search,
  web_fetch,
  file_search,
  code_execution,
  image_generation,
  mcp,
  tool_search,
  other
};
inline constexpr std::array<std::string_view, 8> kHostedTools{
    "web_search",       "web_fetch", "file_search", "code_execution",
    "image_generation", "mcp",       "tool_search", "other"};

// Calls of each, billed apiece or not.
class ToolCounts {
 public:
  std::int64_t& operator[](HostedTool tool) { return counts_[static_cast<std::size_t>(tool)]; }
  std::int64_t operator[](HostedTool tool) const { return counts_[static_cast<std::size_t>(tool)]; }
  // In the order of kHostedTools.
  std::array<std::int64_t, kHostedTools.size()>& all() { return counts_; }
  const std::array<std::int64_t, kHostedTools.size()>& all() const { return counts_; }
  friend bool operator==(const ToolCounts&, const ToolCounts&) = default;

 private:
  std::array<std::int64_t, kHostedTools.size()> counts_{};
};

}  // namespace claviger::provider
