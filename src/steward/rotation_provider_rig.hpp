// A scripted provider, whose calls wait until they are let through.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "steward/rotation.hpp"
#include "vault/test_rig.hpp"

namespace claviger::steward {

inline constexpr std::string_view kOld = "sk-svcacct-old0000000000000000000000000000000000000aaaa";
inline constexpr std::string_view kAdmin = "sk-admin-00000000000000000000000000000000000000000bbbb";

// OpenAI's admin API as far as a rotation needs it. Calls wait until they are let through.
class Provider final : public Outside {
 public:
  struct Key {
    std::string id, name, secret;
  };
  enum class Fate : std::uint8_t { answered, lost_before, lost_after, failed, limited };

  void send(OutsideCall call, Done done) override { waiting.emplace_back(std::move(call), std::move(done)); }

  // Lets the oldest call happen as `fate` says; false when none waits.
  bool let_through(Fate fate) {
    if (waiting.empty()) return false;
    auto [call, done] = std::move(waiting.front());
    waiting.pop_front();
    if (fate == Fate::lost_before) return done(fail_upstream(Code::upstream_timeout, "lost")), true;
    if (fate == Fate::limited) return done(OutsideAnswer{429, {{"retry-after", "2"}}, "{}"}), true;
    OutsideAnswer answer = happen(call);
    if (fate == Fate::lost_after) return done(fail_upstream(Code::upstream_failed, "lost")), true;
    if (fate == Fate::failed) answer = {500, {}, "{}"};
    done(std::move(answer));
    return true;
  }
  // The caller dies: what it has sent may or may not have arrived.
  void caller_dies(bool arrived) {
    while (arrived && !waiting.empty()) {
      happen(waiting.front().first);
      waiting.pop_front();
    }
    waiting.clear();
  }
  bool accepts(std::string_view secret) const {
    return std::ranges::find(keys, secret, &Key::secret) != keys.end();
  }

  std::deque<std::pair<OutsideCall, Done>> waiting;
  std::vector<Key> keys{{"key_old", "by hand", std::string(kOld)}};
  int made = 0;
  bool refuses_removal = false, refuses_lists = false, hides_old = false;
  bool only_says_so = false;  // removes nothing
  int pages = 1;              // of the list; our keys stand on the last
  int page = 0;               // that was asked for last

 private:
  static std::string bearer(const OutsideCall& call) {
    for (const auto& [name, value] : call.headers)
      if (name == "authorization") return value.substr(7);
    return {};
  }
  OutsideAnswer happen(const OutsideCall& call) {
    EXPECT_EQ(call.reach, Reach::provider);
    const std::string who = bearer(call);
    if (call.base.contains("huggingface")) return alone(call, who);
    if (call.target.contains("/models"))
      return accepts(who) ? OutsideAnswer{200, {}, R"({"object":"list","data":[]})"}
                          : OutsideAnswer{401, {}, R"({"error":{"code":"invalid_api_key"}})"};
    EXPECT_EQ(who, kAdmin);
    if (call.method == "POST") {
      const std::string number = fmt::format("{:04}", ++made);
      const std::size_t at = call.body.find("\"name\":\"") + 8;
      const std::string name = call.body.substr(at, call.body.find('"', at) - at);
      keys.push_back({"key_" + number, name, fmt::format("sk-svcacct-new{}{:040}", number, made)});
      const Key& key = keys.back();
      return {
          200, {}, fmt::format(R"({{"id":"{}","name":"{}","value":"{}"}})", key.id, key.name, key.secret)};
    }
    if (call.method == "GET" && refuses_lists) return {403, {}, "{}"};
    if (call.method == "GET") page = call.target.contains("after=key_page") ? page + 1 : 1;
    if (call.method == "GET" && page < pages)
      return {200, {}, R"({"object":"list","data":[],"has_more":true,"last_id":"key_page"})"};
    if (call.method == "GET") {
      std::string rows;
      for (const Key& key : keys) {
        if (hides_old && key.id == "key_old") continue;
        rows +=
            fmt::format(R"({}{{"id":"{}","name":"{}","redacted_value":"{}...{}","created_at":1790000000}})",
                        rows.empty() ? "" : ",", key.id, key.name, key.secret.substr(0, 14),
                        key.secret.substr(key.secret.size() - 4));
      }
      return {200, {}, fmt::format(R"({{"object":"list","data":[{}],"has_more":false}})", rows)};
    }
    if (refuses_removal) return {409, {}, "{}"};
    const std::string id = call.target.substr(call.target.rfind('/') + 1);
    const auto found = std::ranges::find(keys, id, &Key::id);
    if (found == keys.end()) return {404, {}, R"({"error":{"message":"No such key"}})"};
    if (!only_says_so) keys.erase(found);
    return {200, {}, fmt::format(R"({{"id":"{}","deleted":true}})", id)};
  }
  // Hugging Face: whoever has a token may end it.
  OutsideAnswer alone(const OutsideCall& call, const std::string& who) {
    if (call.target.contains("/revoke"))
      return std::erase_if(keys, [&](const Key& key) { return call.body.contains(key.secret); }),
             OutsideAnswer{202, {}, "{}"};
    return accepts(who) ? OutsideAnswer{200, {}, R"({"auth":{"accessToken":{}}})"}
                        : OutsideAnswer{401, {}, R"({"error":"Invalid username or password."})"};
  }
};

}  // namespace claviger::steward
