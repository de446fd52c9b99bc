// Which of the provider's own tools an answer shows at work. Calls that the caller is to work are not
// counted.
#include <algorithm>
#include <array>
#include <utility>

#include "provider/usage_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

constexpr std::string_view kClients[] = {"function_call", "custom_tool_call", "computer_call",
                                         "local_shell_call", "apply_patch_call"};
constexpr std::array<std::pair<std::string_view, HostedTool>, 6> kItems{
    {{"web_search_call", HostedTool::web_search},
     {"file_search_call", HostedTool::file_search},
     {"code_interpreter_call", HostedTool::code_execution},
     {"image_generation_call", HostedTool::image_generation},
     {"mcp_call", HostedTool::mcp},
     {"tool_search_call", HostedTool::tool_search}}};

// Two tools can be worked by either side.
bool is_clients(JsonValue item, std::string_view type) {
  if (type == "tool_search_call") return item["execution"].text_equals("client");
  if (type == "shell_call") return !given(item["environment"]["container_id"]);
  return std::ranges::find(kClients, type) != std::end(kClients);
}

}  // namespace

void count_items(JsonValue output, ToolCounts& out) {
  if (!output.is_array()) return;
  for (const JsonValue item : output.elements()) {
    const std::string type = item["type"].text().value_or("");
    if (!type.ends_with("_call") || is_clients(item, type)) continue;
    const auto* known = std::ranges::find(kItems, type, &std::pair<std::string_view, HostedTool>::first);
    ++out[type == "shell_call"    ? HostedTool::code_execution
          : known != kItems.end() ? known->second
                                  : HostedTool::other];
  }
}

void count_block(JsonValue block, ToolCounts& out) {
  if (block["type"].text_equals("mcp_tool_use")) ++out[HostedTool::mcp];
  if (!block["type"].text_equals("server_tool_use")) return;
  const std::string name = block["name"].text().value_or("");
  ++out[name == "web_search"               ? HostedTool::web_search
        : name == "web_fetch"              ? HostedTool::web_fetch
        : name.ends_with("code_execution") ? HostedTool::code_execution
        : name.starts_with("tool_search")  ? HostedTool::tool_search
                                           : HostedTool::other];
}

// A stream repeats what it was grounded in, and shows each run of code once.
void count_candidates(JsonValue root, ToolCounts& out) {
  const JsonValue candidates = root["candidates"];
  if (!candidates.is_array()) return;
  std::int64_t fetched = 0;
  for (const JsonValue candidate : candidates.elements()) {
    fetched += static_cast<std::int64_t>(candidate["urlContextMetadata"]["urlMetadata"].size());
    const JsonValue parts = candidate["content"]["parts"];
    if (!parts.is_array()) continue;
    for (const JsonValue part : parts.elements())
      if (given(part["executableCode"])) ++out[HostedTool::code_execution];
  }
  out[HostedTool::web_search] = std::max(out[HostedTool::web_search], grounding_searches(root));
  out[HostedTool::web_fetch] = std::max(out[HostedTool::web_fetch], fetched);
}

}  // namespace claviger::provider
