// What the providers' admin APIs answer, read: keys made, keys listed, use and cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "provider/adapter.hpp"

namespace claviger::provider {

// Answers are read leniently where providers are: numbers as texts, further fields. What must be there and is
// not refuses with upstream_malformed; the provider's words are never repeated, for they may hold a secret.
struct CreatedKey {
  std::string id;         // empty: not known yet
  std::string secret;     // empty: `reveal` reads it. The holder wipes it
  std::string operation;  // not empty: the creation goes on, ask for its progress
  std::optional<Time> expires;
  // Which call comes next before the secret is whole: progress, reveal, or none.
  std::optional<Operation> next() const;
};
// Of create, progress and reveal; `about` as in the call (class slots finds its slot by "id").
Result<CreatedKey> read_created(const Adapter& adapter, Operation operation, const Values& about,
                                std::string_view body);

enum class KeyState : std::uint8_t { active, disabled, expired };
struct ListedKey {
  std::string id, name;
  std::string hint;  // see Adapter::hint
  KeyState state = KeyState::active;
  std::optional<Time> created, expires, last_used;
};
struct KeyPage {
  std::vector<ListedKey> keys;
  std::string next;  // "page" of the next call; empty: this was the last
};
// `about` as in the call: some providers count pages by what was asked.
Result<KeyPage> read_keys(const Adapter& adapter, const Values& about, std::string_view body);
// Whether `secret` may be the listed key, by the hint the list shows. Nothing when the list has no hints.
std::optional<bool> fits_hint(const Adapter& adapter, const ListedKey& key, std::string_view secret);

Result<bool> read_propagation(const Adapter& adapter, std::string_view body);  // known everywhere
Result<std::optional<Time>> read_last_used(const Adapter& adapter, std::string_view body);  // nothing: never

// The provider's own count. Rows of other keys than `about["id"]` are left out where a row names its key.
struct ProviderUsage {
  std::string model;  // empty: not told
  Time from, to;
  std::int64_t requests = 0, input_tokens = 0, output_tokens = 0;  // input with what came from a cache
  std::optional<Nanousd> cost;                                     // of usage and cost in one
};
struct UsagePage {
  std::vector<ProviderUsage> rows;
  std::string next;
};
// Of usage and cost.
Result<UsagePage> read_usage(const Adapter& adapter, Operation operation, const Values& about,
                             std::string_view body);

}  // namespace claviger::provider
