// Tests of access tokens: who asks for one, how long that may take, and what a failure leaves behind.
#include "gate/mint.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <chrono>
#include <deque>
#include <thread>

#include "gate/serve_rig_test.hpp"

namespace claviger::gate {
namespace {

using testing::HasSubstr;

constexpr std::string_view kToken = R"({"access_token":"ya29.made-for-this-test","expires_in":3600})";
constexpr std::string_view kRefused = R"({"error":"invalid_grant"})";

std::string private_key() {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(out, &data));
  std::string pem(data, size);
  BIO_free(out);
  EVP_PKEY_free(key);
  return pem;
}

// A port that takes connections and never says a word.
class Silence {
 public:
  Silence() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    port = ntohs(at.sin_port);
  }
  ~Silence() { ::close(socket_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  std::uint16_t port = 0;

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

class MintTest : public ServeTest {
 protected:
  // A service account whose token endpoint is there.
  CredentialEntry account_at(const std::string& where) {
    std::string document = Json{
        {"type", "service_account"},
        {"private_key_id", "k"},
        {"private_key", private_key()},
        {"client_email", "gate@p.example"},
        {"token_uri", where}}.dump();
    vault::NewCredential asked;
    asked.name = "account" + std::to_string(credentials.size());
    asked.provider = "vertex";
    asked.environment = "dev";
    asked.base_url = upstream.base_url();
    asked.origins = {provider::parse_base_url(where).value().origin};
    const vault::Credential made = vault->add(asked, Secret::take(document)).value();
    credentials.push_back({made.id, 1, "dev", asked.name, catalog->find("vertex"),
                           provider::parse_base_url(asked.base_url).value()});
    return credentials.back();
  }
  CredentialEntry account() { return account_at(endpoint.base_url() + "/token"); }
  MintParts parts(std::int64_t exchange_ms = limits::kTokenExchangeMs) {
    return {clock, *vault, *shared.tokens, workers, tls, exchange_ms};
  }
  void endpoint_says(int status, std::string_view body) {
    endpoint.plays({send_bytes(json_answer(status, body))});
  }
  std::string generate() const {
    return request("POST", "/p/vertex/v1beta/models/plain:generateContent",
                   R"({"contents":[],"generationConfig":{"maxOutputTokens":9}})");
  }
  std::int64_t awaited_hold(std::int64_t least) {
    for (int i = 0; i < 10'000; ++i) {
      if (const std::int64_t sum = held("key:" + key.id); sum >= least) return sum;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "waited in vain for " << least << " to be held";
    return 0;
  }

  Upstream endpoint;
};

TEST_F(MintTest, a_token_is_minted_once_and_kept) {
  const CredentialEntry one = account();
  endpoint_says(200, kToken);
  const Minted first = mint(one, parts());
  ASSERT_EQ(verdict(first.done), "ok");
  EXPECT_TRUE(first.tried);
  EXPECT_TRUE(shared.tokens->has(one, clock.at));
  EXPECT_FALSE(mint(one, parts()).tried);
  EXPECT_EQ(endpoint.requests().size(), 1u);
}

TEST_F(MintTest, a_failure_is_remembered_for_some_seconds_and_the_endpoint_is_left_alone) {
  CredentialEntry one = account();
  endpoint_says(400, kRefused);
  EXPECT_EQ(verdict(mint(one, parts()).done), "credential_unavailable");
  clock.at = clock.at + std::chrono::milliseconds(limits::kTokenFailedMs - 1);
  const Minted again = mint(one, parts());
  EXPECT_EQ(verdict(again.done), "credential_unavailable");
  EXPECT_FALSE(again.tried);
  EXPECT_EQ(endpoint.requests().size(), 1u);
  endpoint_says(200, kToken);
  CredentialEntry next = one;
  next.version = 2;
  EXPECT_EQ(verdict(mint(next, parts()).done), "ok") << "another secret is asked for at once";
  clock.at = clock.at + std::chrono::milliseconds(1);
  EXPECT_EQ(verdict(mint(one, parts()).done), "ok") << "and this one when the time is over";
  EXPECT_FALSE(shared.tokens->failure(one, clock.monotonic_ns())) << "which forgets the failure";
}

TEST_F(MintTest, one_deadline_counts_from_the_first_step_to_the_last) {
  Silence silence;
  const std::string silent = "127.0.0.1:" + std::to_string(silence.port) + "/token";
  endpoint.plays({wait_for_go()});
  for (const std::string& where : {"http://" + silent, "https://" + silent, endpoint.base_url() + "/token"}) {
    const Minted minted = mint(account_at(where), parts(50));
    EXPECT_EQ(verdict(minted.done), "upstream_timeout") << where;
    if (!minted.done) EXPECT_THAT(minted.done.error().say, HasSubstr("token endpoint")) << where;
    EXPECT_TRUE(minted.tried);
  }
  endpoint.go();
}

TEST_F(MintTest, an_answer_with_a_token_may_be_as_long_as_the_bound_and_no_longer) {
  for (const std::size_t more : {0U, 1U, 2U}) {
    std::string padded(kToken);
    padded.resize(limits::kTokenAnswer - 1 + more, ' ');
    endpoint_says(200, padded);
    EXPECT_EQ(verdict(mint(account(), parts()).done), more < 2 ? "ok" : "upstream_malformed") << more;
  }
}

TEST_F(MintTest, a_token_is_not_used_in_the_end_of_its_life) {
  Tokens tokens;
  const CredentialEntry one{"cred_1", 1, "dev", "one", nullptr, {}};
  std::string text = "token";
  const Time expires = clock.at + std::chrono::hours(1);
  tokens.put(one, Secret::take(text), expires);
  const Time last = expires + -std::chrono::milliseconds(limits::kTokenSpareMs);
  EXPECT_TRUE(tokens.has(one, last + -std::chrono::nanoseconds(1)));
  EXPECT_FALSE(tokens.has(one, last));
  EXPECT_FALSE(tokens.has(one, last + std::chrono::nanoseconds(1)));
}

TEST_F(MintTest, what_comes_late_of_an_old_secret_neither_replaces_nor_drops_the_new_ones_token) {
  Tokens tokens;
  const CredentialEntry before{"cred_1", 1, "dev", "one", nullptr, {}};
  CredentialEntry now = before;
  now.version = 2;
  const Time later = clock.at + std::chrono::hours(1);
  const auto token = [](std::string text) { return Secret::take(text); };
  tokens.put(now, token("new"), later);
  tokens.put(before, token("old"), later);
  tokens.failed(before, Error{}, 0);
  EXPECT_TRUE(tokens.has(now, clock.at));
  EXPECT_FALSE(tokens.failure(now, 0));
  tokens.forget(before);
  EXPECT_TRUE(tokens.has(now, clock.at));
  EXPECT_FALSE(tokens.has(before, clock.at));
  CredentialEntry third = before;
  for (third.version = 3; third.version < 9; ++third.version) tokens.put(third, token("newer"), later);
  EXPECT_FALSE(tokens.has(now, clock.at)) << "old secrets' tokens are not kept";
}

TEST_F(MintTest, requests_behind_a_failed_exchange_hear_of_it_and_only_the_exchange_counts_against_the_key) {
  account();
  endpoint_says(400, kRefused);
  start();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = asked(generate());
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(Json::parse(answer.body)["error"]["status"], "UNAVAILABLE") << answer.body;
  }
  EXPECT_EQ(endpoint.requests().size(), 1u);
  EXPECT_EQ(upstream.connections(), 0);
  EXPECT_EQ(ended(), "refusal refusal refusal");
  EXPECT_EQ(alerts(), "credential_suspect ");
}

TEST_F(MintTest, as_many_requests_wait_for_a_token_as_may_and_the_next_is_told_to_come_again) {
  account();
  endpoint.plays({wait_for_go(), send_bytes(json_answer(200, kToken))});
  upstream.plays({send_bytes(json_answer(
      200, R"({"candidates":[],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}})"))});
  start();
  std::deque<Dialer> clients;
  clients.emplace_back(gate->address()).send(generate());
  const std::int64_t one = awaited_hold(1);
  for (std::size_t i = 1; i < limits::kTokenWaits; ++i)
    clients.emplace_back(gate->address()).send(generate());
  awaited_hold(one * static_cast<std::int64_t>(limits::kTokenWaits));  // all wait
  const Answer refused = asked(generate());
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(Json::parse(refused.body)["error"]["status"], "UNAVAILABLE") << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("waiting for an access token"));
  EXPECT_NE(refused.header("retry-after"), "");
  endpoint.go();
  for (Dialer& client : clients) EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(endpoint.requests().size(), 1u) << "one exchange for all of them";
  clients.clear();
  EXPECT_EQ(asked(generate()).status, 200) << "there is room again";
  ended();
}

}  // namespace
}  // namespace claviger::gate
