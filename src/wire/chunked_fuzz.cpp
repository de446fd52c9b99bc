// Fuzzes chunked decoding: the outcome must not depend on the split, and survives being written again.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/chunked.hpp"

namespace claviger::wire {
namespace {

struct Outcome {
  bool refused = false;
  Code code = Code::internal;
  bool done = false;
  std::size_t consumed = 0;
  std::string payload;
  bool operator==(const Outcome&) const = default;
};

// Decodes `text` in pieces of `piece` bytes.
Outcome decode(std::string_view text, std::size_t piece) {
  ChunkedDecoder decoder;
  Outcome out;
  while (out.consumed < text.size() && !decoder.done()) {
    const std::string_view in = text.substr(out.consumed, piece);
    const auto step = decoder.feed(in);
    if (!step) {
      out.refused = true;
      out.code = step.error().code;
      out.consumed = 0;  // how far a refused body got is nobody's business
      return out;
    }
    check(step->consumed <= in.size() && step->payload.size() <= step->consumed, "no more than was given");
    check(step->consumed > 0, "every step goes on");
    if (!step->payload.empty())
      check(step->payload.data() + step->payload.size() == in.data() + step->consumed,
            "payload ends the step");
    out.payload.append(step->payload);
    out.consumed += step->consumed;
  }
  out.done = decoder.done();
  return out;
}

int run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = decode(text, text.size());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{data[0]} + 1})
    check(decode(text, piece) == whole, "the split does not matter");

  ChunkedDecoder decoder;
  std::string payload;
  const auto fed = decoder.feed(text, payload);
  check(fed.has_value() != whole.refused, "both forms of feed agree");
  if (fed) check(*fed == whole.consumed && payload == whole.payload, "both forms of feed agree");

  std::string written;
  for (std::size_t at = 0; at < payload.size(); at += data[0] + 1U)
    append_chunk(written, std::string_view(payload).substr(at, data[0] + 1U));
  const std::size_t end = written.append(kLastChunk).size();
  const Outcome again = decode(written.append("tail"), 3);
  check(again.done && again.consumed == end && again.payload == payload, "what is written is read");
  return 0;
}

}  // namespace
}  // namespace claviger::wire

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(ChunkedFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("chunked_fuzz", claviger::wire::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::wire::run(data, size);
}
#endif
