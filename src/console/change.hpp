// A change by an administrator: on record before it is made, in force before it is answered.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "console/route.hpp"

namespace claviger::console {

struct Change {
  std::string_view action;  // "key.create"
  std::string subject;      // "key:ab12..."
  std::string detail = {};  // JSON text or empty; never a secret
};

// Writes the record through to the journal's file; refuses journal_unavailable, and then nothing may be
// changed.
Result<void> record(Session& s, const Change& change);
// Records that a recorded change was refused after all.
void record_failure(Session& s, const Change& change, const Error& error);
// Publishes a World with the change in it.
Result<void> put_in_force(Session& s);

// Records the change, makes it with `make`, and puts it in force. What `make` refuses is on record too.
template <class Make>
std::invoke_result_t<Make> carry_out(Session& s, const Change& change, Make make) {
  if (auto recorded = record(s, change); !recorded) return std::unexpected(std::move(recorded).error());
  auto made = make();
  if (!made) {
    record_failure(s, change, made.error());
    return made;
  }
  if (auto live = put_in_force(s); !live) return std::unexpected(std::move(live).error());
  return made;
}

}  // namespace claviger::console
