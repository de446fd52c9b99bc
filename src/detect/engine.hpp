// Finds secrets in bytes: one pass over the text for literals, then exact checks at the few places they name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "detect/ruleset.hpp"

namespace claviger::detect {

// How the secret stood in the scanned bytes (the outermost form when forms are nested).
enum class Encoding : std::uint8_t { plain, base64, hex, percent, escaped, utf16, joined };
std::string_view encoding_name(Encoding encoding);

struct Hit {
  std::uint32_t rule = 0;          // index into the engine's ruleset
  std::size_t begin = 0, end = 0;  // where the secret, or its encoded form, stands in the scanned bytes
  std::string secret;              // plaintext: decoded, joined, trimmed. The caller wipes it.
  bool validated = false;          // proven by checksum or structure, not only by shape
  Encoding encoding = Encoding::plain;
  std::int64_t expires_s = 0;  // Unix time the secret itself states (JWT exp); 0: none
};

// What is known of the bytes besides themselves. Everything may be empty.
struct Place {
  std::string_view path;  // as a person would write it; its name and extension tell configuration from code
};

// A stretch of a text that stands in another one too.
struct Repeat {
  std::uint64_t to = 0;    // in the text
  std::uint64_t from = 0;  // in the other
  std::uint64_t size = 0;
};

// What a scan remembers of a text for others that repeat parts of it; holds no secret.
class Trace;

// Stands for the text of a secret: equal for equal ones.
std::uint64_t secret_number(std::string_view secret);

// Immutable once made; shared by all threads.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // The rules of the program. Takes a few milliseconds at most: nothing is compiled.
  static Result<std::shared_ptr<const Engine>> built_in();
  // Compiles; tens of milliseconds. Refuses configuration when a rule's pattern cannot be used.
  static Result<std::shared_ptr<const Engine>> make(Ruleset rules);

  const Ruleset& rules() const { return rules_; }

  class Scanner;
  struct Parts;  // compiled forms; the .cpp files' business

  explicit Engine(Ruleset rules, std::unique_ptr<Parts> parts);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  const Parts& parts() const { return *parts_; }

 private:
  Ruleset rules_;
  std::unique_ptr<Parts> parts_;
};

// Scans one buffer after another; owns all scratch memory. One a thread; not thread-safe itself.
class Engine::Scanner {
 public:
  using Sink = std::function<void(const Hit&)>;

  explicit Scanner(std::shared_ptr<const Engine> engine);
  ~Scanner();
  Scanner(Scanner&&) noexcept;

  // Calls `sink` for every secret in `bytes`, by ascending begin, each place once. Any content and size:
  // text, binary, UTF-16, one huge line. Time is linear, memory bounded (limits::kScanHits at once, then the
  // order starts anew). Lines with an allow comment (`claviger:allow`, `gitleaks:allow`,
  // `pragma: allowlist secret`, `pragma: allowlist nextline secret`) are left out and counted.
  void scan(std::string_view bytes, const Place& place, const Sink& sink);

  // The same without a path, told by secret_number() alone. `repeats`, ascending, are stretches that stand in
  // the text that `base` was left of, if there is one: they are not read again. Leaves a trace when asked,
  // unless the text is of a kind that cannot be remembered.
  enum class Leave : std::uint8_t { nothing, trace };
  using Numbers = std::function<void(std::uint64_t)>;
  std::shared_ptr<const Trace> scan_repeating(std::string_view bytes, const Trace* base,
                                              std::span<const Repeat> repeats, Leave leave,
                                              const Numbers& sink);

  // Secrets left out of the last scan because of an allow comment on their line.
  std::size_t allowed() const;

  struct State;  // the .cpp files' business

 private:
  std::unique_ptr<State> state_;
};

// The longest secret that is found across a seam: a reader that scans in pieces overlaps them by this much.
inline constexpr std::size_t kSeam = 8 * 1024;

}  // namespace claviger::detect
