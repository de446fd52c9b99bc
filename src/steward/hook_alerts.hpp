// Alerts of GitHub's secret scanning that do not show their secret: each is read with a token, and what
// stands in it is a leak like any other. What cannot be read becomes an alert of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "steward/incidents.hpp"
#include "steward/outside.hpp"
#include "store/store.hpp"

namespace claviger::steward {

extern const std::string_view kHookAlertSchema;

struct HookAlert {
  std::string repository;  // "owner/name"
  std::int64_t number = 0;
  std::string kind, place;  // of secret, as GitHub calls it; the alert's page
  Time found;
  int tries = 0;
};

// To be read; once for each alert. invalid_input when the repository or the number is none.
Result<void> put_hook_alert(store::Tx& tx, const HookAlert& alert, Time now);

// For the steward's thread only.
class HookAlerts {
 public:
  // The token of GitHub's API, as it is now; its holder wipes it.
  using Token = std::function<Result<std::string>()>;

  HookAlerts(store::Store& store, Incidents& incidents, const Clock& clock)
      : store_(store), incidents_(incidents), clock_(clock) {}

  // Where GitHub's API is, and the token for it; without one people are told at once.
  void adopt(std::string api_url, Token token) {
    api_url_ = std::move(api_url);
    token_ = std::move(token);
  }
  // From here on alerts are read. It must outlive this.
  void serve(Outside& outside) { outside_ = &outside; }
  void tick();

 private:
  void ask(const HookAlert& alert);
  Result<void> take(const HookAlert& alert, Result<OutsideAnswer> answer);
  Result<void> again(HookAlert alert);
  Result<void> give_up(const HookAlert& alert);

  store::Store& store_;
  Incidents& incidents_;
  const Clock& clock_;
  Outside* outside_ = nullptr;
  std::string api_url_;
  Token token_;
  std::set<std::string> busy_;  // places that are being read
};

}  // namespace claviger::steward
