// Many literals at once: a Vectorscan database that tells where any of them ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.hpp"

struct hs_database;
struct hs_scratch;

namespace claviger::detect {

struct Literal {
  std::string text;
  bool any_case = false;
};

// For which processors a database is compiled.
enum class Target : std::uint8_t { generic, avx2, here };

class Literals {
 public:
  // Literal i is reported as number i; of no literals none. Refuses internal when Vectorscan cannot.
  static Result<Literals> compile(const std::vector<Literal>& literals, Target target);
  // From serialise(); refuses corrupt when it was made for another processor or version.
  static Result<Literals> load(std::string_view bytes);
  Result<std::string> serialise() const;

  Literals(Literals&&) noexcept = default;
  Literals& operator=(Literals&&) noexcept = default;

  hs_database* get() const { return database_.get(); }

 private:
  Literals() = default;
  struct Free {
    void operator()(hs_database* database) const;
  };
  std::unique_ptr<hs_database, Free> database_;
};

// Scratch memory for one running scan. One a thread and nesting level.
class Scratch {
 public:
  explicit Scratch(const Literals& literals);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Calls `found(number, end)` at every place a literal ends, by ascending end; ends early when it returns
  // false.
  template <class Found>
  void scan(const Literals& literals, std::string_view text, Found&& found) {
    run(
        literals, text,
        [](void* self, unsigned number, std::size_t end) {
          return (*static_cast<std::remove_reference_t<Found>*>(self))(number, end);
        },
        &found);
  }

 private:
  void run(const Literals& literals, std::string_view text, bool (*found)(void*, unsigned, std::size_t),
           void* self);
  hs_scratch* scratch_ = nullptr;
};

}  // namespace claviger::detect
