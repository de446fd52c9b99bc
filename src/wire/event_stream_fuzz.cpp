// Fuzzes AWS event streams: all bytes come out as they went in, whatever the pieces; what is built is read
// again.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "wire/event_stream.hpp"

namespace claviger::wire {
namespace {

// Everything the reader says of a stream that comes in pieces.
std::string read(std::string_view text, std::size_t piece) {
  EventStreamReader reader;
  std::string said, seen;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!reader.feed(text.substr(at, piece))) return said + "refused";
    for (;;) {
      const auto message = reader.next();
      if (!message) return said + "refused";
      if (!*message) break;
      seen += (*message)->raw;
      said.append((*message)->type).append("|").append((*message)->name).append("|");
      said.append((*message)->payload).append("\n");
    }
  }
  check(seen.append(reader.rest()) == text, "every byte comes out as it went in");
  return said;
}

int run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = read(text, text.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{data[0]} + 1})
    check(read(text, piece) == whole, "the pieces do not matter");
  const std::string_view name = text.substr(0, text.size() < 99 ? text.size() : 99);
  check(read(event_message("event", name, text), 64) ==
            "event|" + std::string(name) + "|" + std::string(text) + "\n",
        "what is written is read");
  return 0;
}

}  // namespace
}  // namespace claviger::wire

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(EventStreamFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("event_stream_fuzz", claviger::wire::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::wire::run(data, size);
}
#endif
