// A journal of many receipts, written by the program's own writer, and how long it takes to read out of it
// what was done with a leaked key and with a leaked credential.
#include <fmt/format.h>

#include <array>
#include <memory>

#include "base/file.hpp"
#include "journal/writer.hpp"
#include "socket.hpp"
#include "steward/accounting.hpp"

namespace claviger::bench {
namespace {

constexpr Time kStart{std::int64_t{1'790'000'000} * kSecond};
constexpr std::int64_t kBetween = 200'000;  // ns between two calls: 5,000 a second
constexpr std::int64_t kKeys = 100;         // that share the credential
constexpr std::size_t kFlushAt = 1 << 20;

struct Texts {
  std::array<std::string, kKeys> keys;
  std::array<std::string, 40> addresses;
  Texts() {
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = fmt::format("kq7x2m9a{:04}", i);
    for (std::size_t i = 0; i < addresses.size(); ++i) addresses[i] = fmt::format("10.20.30.{}", i);
  }
};

journal::Receipt receipt_of(std::int64_t number, const Texts& texts, const std::string& req) {
  const auto index = static_cast<std::size_t>(number);
  journal::Receipt one;
  one.intent_at = kStart + std::chrono::nanoseconds(number * kBetween);
  one.at = one.intent_at + std::chrono::milliseconds(800);
  one.req = req;
  one.key = texts.keys[index % texts.keys.size()];
  one.team = "core", one.project = "web", one.environment = "prod", one.provider = "openai";
  one.route = "openai.chat", one.endpoint = "chat", one.credential = "cred_8Zk2mQ1xW4a";
  one.model = number % 3 == 0 ? "gpt-4o-mini" : "gpt-4.1";
  one.status = number % 97 == 0 ? 429 : 200;
  one.usage.uncached_in = 400 + number % 1'000, one.usage.text_out = 100 + number % 300;
  one.cost_nanousd = {100'000 + number % 50'000}, one.hold_nanousd = {900'000};
  one.price_version = "openai/gpt-4.1/3f9a2c1d";
  one.ms = 800, one.ttfb_ms = 210, one.bytes_in = 2'300, one.bytes_out = 5'100;
  one.ip = texts.addresses[index % texts.addresses.size()], one.user_agent = "OpenAI/Python 2.8.1";
  return one;
}

Result<std::uint64_t> write(Folder& folder, std::int64_t count) {
  const Texts texts;
  TRY(const auto writer, journal::Writer::open(folder, "gate0", 1, {kStart, "bench", "process"}));
  for (std::int64_t number = 0; number < count; ++number) {
    const std::string req = fmt::format("req_{:022}", number);
    writer->append(receipt_of(number, texts, req));
    if (writer->pending() > kFlushAt) TRY_VOID(writer->flush());
  }
  TRY_VOID(writer->close(kStart + std::chrono::nanoseconds(count * kBetween)));
  return writer->ticket();
}

struct Read {
  double seconds = 0;
  std::int64_t calls = 0;
};

Result<Read> read(Folder& folder, steward::Owned owned, const std::string& id, std::int64_t count) {
  const Time end = kStart + std::chrono::nanoseconds(count * kBetween);
  const std::int64_t start = now_ns();
  TRY(const auto found, steward::account(folder, {owned, id, kStart, end}));
  return Read{static_cast<double>(now_ns() - start) / kSecond, found.total.calls};
}

Result<void> run(const Options& options) {
  const std::int64_t count = options.number("--count");
  TRY(const auto folder, PosixFolder::open(options.text("--folder")));
  const std::int64_t start = now_ns();
  TRY(const std::uint64_t bytes, write(*folder, count));
  const double wrote = static_cast<double>(now_ns() - start) / kSecond;
  TRY(const Read key, read(*folder, steward::Owned::key, Texts().keys[7], count));
  TRY(const Read credential, read(*folder, steward::Owned::credential, "cred_8Zk2mQ1xW4a", count));
  fmt::print(R"({{"bytes":{},"write_s":{:.2f},"key_s":{:.2f},"key_calls":{},"credential_s":{:.2f},)"
             R"("credential_calls":{}}})",
             bytes, wrote, key.seconds, key.calls, credential.seconds, credential.calls);
  return {};
}

}  // namespace
}  // namespace claviger::bench

int main(int argc, char** argv) {
  const auto ran = claviger::bench::run(claviger::bench::Options(argc, argv));
  if (ran) return 0;
  fmt::print(stderr, "bench_receipts: {}\n", claviger::told(ran.error()));
  return 1;
}
