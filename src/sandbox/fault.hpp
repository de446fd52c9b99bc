// Faults the sandbox provider commits on request: named in a header, in the request's text or in a script.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sandbox/plan.hpp"

namespace claviger::sandbox {

// What to do differently. Written "name=value" with "," or ";" between, e.g. "lag=20,cut=120" or
// "status=429*2".
struct Fault {
  std::int64_t latency_ms = 0;            // latency=MS    before the answer begins
  std::int64_t lag_ms = 0;                // lag=MS        before every piece but the first
  std::int64_t stall_ms = 0;              // stall=MS      once, in the middle of the answer
  std::optional<std::size_t> cut;         // cut=BYTES  the connection breaks after so many bytes of the body
  bool drop = false;                      // drop          the connection breaks before the answer
  bool omit_usage = false;                // omit_usage    no usage object anywhere
  std::optional<std::int64_t> lie_usage;  // lie_usage[=N]  claims N (1) output tokens; the total stays true
  int status = 0;                   // status=CODE[*TIMES]  an error instead, so many times for the same words
  std::int64_t times = 0;           //               0: always
  std::int64_t retry_after_ms = 0;  // retry_after=MS  goes with the error as retry-after and retry-after-ms
  std::size_t big_event = 0;        // big_event=BYTES  one piece of content of that size
  std::string malformed;            // malformed[=body|head|chunk]
  std::optional<std::int64_t> tokens;     // tokens=N     words of the answer
  std::optional<std::int64_t> input;      // input=N      bills and reports so many input tokens
  std::int64_t cached = 0;                // cached=N      so many of them read from the cache
  std::int64_t cache_write = 0;           // cache_write=N so many of them written to it
  std::int64_t searches = 0;              // searches=N    web searches, where the request offers them
  std::optional<std::int64_t> reasoning;  // reasoning=N  hidden tokens before the answer
  // Of admin APIs: what was asked is done, and then ...
  bool lost = false;     // lost               the connection breaks
  int status_after = 0;  // status_after=CODE  this error is the answer
  // propagation=MS: what this request changes becomes true so much later
  std::optional<std::int64_t> propagation_ms = {};

  friend bool operator==(const Fault&, const Fault&) = default;
};

// Adds what `words` say to `fault`. invalid_input names the word that is not known.
Result<void> add_faults(std::string_view words, Fault& fault);

// Does to an answer what the fault says of its pieces and its end.
void spoil(const Fault& fault, Plan& plan);

// The words between "[[sandbox:" and "]]", of every such marker in `text`, joined by ",".
std::string markers_in(std::string_view text);

// A list of {"match": text, "method": name, "fault": words, "times": n}: the fault is added to the next n
// (default: all) requests with that method (any) whose target or body contains the text.
class Script {
 public:
  static Result<Script> parse(std::string_view json);
  // The words of all rules that fit; counts them as used.
  std::string take(const Request& request);

 private:
  struct Rule {
    std::string match, method;
    std::string fault;
    std::int64_t left;  // -1: without end
  };
  std::vector<Rule> rules_;
};

// Remembers how often a fault with a count was committed.
class Counts {
 public:
  // Whether the fault called `words` is still to be committed; counts it.
  bool spend(const std::string& words, std::int64_t times);

 private:
  std::map<std::string, std::int64_t> spent_;
};

}  // namespace claviger::sandbox
