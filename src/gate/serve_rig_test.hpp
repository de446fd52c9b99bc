// A whole gate between a scripted provider and plain clients, for the end-to-end tests.
#pragma once

#include "gate/rig_test.hpp"
#include "gate/serve.hpp"
#include "gate/upstream_test.hpp"

namespace claviger::gate {

inline constexpr std::string_view kAnswer =
    R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})";
inline constexpr std::int64_t kAnswerNanousd = 5 * kInputNanousd + 2 * kOutputNanousd;
inline constexpr std::string_view kStream =
    R"({"model":"plain","max_tokens":10,"stream":true,"messages":[]})";
inline constexpr std::string_view kStreamWithUsage =
    R"({"model":"plain","max_tokens":9,"stream":true,"stream_options":{"include_usage":true},"messages":[]})";
inline constexpr std::string_view kFrame = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
inline constexpr std::string_view kUsageFrame =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\n\n";
inline constexpr std::string_view kDone = "data: [DONE]\n\n";

class ServeTest : public GateTest {
 protected:
  ServeTest() {
    for (const char* provider : {"openai", "anthropic", "gemini"}) {
      add_credential(provider, upstream.base_url());
    }
    key = make_key();
    add_budget("key:" + key.id, kNanoPerUsd);
  }
  void start() {
    std::vector<std::unique_ptr<journal::Writer>> journals;
    journals.push_back(open_journal());
    gate = Gate::open(shared, {"127.0.0.1", 0}, std::move(journals)).value();
    gate->start(world());
  }
  // Lets everything end, and returns what the journal says of it: "intent receipt" and the like.
  std::string ended() {
    gate->stop(limits::kShutdownGraceMs);
    found = records();
    std::string kinds;
    for (const Json& record : found) kinds += (kinds.empty() ? "" : " ") + record["t"].get<std::string>();
    EXPECT_EQ(held("key:" + key.id), 0) << "every hold has ended";
    return kinds;
  }
  // What people are told, as the journal has it: "credential_suspect " and the like.
  std::string alerts() {
    std::string kinds;
    const auto read = journal::export_lines(folder, {}, [&](std::string_view line) {
      const Json record = Json::parse(line);
      if (record["t"] == "alert") kinds += record["kind"].get<std::string>() + " ";
      return journal::Next::more;
    });
    EXPECT_TRUE(read);
    return kinds;
  }
  Dialer dial() const { return Dialer(gate->address()); }

  std::string request(std::string_view method, std::string_view target, std::string_view body,
                      std::string_view fields = {}) const {
    std::string out(method);
    out.append(" ")
        .append(target)
        .append(" HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer ")
        .append(key.token);
    out.append("\r\n").append(fields);
    if (method == "POST") out.append("content-length: ").append(std::to_string(body.size())).append("\r\n");
    return out.append("\r\n").append(body);
  }
  std::string chat_request(std::string_view body = kChat) const {
    return request("POST", "/v1/chat/completions", body);
  }
  // Sends a request on a connection of its own and reads its answer.
  Answer asked(const std::string& text) const {
    Dialer client = dial();
    client.send(text);
    return client.answer();
  }

  static std::string json_answer(int status, std::string_view body, std::string_view fields = {}) {
    std::string out;
    wire::append_status_line(out, status);
    out.append("content-type: application/json\r\n").append(fields).append("content-length: ");
    return out.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  }
  static std::string stream_head() {
    return "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
  }
  static std::string chunks(std::initializer_list<std::string_view> frames) {
    std::string out;
    for (const std::string_view frame : frames) wire::append_chunk(out, frame);
    return out;
  }
  static std::string joined(std::initializer_list<std::string_view> texts) {
    std::string out;
    for (const std::string_view text : texts) out += text;
    return out;
  }

  Upstream upstream;
  Known key;
  const net::TlsContext tls = net::TlsContext::client("").value();
  net::Workers workers{1};
  Shared shared{clock, *ledger, *vault, pepper, tls, nullptr, workers, Durability::process, "abc"};
  std::unique_ptr<Gate> gate;
  std::vector<Json> found;
};

}  // namespace claviger::gate
