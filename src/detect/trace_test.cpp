// A scan with the help of a trace finds what a scan of the whole text finds, whatever is cut, moved or put
// in.
#include "detect/trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "base/rng.hpp"
#include "detect/sample.hpp"

namespace claviger::detect {
namespace {

class Traces : public ::testing::Test {
 protected:
  Traces() : engine_(*Engine::built_in()), whole_(engine_), parts_(engine_) {}

  std::string secret(std::uint64_t seed) {
    const auto& rules = engine_->rules().rules();
    for (std::uint64_t i = seed;; ++i) {
      const Rule& rule = rules[i % rules.size()];
      if (!rule.is_public && !rule.samples.empty()) return expand_sample(rule, "{secret}", seed);
    }
  }

  // Something that a file may hold: keys in many notations, pieces of them, and text round them.
  std::string piece() {
    const std::string key = secret(rng_.below(1'000'000));
    const std::string half = key.substr(0, key.size() / 2);
    switch (rng_.below(26)) {
      case 0:
        return "OPENAI_API_KEY=" + key + "\n";
      case 1:
        return "mistral_api_key: \"" + expand_sample(any(), "{A32}", rng_.below(1000)) + "\"\n";
      case 2:
        return "data = \"" + base64(as_bytes("token=" + key)) + "\"\n";
      case 3:
        return "x = \"" + half + "\" +\n    \"" + key.substr(half.size()) + "\";\n";
      case 4:
        return "password: \"Tr0ub" + expand_sample(any(), "{A8}", rng_.below(99)) + "#7\"\n";
      case 5:
        return "postgres://app:" + expand_sample(any(), "{A16}", rng_.below(99)) + "@db.internal/x\n";
      case 6:
        return expand_sample(any(), "{pem}", rng_.below(20)) + "\n";
      case 7:
        return "\"url\": \"https:\\/\\/x?key=" + percent(key) + "\"\n";
      case 8:
        return hex(as_bytes("key=" + key)) + "\n";
      case 9:
        return "-----BEGIN CERTIFICATE-----\n" + expand_sample(any(), "{B64}\n{B64}\n", rng_.below(99));
      case 10:
        return " # claviger:allow\n";
      case 11:
        return "func handleRequestWithContext(ctx context.Context) error { return nil }\n";
      case 12:
        return "  - name: API_KEY\n    value: " + key + "\n";
      case 13:
        return "github.com/x/y v1.2.3 h1:" + expand_sample(any(), "{B43}=\n", rng_.below(99));
      case 14:
        return std::string(rng_.below(300), ' ');
      case 15:
        return key;
      case 16:
        return half;
      case 17:
        return "\"";
      case 18:
        return "\\\n   ";
      case 19:
        return "const " + expand_sample(any(), "{A20}", rng_.below(99)) + " = deepseek('";
      case 20:
        return "')\nclient = Cohere(api_key=\"" + expand_sample(any(), "{A40}", rng_.below(999)) + "\")\n";
      case 21:
      case 22:
        return "key = \"" + expand_sample(any(), "{A32}", rng_.below(999)) +
               "\"\n";  // mistral's, if so named
      case 23:
        return "# notes on mistral\n";
      case 24:
        return "the quick brown fox jumps over a lazy dog and rests\n";
      default:
        return base64(as_bytes("export A=1\nexport B=" + key + "\nexport C=3\n")) + "\n";
    }
  }

  std::string text(std::size_t pieces) {
    std::string out;
    for (std::size_t i = 0; i < pieces; ++i) out += piece();
    return out;
  }

  // A text of stretches of `base` and new pieces between some of them; `repeats` says which.
  std::string changed(const std::string& base, std::vector<Repeat>& repeats) {
    std::string out;
    std::size_t from = 0;
    for (std::uint64_t i = 1 + rng_.below(6); i > 0; --i) {
      if (rng_.below(4) == 0) from = rng_.below(base.size() + 1);
      if (rng_.below(3) == 0) out += piece();
      const std::size_t size = rng_.below(base.size() - from + 1);
      if (size > 0) repeats.push_back({out.size(), from, size});
      out += base.substr(from, size);
      from += size;
      if (rng_.below(3) == 0) from = std::min(base.size(), from + rng_.below(40));
    }
    if (rng_.below(2) == 0) out += piece();
    return out;
  }

  std::vector<std::uint64_t> found_in(const std::string& bytes) {
    std::vector<std::uint64_t> out;
    whole_.scan(bytes, {}, [&](const Hit& hit) { out.push_back(secret_number(hit.secret)); });
    return out;
  }

  const Rule& any() const { return engine_->rules().at(0); }
  static std::string percent(std::string_view in) {
    std::string out;
    for (const char c : in) out += "%" + hex(ByteView(reinterpret_cast<const std::uint8_t*>(&c), 1));
    return out;
  }

  std::shared_ptr<const Engine> engine_;
  Engine::Scanner whole_, parts_;
  SeededRng rng_{7};
};

using Leave = Engine::Scanner::Leave;

TEST_F(Traces, chains_of_changed_texts_give_what_whole_scans_give) {
  std::size_t traced = 0, secrets = 0;
  for (int chain = 0; chain < 150; ++chain) {
    std::string bytes = text(2 + rng_.below(30));
    std::vector<Repeat> none;
    std::vector<std::uint64_t> found;
    const auto note = [&](std::uint64_t number) { found.push_back(number); };
    auto trace = parts_.scan_repeating(bytes, nullptr, none, Leave::trace, note);
    ASSERT_EQ(found, found_in(bytes));
    for (int step = 0; step < 12 && trace != nullptr; ++step) {
      std::vector<Repeat> repeats;
      const std::string next = changed(bytes, repeats);
      found.clear();
      trace = parts_.scan_repeating(next, trace.get(), repeats, Leave::trace, note);
      ASSERT_EQ(found, found_in(next)) << "chain " << chain << ", step " << step;
      traced += trace != nullptr ? 1 : 0;
      secrets += found.size();
      bytes = next;
      if (bytes.empty()) break;
    }
  }
  EXPECT_GT(traced, 1000U);
  EXPECT_GT(secrets, 1000U);
}

TEST_F(Traces, a_text_with_zero_bytes_is_not_remembered) {
  const std::string bytes("k\0e\0y\0", 6);
  EXPECT_EQ(parts_.scan_repeating(bytes, nullptr, {}, Leave::trace, [](std::uint64_t) {}), nullptr);
}

TEST_F(Traces, a_trace_is_left_only_when_asked_for) {
  EXPECT_EQ(parts_.scan_repeating("x", nullptr, {}, Leave::nothing, [](std::uint64_t) {}), nullptr);
  EXPECT_NE(parts_.scan_repeating("x", nullptr, {}, Leave::trace, [](std::uint64_t) {}), nullptr);
}

}  // namespace
}  // namespace claviger::detect
