// Fuzzes server-sent events against a slow reading of the specification's words, at several splits.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "wire/sse.hpp"

namespace claviger::wire {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;  // those with a data line

// WHATWG HTML 9.2.6, line by line. A last line without an end, and a frame without a blank line, count for
// nothing.
Events by_the_book(std::string_view text) {
  Events events;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string line, event, data;
  bool any = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' && text[i] != '\n') {
      line.push_back(text[i]);
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    if (line.empty()) {
      if (any) events.emplace_back(event, data.substr(0, data.size() - 1));
      event.clear();
      data.clear();
      any = false;
    }
    const std::size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == std::string::npos ? std::string() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (field == "event") event = value;
    if (field == "data") data.append(value).append("\n"), any = true;
    line.clear();
  }
  return events;
}

bool has_data(std::string_view raw) {
  if (raw.starts_with("\xef\xbb\xbf")) raw.remove_prefix(3);
  for (std::size_t at = 0; at != std::string_view::npos; at = raw.find_first_of("\r\n", at)) {
    at = raw.find_first_not_of("\r\n", at);
    if (at == std::string_view::npos) break;
    const std::string_view line = raw.substr(at, raw.find_first_of("\r\n", at) - at);
    if (line == "data" || line.starts_with("data:")) return true;
  }
  return false;
}

Events read(std::string_view text, std::size_t piece) {
  SseReader reader;
  Events events;
  std::string seen;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    check(reader.feed(text.substr(at, piece)).has_value(), "small frames are within the bound");
    while (const auto event = reader.next()) {
      seen.append(event->raw);
      // Only the stream's first frame may have a BOM; further ones are plain bytes of a field's name.
      const bool first = seen.size() == event->raw.size();
      const bool bom = event->raw.starts_with("\xef\xbb\xbf");
      if (first || !bom ? has_data(event->raw) : has_data("x" + std::string(event->raw)))
        events.emplace_back(event->event, event->data);
    }
  }
  check(seen.append(reader.rest()) == text, "every byte comes out as it went in");
  return events;
}

int run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Events expected = by_the_book(text);
  for (const std::size_t piece : {text.size() + 1, std::size_t{1}, std::size_t{2}, std::size_t{data[0]} + 1})
    check(read(text, piece) == expected, "events are those of the specification");
  return 0;
}

}  // namespace
}  // namespace claviger::wire

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(SseFuzz, keeps_its_promises_over_the_corpus) { claviger::run_corpus("sse_fuzz", claviger::wire::run); }
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::wire::run(data, size);
}
#endif
