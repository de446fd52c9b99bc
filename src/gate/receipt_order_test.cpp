// The law of receipts: when the journal's file gets one, the last byte of the answer has not left yet.
#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "gate/serve_rig_test.hpp"

namespace claviger::gate {
namespace {

using Look = std::function<void(std::string_view bytes)>;

// Tells of every append before it happens.
class WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> file, const Look& before) : file_(std::move(file)), before_(before) {}
  Result<void> append(std::string_view bytes) override {
    before_(bytes);
    return file_->append(bytes);
  }
  Result<void> sync() override { return file_->sync(); }
  std::uint64_t size() const override { return file_->size(); }
  Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }

 private:
  std::unique_ptr<File> file_;
  const Look& before_;
};

class WatchedFolder final : public Folder {
 public:
  WatchedFolder(Folder& folder, Look before) : folder_(folder), before_(std::move(before)) {}
  Result<std::unique_ptr<File>> open_append(std::string_view name) override {
    TRY(std::unique_ptr<File> file, folder_.open_append(name));
    return std::make_unique<WatchedFile>(std::move(file), before_);
  }
  Result<std::vector<std::string>> list() override { return folder_.list(); }
  Result<std::string> read(std::string_view name, std::uint64_t offset, std::size_t max) override {
    return folder_.read(name, offset, max);
  }
  Result<std::uint64_t> size(std::string_view name) override { return folder_.size(name); }
  Result<void> replace(std::string_view name, std::string_view bytes, Sync sync) override {
    return folder_.replace(name, bytes, sync);
  }
  Result<void> remove(std::string_view name) override { return folder_.remove(name); }

 private:
  Folder& folder_;
  Look before_;
};

class ReceiptOrderTest : public ServeTest {
 protected:
  // Bytes of the answer that the client had when the receipt went into its file, and all of them.
  struct Seen {
    std::string before, all;
  };
  // `first`: the script waits until the client has it.
  Seen seen(std::vector<Step> script, std::string_view body, std::string_view first = {}) {
    upstream.plays(std::move(script));
    std::promise<std::string> receipt;
    const Dialer* client = nullptr;
    WatchedFolder watched(folder, [&](std::string_view bytes) {
      if (bytes.find(R"("t":"receipt")") == std::string_view::npos) return;
      // The lane stands still here. What it has sent too early has a moment to arrive.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      receipt.set_value(client->peeked());
    });
    std::vector<std::unique_ptr<journal::Writer>> journals;
    journals.push_back(
        journal::Writer::open(watched, "gate0", ++epoch, {clock.at, "test", "process"}).value());
    gate = Gate::open(shared, {"127.0.0.1", 0}, std::move(journals)).value();
    gate->start(world());
    Dialer dialer(gate->address());
    client = &dialer;
    dialer.send(request("POST", "/v1/chat/completions", body, "connection: close\r\n"));
    if (!first.empty()) EXPECT_TRUE(dialer.sees(first));
    upstream.go();
    const std::string before = receipt.get_future().get();
    Seen out{before, dialer.to_the_end()};
    if (!first.empty()) out.before.insert(0, out.all.substr(0, out.all.find(first) + first.size()));
    gate.reset();
    return out;
  }

  std::uint64_t epoch = 0;
};

TEST_F(ReceiptOrderTest, a_whole_answer_waits_for_its_receipt) {
  const Seen it = seen({send_bytes(json_answer(200, kAnswer))}, kChat);
  EXPECT_THAT(it.all, testing::EndsWith(kAnswer));
  EXPECT_EQ(it.before, "");
}

TEST_F(ReceiptOrderTest, the_end_of_a_stream_waits_for_its_receipt) {
  const Seen it = seen({send_bytes(stream_head() + chunks({kFrame})), wait_for_go(),
                        send_bytes(chunks({kUsageFrame, kDone}) + std::string(wire::kLastChunk))},
                       kStreamWithUsage, kFrame);
  EXPECT_THAT(it.all, testing::HasSubstr(kDone));
  EXPECT_THAT(it.before, testing::HasSubstr(kFrame)) << "what comes before its end is not held up";
  EXPECT_THAT(it.before, testing::Not(testing::HasSubstr(kDone)));
}

TEST_F(ReceiptOrderTest, what_is_said_of_a_cut_stream_waits_for_its_receipt) {
  const Seen it = seen({send_bytes(stream_head() + chunks({kFrame})), cut()}, kStream);
  EXPECT_THAT(it.all, testing::HasSubstr("upstream_failed"));
  EXPECT_THAT(it.before, testing::Not(testing::HasSubstr("upstream_failed")));
}

TEST_F(ReceiptOrderTest, errors_and_refusals_of_an_exchange_wait_for_its_receipt) {
  const Seen error = seen({send_bytes(json_answer(400, R"({"error":"no"})"))}, kChat);
  EXPECT_THAT(error.all, testing::EndsWith(R"({"error":"no"})"));
  EXPECT_EQ(error.before, "");
  const Seen refused = seen({send_bytes(json_answer(401, "{}"))}, kChat);
  EXPECT_THAT(refused.all, testing::HasSubstr("credential_unavailable"));
  EXPECT_EQ(refused.before, "");
}

}  // namespace
}  // namespace claviger::gate
