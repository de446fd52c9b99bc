// Sessions of the sandbox provider: one request, one plan, piece by piece; the ledger learns how far it got.
#include "sandbox/server.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "sandbox/refusal.hpp"
#include "wire/chunked.hpp"
#include "wire/http1.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::int64_t kPauseStepMs = 10;  // how soon a pause notices that the client went away
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kNoHttp = "THIS IS NOT HTTP\r\n\r\n";

// About 700 bytes: what a short answer of a chat model weighs.
constexpr std::string_view kLeanBody =
    R"({"id":"chatcmpl-sandbox00000000000000000001","object":"chat.completion","created":1760000000,)"
    R"("model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant",)"
    R"("content":"A sandbox answers with plain words that cost what they say. A sandbox answers with )"
    R"(plain words that cost what they say. A sandbox answers with plain words.","refusal":null},)"
    R"("logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":24,)"
    R"("total_tokens":36,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
    R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,)"
    R"("rejected_prediction_tokens":0}},"service_tier":"default",)"
    R"("system_fingerprint":"fp_sandbox"})";

std::string lean_answer() {
  std::string answer;
  wire::append_status_line(answer, 200);
  wire::append_header(answer, "content-type", "application/json");
  wire::append_header(answer, "content-length", std::to_string(kLeanBody.size()));
  answer += "\r\n";
  answer += kLeanBody;
  return answer;
}

Request copied(const wire::RequestHead& head, std::string_view body) {
  Request request;
  request.method = head.method;
  request.target = head.target;
  request.body = body;
  for (const wire::Header header : head.headers) {
    std::string name(header.name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers.emplace_back(std::move(name), header.value);
  }
  return request;
}

std::string head_of(const Plan& plan) {
  std::string head;
  wire::append_status_line(head, plan.status);
  for (const auto& [name, value] : plan.headers) wire::append_header(head, name, value);
  if (plan.chunked)
    wire::append_header(head, "transfer-encoding", "chunked");
  else
    wire::append_header(head, "content-length", std::to_string(plan.length));
  head += "\r\n";
  return head;
}

std::string refusal_of(const Error& error) {
  const std::string body = refusal_body(provider::Dialect::openai, http_status(error.code),
                                        code_name(error.code), client_text(error.code));
  std::string answer;
  wire::append_status_line(answer, http_status(error.code));
  wire::append_header(answer, "content-type", "application/json");
  wire::append_header(answer, "connection", "close");
  wire::append_header(answer, "content-length", std::to_string(body.size()));
  return answer + "\r\n" + body;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::make(const ServerOptions& options, const provider::PriceBook& prices,
                                             const Clock& clock) {
  TRY(Provider provider, Provider::make(prices, clock, options.provider));
  TRY(std::vector<net::Listener> listeners, net::Listener::tcp(options.listen, 1));
  return std::unique_ptr<Server>(
      new Server(std::move(listeners.front()), std::move(provider), options.manner));
}

void Server::run() {
  const auto always = [] { return true; };
  loop_.spawn(listener_.accept_on(loop_, always, [this](std::unique_ptr<net::Stream> stream) {
    loop_.spawn(session(std::move(stream)));
  }));
  loop_.run();
}

void Server::stop() { loop_.stop(); }

net::Task<void> Server::session(std::unique_ptr<net::Stream> stream) {
  net::ServerConnection connection(std::move(stream));
  bool goes_on = true;
  while (goes_on) goes_on = co_await exchange(connection);
  connection.stream().finish();
}

// One request and its answer. False: the connection must end.
net::Task<bool> Server::exchange(net::ServerConnection& connection) {
  net::Stream& stream = connection.stream();
  wire::RequestHead head;
  const auto came = co_await connection.read_head(head);
  if (came && !*came) co_return false;
  if (!came) {
    const std::string answer = refusal_of(came.error());
    co_await stream.write(answer);
    co_return false;
  }
  if (head.expect_continue) co_await stream.write(kContinue);
  const auto body = co_await connection.read_body(head, limits::kRequestBody);
  if (!body) {
    const std::string answer = refusal_of(body.error());
    co_await stream.write(answer);
    co_return false;
  }
  const bool keep_alive = head.keep_alive;
  if (manner_ == Manner::lean) {
    static const std::string kAnswer = lean_answer();
    connection.consume();
    const auto sent = co_await stream.write(kAnswer);
    co_return sent&& keep_alive;
  }
  const Request request = copied(head, *body);
  connection.consume();
  const Plan plan = provider_.plan(request);
  const bool played = co_await play(stream, plan);
  co_return played&& keep_alive;
}

net::Task<bool> Server::play(net::Stream& stream, const Plan& plan) {
  stream.set_deadline(INT64_MAX);
  if (plan.ending == Ending::drop || plan.ending == Ending::broken_head) {
    if (plan.ending == Ending::broken_head) co_await stream.write(kNoHttp);
    provider_.finish(plan);
    co_return false;
  }
  std::string head = head_of(plan);
  const bool whole = co_await play_pieces(stream, plan, std::move(head));
  if (!whole) co_return false;
  provider_.finish(plan);
  co_return plan.ending == Ending::whole;
}

// False: the client went away, and the plan is abandoned.
net::Task<bool> Server::play_pieces(net::Stream& stream, const Plan& plan, std::string head) {
  std::string out = std::move(head);
  for (std::size_t at = 0; at < plan.pieces.size(); ++at) {
    const Piece& piece = plan.pieces[at];
    const bool here = co_await pause(stream, piece.delay_ms);
    if (!here) {
      provider_.abandon(plan, at);
      co_return false;
    }
    if (plan.chunked)
      wire::append_chunk(out, piece.bytes);
    else
      out += piece.bytes;
    if (plan.ending == Ending::broken_chunk && at == plan.pieces.size() / 2) out += "zz\r\n";
    if (plan.chunked && at + 1 == plan.pieces.size() && plan.ending == Ending::whole) out += wire::kLastChunk;
    stream.expire_after_ms(limits::kWriteStallMs);
    const auto sent = co_await stream.write(out);
    stream.set_deadline(INT64_MAX);
    if (!sent) {
      provider_.abandon(plan, at + 1);
      co_return false;
    }
    out.clear();
  }
  co_return true;
}

// False: the client went away meanwhile.
net::Task<bool> Server::pause(net::Stream& stream, std::int64_t ms) {
  while (ms > 0 && !stream.hung_up() && !stream.broken()) {
    const std::int64_t step = std::min(ms, kPauseStepMs);
    ms -= step;
    co_await loop_.sleep_ns(step * 1'000'000);
  }
  co_return !stream.hung_up() && !stream.broken();
}

}  // namespace claviger::sandbox
