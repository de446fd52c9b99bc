// What is known of credentials, kept apart for each version of a secret.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gate/world.hpp"

namespace claviger::gate {

// What comes late of one secret says nothing of the next, nor of the one before, which a rotation may go back
// to. Two are kept of each credential, the one in use and the one that was: a third takes the place of the
// one that came first.
template <class T>
class ByVersion {
 public:
  // nullptr: nothing.
  const T* find(const CredentialEntry& credential) const {
    const auto found = all_.find(credential.id);
    if (found == all_.end()) return nullptr;
    const auto at = std::ranges::find(found->second, credential.version, &Kept::first);
    return at == found->second.end() ? nullptr : &at->second;
  }
  void put(const CredentialEntry& credential, T value) {
    erase(credential);
    std::vector<Kept>& kept = all_[credential.id];
    if (kept.size() == kKept) kept.erase(kept.begin());
    kept.emplace_back(credential.version, std::move(value));
  }
  void erase(const CredentialEntry& credential) {
    const auto found = all_.find(credential.id);
    if (found == all_.end()) return;
    std::erase_if(found->second, [&](const Kept& one) { return one.first == credential.version; });
    if (found->second.empty()) all_.erase(found);
  }
  std::size_t credentials() const { return all_.size(); }

 private:
  using Kept = std::pair<std::int64_t, T>;
  static constexpr std::size_t kKept = 2;
  std::map<std::string, std::vector<Kept>, std::less<>> all_;
};

}  // namespace claviger::gate
