// Fuzzes HTTP/1.1 heads: a parse must not depend on the split, and what it accepts must be unambiguous.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/http1.hpp"

namespace claviger::wire {
namespace {

// What was accepted, in the plainest form: method, target and fields, line by line.
std::string written(const RequestHead& head) {
  std::string out;
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
  for (const Header header : head.headers) append_header(out, header.name, header.value);
  return out.append("\r\n");
}

void check_inside(std::string_view outer, std::string_view inner) {
  check(inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size(),
        "a view lies in the head");
}

template <class Parse>
void check_splits(std::string_view text, const Result<std::size_t>& whole, Parse parse) {
  const std::size_t step = text.size() / 64 + 1;
  for (std::size_t cut = 0; cut < text.size(); cut += step) {
    const Result<std::size_t> part = parse(text.substr(0, cut));
    if (!part) {
      check(!whole && whole.error().code == part.error().code,
            "a refusal of the beginning is one of the whole");
    } else if (*part > 0) {
      check(whole && *whole == *part, "a head that is there does not change with what follows");
    } else {
      check(!whole || *whole == 0 || *whole > cut, "a head that is there is seen");
    }
  }
}

int run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  RequestHead head, again;
  const auto whole = parse_request_head(text, head);
  if (whole && *whole > 0) {
    const std::string_view bytes = text.substr(0, *whole);
    check(bytes.ends_with("\r\n\r\n") && bytes.find("\r\n\r\n") == bytes.size() - 4, "the head ends once");
    for (const Header header : head.headers)
      check_inside(bytes, header.name), check_inside(bytes, header.value);
    const std::string plain = written(head);
    const auto reread = parse_request_head(plain, again);
    check(reread && *reread == plain.size() && written(again) == plain,
          "what was accepted reads the same again");
    check(head.framing == again.framing && head.content_length == again.content_length,
          "with the same length");
  }
  check_splits(text, whole, [&](std::string_view part) { return parse_request_head(part, again); });

  ResponseHead answer;
  for (const std::string_view method : {"GET", "HEAD"}) {
    const auto read = parse_response_head(text, method, answer);
    if (read && *read > 0) check(answer.status >= 100 && answer.status <= 999, "a status has three digits");
    if (!read) check(read.error().code == Code::upstream_malformed, "the upstream is to blame");
    check_splits(text, read,
                 [&](std::string_view part) { return parse_response_head(part, method, answer); });
  }
  return 0;
}

}  // namespace
}  // namespace claviger::wire

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(Http1Fuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("http1_fuzz", claviger::wire::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::wire::run(data, size);
}
#endif
