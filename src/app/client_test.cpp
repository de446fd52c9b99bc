// The client of the admin socket against scripted servers, and the choice between socket and own house.
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

#include "app/admin_client.hpp"
#include "app/house.hpp"
#include "app/rig_test.hpp"

namespace claviger::app {
namespace {

// One exchange with a server that reads until the request's head and body are whole and then says `answer`.
struct Exchange {
  Result<console::ApiResponse> response;
  std::string request;
};

Exchange exchange_with(std::string answer, const console::ApiRequest& asked) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  std::string seen;
  std::thread server([&] {
    char piece[4096];
    while (seen.find("\r\n\r\n") == std::string::npos || !seen.ends_with(asked.body)) {
      const ssize_t got = ::read(ends[1], piece, sizeof(piece));
      if (got <= 0) break;
      seen.append(piece, static_cast<std::size_t>(got));
    }
    EXPECT_EQ(::send(ends[1], answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
    ::close(ends[1]);
  });
  auto response = exchange(ends[0], asked);
  server.join();
  return {std::move(response), seen};
}

console::ApiRequest get(std::string path) {
  console::ApiRequest request;
  request.method = "GET";
  request.path = std::move(path);
  return request;
}

TEST(AdminClient, an_answer_that_is_cut_is_an_error) {
  for (const auto* answer :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "nonsense\r\n\r\n"})
    EXPECT_FALSE(exchange_with(answer, get("/healthz")).response) << answer;
}

TEST(AdminClient, a_request_goes_out_whole_and_its_answer_comes_back) {
  console::ApiRequest request = get("/api/v1/keys");
  request.method = "POST";
  request.query = "a=b";
  request.content_type = "application/json";
  request.idempotency_key = "k1";
  request.body = "{\"name\":\"x\"}";
  const Exchange done = exchange_with(
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", request);
  ASSERT_TRUE(done.response);
  EXPECT_EQ(done.response->status, 201);
  EXPECT_EQ(done.response->body, "{}");
  EXPECT_EQ(done.response->content_type, "application/json");
  EXPECT_TRUE(done.request.starts_with("POST /api/v1/keys?a=b HTTP/1.1\r\n"));
  EXPECT_NE(done.request.find("Idempotency-Key: k1\r\n"), std::string::npos);
  EXPECT_NE(done.request.find("Content-Length: 12\r\n"), std::string::npos);
}

TEST(AdminClient, chunked_answers_are_read) {
  const Exchange done = exchange_with(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", get("/"));
  ASSERT_TRUE(done.response);
  EXPECT_EQ(done.response->body, "hello!");
}

TEST_F(CommandTest, nobody_listening_is_no_error_but_no_connection) {
  EXPECT_EQ(connect_unix(folder + "/absent.sock").value(), -1);
  EXPECT_EQ(connect_unix(folder + "/" + std::string(150, 'x') + "/absent.sock").value(), -1);
}

// A server that answers one request of a command on the directory's own socket.
TEST_F(CommandTest, a_command_talks_to_the_server_that_holds_the_directory) {
  init();
  const std::string path = data + "/claviger.sock";
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener, 4), 0);
  std::string seen;
  std::thread server([&] {
    const int peer = ::accept(listener, nullptr, nullptr);
    char piece[4096];
    while (seen.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::read(peer, piece, sizeof(piece));
      if (got <= 0) break;
      seen.append(piece, static_cast<std::size_t>(got));
    }
    constexpr std::string_view answer =
        "HTTP/1.1 404 Not Found\r\nContent-Length: 42\r\n\r\n"
        "{\"code\":\"not_found\",\"detail\":\"from afar\"}  ";
    EXPECT_GT(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL), 0);
    ::close(peer);
  });
  const Ran ran = run({"key", "show", "--data", data, "000000000000"});
  server.join();
  ::close(listener);
  EXPECT_EQ(ran.code, kNegative);
  EXPECT_NE(ran.err.find("from afar"), std::string::npos);
  EXPECT_TRUE(seen.starts_with("GET /api/v1/keys/000000000000 HTTP/1.1\r\n"));
  // The socket file is still there, but nobody listens: the command opens the directory itself.
  EXPECT_EQ(run({"key", "list", "--data", data}).code, kOk);
}

TEST_F(CommandTest, a_house_opens_its_world_with_what_is_stored) {
  init();
  ASSERT_EQ(add_credential().code, kOk);
  ASSERT_EQ(add_credential("openai-off").code, kOk);
  ASSERT_EQ(run({"credential", "disable", "--data", data, "openai-off"}).code, kOk);
  const std::string id = create_key({"--model", "gpt-5*"});
  SystemClock clock;
  SystemRng rng;
  auto house = House::open({data, {}, {}, store::Durability::process}, clock, rng);
  ASSERT_TRUE(house) << told(house.error());
  const auto world = (*house)->make_world(7);
  ASSERT_TRUE(world);
  EXPECT_EQ((*world)->generation, 7U);
  ASSERT_NE((*world)->keys.find(id), nullptr);
  EXPECT_EQ((*world)->keys.find(id)->scope->models, std::vector<std::string>{"gpt-5*"});
  const auto* in_force = (*world)->credential_named("openai-dev", "dev");
  const auto* disabled = (*world)->credential_named("openai-off", "dev");
  ASSERT_NE(in_force, nullptr);
  ASSERT_NE(disabled, nullptr);
  EXPECT_TRUE(in_force->usable);
  EXPECT_FALSE(disabled->usable);
  EXPECT_EQ((*world)->credential_named("openai-dev", "prod"), nullptr);
  EXPECT_EQ(House::open({data, {}, {}, store::Durability::process}, clock, rng).error().code,
            Code::data_in_use);
  EXPECT_TRUE((*house)->close());
}

// Every World after the first is made from the changes alone; it must be what all of the store would give.
TEST_F(CommandTest, a_world_made_from_changes_is_that_of_the_whole_store) {
  init();
  const std::string kept = create_key();
  SystemClock clock;
  SystemRng rng;
  std::unique_ptr<House> house =
      std::move(House::open({data, {}, {}, store::Durability::process}, clock, rng)).value();
  const auto first = house->make_world(1).value();
  identity::KeyDraft draft;
  draft.name = "late", draft.project = "p", draft.environment = "dev", draft.created_by = "test";
  draft.scope = R"({"models":["gpt-5*"]})";
  draft.id = identity::fresh_id(rng);
  ASSERT_TRUE(house->keys().create(draft));
  ASSERT_TRUE(house->keys().set_state(kept, identity::KeyState::frozen));
  const auto second = house->make_world(2).value();
  EXPECT_EQ(first->keys.find(draft.id), nullptr);
  EXPECT_EQ(first->keys.find(kept)->key.state, identity::KeyState::active);
  ASSERT_NE(second->keys.find(draft.id), nullptr);
  EXPECT_EQ(second->keys.find(draft.id)->scope->models, std::vector<std::string>{"gpt-5*"});
  EXPECT_EQ(second->keys.find(kept)->key.state, identity::KeyState::frozen);
  EXPECT_EQ(second->keys.size(), 2U);
  // A scope that cannot be read any longer opens nothing, and one that can again opens as before.
  const auto set_scope = [&](std::string_view text) {
    return house->store().write([&](store::Tx& tx) -> Result<void> {
      TRY_VOID(tx.run("UPDATE key SET scope = ?2 WHERE id = ?1", {draft.id, store::value(text)}));
      return {};
    });
  };
  ASSERT_TRUE(set_scope("damaged"));
  EXPECT_EQ(house->make_world(3).value()->keys.find(draft.id), nullptr);
  ASSERT_TRUE(set_scope("{}"));
  ASSERT_NE(house->make_world(4).value()->keys.find(draft.id), nullptr);
  EXPECT_TRUE(house->close());
}

TEST_F(CommandTest, a_key_whose_scope_is_damaged_opens_nothing) {
  init();
  const std::string id = create_key();
  SystemClock clock;
  SystemRng rng;
  const auto house = House::open({data, {}, {}, store::Durability::process}, clock, rng).value();
  ASSERT_TRUE(house->store().write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("UPDATE key SET scope = '{\"modells\":[]}' WHERE id = ?1", {id}));
    return {};
  }));
  EXPECT_EQ((*house->make_world(1))->keys.find(id), nullptr);
}

}  // namespace
}  // namespace claviger::app
