// TLS: wrong, untrusted and expired certificates and old versions are refused; then bytes through.
#include "net/tls.hpp"

#include <gtest/gtest.h>

#include <array>

#include "net/tls_rig_test.hpp"

namespace claviger::net {
namespace {

struct Shake {
  bool done = false;
  Result<void> result;
};

Task<void> shake_server(Stream& stream, const TlsContext& context, Shake& shake) {
  shake.result = co_await stream.start_tls_server(context);
  shake.done = true;
}

Task<void> shake_client(Stream& stream, const TlsContext& context, std::string host, Shake& shake) {
  shake.result = co_await stream.start_tls_client(context, std::move(host));
  if (!shake.result) stream.abort();
  shake.done = true;
}

Task<void> shake_both(Loop& loop, Pair& both, const TlsContext& server, const TlsContext& client) {
  Shake ours;
  Shake theirs;
  loop.spawn(shake_server(*both.here, server, ours));
  co_await shake_client(*both.there, client, "localhost", theirs);
  co_await until(loop, ours.done);
  EXPECT_TRUE(ours.result.has_value());
  EXPECT_TRUE(theirs.result.has_value());
}

class TlsHandshakeTest : public TlsTest {
 protected:
  // The client's verdict on that server.
  Result<void> shake(const TlsContext& server, const TlsContext& client, const std::string& host) {
    Pair both = pair();
    Shake ours;
    Shake theirs;
    const auto test = [&]() -> Task<void> {
      loop.spawn(shake_server(*both.here, server, ours));
      co_await shake_client(*both.there, client, host, theirs);
      co_await until(loop, ours.done);
    };
    run(test());
    return theirs.result;
  }
  void expect_refused(const Result<void>& verdict, const std::string& why) {
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().code, Code::upstream_failed);
    EXPECT_NE(verdict.error().detail.find(why), std::string::npos) << verdict.error().detail;
  }

  // Both ends step by step: one of ours on the loop, and a plain OpenSSL session that may be of any version.
  struct RawVerdict {
    bool raw_done = false;
    Shake ours;
  };
  Task<void> drive_raw(SSL* raw, RawVerdict& verdict) {
    while (!verdict.raw_done || !verdict.ours.done) {
      if (!verdict.raw_done && SSL_do_handshake(raw) == 1) verdict.raw_done = true;
      if (verdict.ours.done && !verdict.ours.result) break;
      co_await loop.sleep_ns(0);
    }
  }
  RawVerdict against_raw_client(int version, const unsigned char* alpn, unsigned alpn_size) {
    const TlsContext context = server();
    Ends both = ends();
    std::unique_ptr<SSL_CTX, FreeOpenssl> settings(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(settings.get(), 0);
    SSL_CTX_set_min_proto_version(settings.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(settings.get(), version);
    if (alpn != nullptr) SSL_CTX_set_alpn_protos(settings.get(), alpn, alpn_size);
    std::unique_ptr<SSL, FreeOpenssl> raw(SSL_new(settings.get()));
    SSL_set_fd(raw.get(), both.peer.descriptor());
    SSL_set_connect_state(raw.get());
    RawVerdict verdict;
    const auto test = [&]() -> Task<void> {
      loop.spawn(shake_server(*both.stream, context, verdict.ours));
      co_await drive_raw(raw.get(), verdict);
    };
    run(test());
    return verdict;
  }
  RawVerdict against_raw_server(int version) {
    const TlsContext trusting = client();
    (void)server();  // writes the files
    Ends both = ends();
    std::unique_ptr<SSL_CTX, FreeOpenssl> settings(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_security_level(settings.get(), 0);
    SSL_CTX_set_min_proto_version(settings.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(settings.get(), version);
    SSL_CTX_use_certificate_chain_file(settings.get(), (folder / "server.pem").c_str());
    SSL_CTX_use_PrivateKey_file(settings.get(), (folder / "server.key").c_str(), SSL_FILETYPE_PEM);
    std::unique_ptr<SSL, FreeOpenssl> raw(SSL_new(settings.get()));
    SSL_set_fd(raw.get(), both.peer.descriptor());
    SSL_set_accept_state(raw.get());
    RawVerdict verdict;
    const auto test = [&]() -> Task<void> {
      loop.spawn(shake_client(*both.stream, trusting, "localhost", verdict.ours));
      co_await drive_raw(raw.get(), verdict);
    };
    run(test());
    return verdict;
  }
};

TEST_F(TlsHandshakeTest, a_certificate_for_another_host_is_refused) {
  expect_refused(shake(server(), client(), "other.test"), "hostname mismatch");
}

TEST_F(TlsHandshakeTest, a_certificate_for_another_address_is_refused) {
  expect_refused(shake(server(), client(), "127.0.0.2"), "IP address mismatch");
}

TEST_F(TlsHandshakeTest, a_wildcard_is_for_one_label_only) {
  expect_refused(shake(server(), client(), "a.b.example.test"), "hostname mismatch");
}

TEST_F(TlsHandshakeTest, a_certificate_of_an_unknown_authority_is_refused) {
  const Identity stranger = make_identity("", nullptr);
  const TlsContext context = server(make_identity(kNames, &stranger));
  expect_refused(shake(context, client(), "localhost"), "unable to get local issuer certificate");
}

TEST_F(TlsHandshakeTest, a_certificate_signed_by_itself_is_refused) {
  expect_refused(shake(server(make_identity(kNames, nullptr)), client(), "localhost"),
                 "self-signed certificate");
}

TEST_F(TlsHandshakeTest, an_authority_made_here_is_unknown_to_the_system) {
  const TlsContext of_system = TlsContext::client("").value();
  expect_refused(shake(server(), of_system, "localhost"), "unable to get local issuer certificate");
}

TEST_F(TlsHandshakeTest, an_expired_certificate_is_refused) {
  expect_refused(shake(server(Validity::expired), client(), "localhost"), "certificate has expired");
}

TEST_F(TlsHandshakeTest, a_certificate_that_is_not_valid_yet_is_refused) {
  expect_refused(shake(server(Validity::not_yet), client(), "localhost"), "not yet valid");
}

TEST_F(TlsHandshakeTest, a_client_of_tls_1_1_is_refused) {
  const RawVerdict verdict = against_raw_client(TLS1_1_VERSION, nullptr, 0);
  ASSERT_FALSE(verdict.ours.result.has_value());
  EXPECT_NE(verdict.ours.result.error().detail.find("unsupported protocol"), std::string::npos)
      << verdict.ours.result.error().detail;
  EXPECT_FALSE(verdict.raw_done);
}

TEST_F(TlsHandshakeTest, a_server_of_tls_1_1_is_refused) {
  const RawVerdict verdict = against_raw_server(TLS1_1_VERSION);
  ASSERT_FALSE(verdict.ours.result.has_value());
  EXPECT_FALSE(verdict.raw_done);
}

TEST_F(TlsHandshakeTest, a_client_of_tls_1_2_is_served) {
  EXPECT_TRUE(against_raw_client(TLS1_2_VERSION, nullptr, 0).ours.result.has_value());
}

TEST_F(TlsHandshakeTest, a_server_of_tls_1_2_is_taken) {
  EXPECT_TRUE(against_raw_server(TLS1_2_VERSION).ours.result.has_value());
}

TEST_F(TlsHandshakeTest, a_client_that_wants_http_2_alone_is_refused) {
  static constexpr unsigned char kHttp2[] = "\x02h2";
  EXPECT_FALSE(against_raw_client(TLS1_3_VERSION, kHttp2, 3).ours.result.has_value());
}

TEST_F(TlsHandshakeTest, a_client_that_offers_http_1_1_beside_http_2_is_served) {
  static constexpr unsigned char kBoth[] = "\x02h2\x08http/1.1";
  EXPECT_TRUE(against_raw_client(TLS1_3_VERSION, kBoth, 12).ours.result.has_value());
}

TEST_F(TlsHandshakeTest, plain_text_at_a_tls_listener_is_refused) {
  const TlsContext context = server();
  Ends both = ends();
  both.peer.send("GET / HTTP/1.1\r\nHost: gate\r\n\r\n");
  Shake shake;
  run(shake_server(*both.stream, context, shake));
  ASSERT_FALSE(shake.result.has_value());
  EXPECT_TRUE(both.stream->broken());
}

TEST_F(TlsHandshakeTest, a_handshake_that_does_not_go_on_fails_at_its_deadline) {
  const TlsContext context = client();
  Ends both = ends();
  both.stream->set_deadline(loop.now_ns());
  Shake shake;
  run(shake_client(*both.stream, context, "localhost", shake));
  ASSERT_FALSE(shake.result.has_value());
  EXPECT_EQ(shake.result.error().code, Code::upstream_timeout);
}

TEST_F(TlsHandshakeTest, a_host_is_taken_by_name_wildcard_and_address) {
  const TlsContext context = server();
  const TlsContext trusting = client();
  const auto test = [&]() -> Task<void> {
    for (const char* host : {"localhost", "api.example.test", "127.0.0.1"}) {
      Pair both = pair();
      Shake ours;
      Shake theirs;
      loop.spawn(shake_server(*both.here, context, ours));
      co_await shake_client(*both.there, trusting, host, theirs);
      co_await until(loop, ours.done);
      EXPECT_TRUE(theirs.result.has_value()) << host;
      EXPECT_TRUE(both.there->is_tls());
    }
  };
  run(test());
}

class TlsContextTest : public TlsTest {};

TEST_F(TlsContextTest, files_that_are_not_there_are_refused_with_a_sentence) {
  const auto no_server = TlsContext::server(folder / "absent.pem", folder / "absent.key");
  ASSERT_FALSE(no_server.has_value());
  EXPECT_EQ(no_server.error().code, Code::configuration);
  EXPECT_NE(no_server.error().say.find("absent.pem"), std::string::npos);
  const auto no_client = TlsContext::client(folder / "absent.pem");
  ASSERT_FALSE(no_client.has_value());
  EXPECT_EQ(no_client.error().code, Code::configuration);
}

TEST_F(TlsContextTest, the_key_of_another_certificate_is_refused) {
  (void)server();
  write_key(authority, folder / "other.key");
  const auto mixed = TlsContext::server(folder / "server.pem", folder / "other.key");
  ASSERT_FALSE(mixed.has_value());
  EXPECT_EQ(mixed.error().code, Code::configuration);
  EXPECT_NE(mixed.error().say.find("other.key"), std::string::npos);
}

class TlsStreamTest : public TlsTest {
 protected:
  TlsStreamTest() : server_context(server()), client_context(client()), both(tcp_pair()) {}
  TlsContext server_context;
  TlsContext client_context;
  Pair both;
};

Task<void> tls_write(Stream& to, std::string_view text, bool& done) {
  const auto sent = co_await to.write("", text);
  EXPECT_TRUE(sent.has_value());
  done = true;
}

Task<void> tls_read(Stream& from, std::size_t size, std::string& into, bool& done) {
  std::array<char, 20'000> buffer;
  while (into.size() < size) {
    const auto got = co_await from.read_some(buffer.data(), buffer.size());
    EXPECT_TRUE(got && *got > 0);
    if (!got || *got == 0) break;
    into.append(buffer.data(), *got);
  }
  done = true;
}

TEST_F(TlsStreamTest, a_connection_cut_without_farewell_is_no_proper_end) {
  const auto test = [&]() -> Task<void> {
    co_await shake_both(loop, both, server_context, client_context);
    both.here->abort();
    char byte = 0;
    const auto got = co_await both.there->read_some(&byte, 1);
    EXPECT_FALSE(got.has_value());
    if (!got) EXPECT_EQ(got.error().code, Code::upstream_failed);
  };
  run(test());
}

TEST_F(TlsStreamTest, a_finished_connection_ends_properly) {
  const auto test = [&]() -> Task<void> {
    co_await shake_both(loop, both, server_context, client_context);
    const auto sent = co_await both.here->write("bye");
    EXPECT_TRUE(sent.has_value());
    both.here->finish();
    std::string text;
    bool done = false;
    co_await tls_read(*both.there, 3, text, done);
    EXPECT_EQ(text, "bye");
    char byte = 0;
    const auto end = co_await both.there->read_some(&byte, 1);
    EXPECT_TRUE(end && *end == 0);
  };
  run(test());
}

TEST_F(TlsStreamTest, megabytes_pass_both_ways_with_back_pressure) {
  std::string part(9'973, '\0');
  for (std::size_t i = 0; i < part.size(); ++i) part[i] = static_cast<char>(i * i % 251);
  std::string much;
  while (much.size() < 10'000'000) much += part;
  std::string there;
  std::string here;
  std::array<bool, 4> done{};
  const auto test = [&]() -> Task<void> {
    co_await shake_both(loop, both, server_context, client_context);
    loop.spawn(tls_write(*both.here, much, done[0]));
    co_await settle(loop);
    EXPECT_FALSE(done[0]) << "nobody reads, yet all of it was taken";
    loop.spawn(tls_read(*both.there, much.size(), there, done[1]));
    co_await until(loop, done[0]);
    co_await until(loop, done[1]);
    loop.spawn(tls_write(*both.there, much, done[2]));
    loop.spawn(tls_read(*both.here, much.size(), here, done[3]));
    co_await until(loop, done[2]);
    co_await until(loop, done[3]);
  };
  run(test());
  EXPECT_TRUE(there == much);
  EXPECT_TRUE(here == much);
}

TEST_F(TlsStreamTest, an_idle_session_is_quiet_although_tickets_came) {
  const auto test = [&]() -> Task<void> {
    co_await shake_both(loop, both, server_context, client_context);
    co_await settle(loop);
    EXPECT_TRUE(both.there->quiet());
    const auto sent = co_await both.here->write("unasked");
    EXPECT_TRUE(sent.has_value());
    co_await settle(loop);
    EXPECT_FALSE(both.there->quiet());
  };
  run(test());
}

}  // namespace
}  // namespace claviger::net
