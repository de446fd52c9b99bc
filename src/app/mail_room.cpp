// One mail: EHLO, TLS, login, envelope, text.
#include "app/mail_room.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "crypto/wipe.hpp"
#include "net/stream.hpp"

namespace claviger::app {

using steward::Mail;
using steward::MailTls;

struct SmtpRoom::Errand {
  Mail mail;
  std::vector<std::string> private_hosts;
  std::function<void(Result<void>)> done;
  ~Errand() { crypto::wipe(mail.password); }
};

namespace {

constexpr std::size_t kReply = 16 * 1024;  // of one command

std::unexpected<Error> odd(std::string_view at, int code) {
  return fail_upstream(code == 0 ? Code::upstream_malformed : Code::upstream_failed,
                       fmt::format("the mail server answered {} with {}", at, code),
                       fmt::format("The mail server answered {} with {}.", at, code));
}

// A connection to a mail server, line by line.
struct Talk {
  const Mail& mail;
  const net::TlsContext& tls;
  net::Loop& loop;
  std::vector<net::Address> addresses;
  Result<void> result = fail(Code::shutting_down, "the mail was broken off");
  std::unique_ptr<net::Stream> stream = nullptr;
  std::string in = {};
};

struct Reply {
  int code = 0;
  std::string text;
};

// A whole reply, of one line or several.
net::Task<Result<Reply>> read_reply(Talk& it) {
  Reply reply;
  char piece[2048];
  for (;;) {
    const std::size_t end = it.in.find("\r\n");
    if (end == std::string::npos) {
      if (it.in.size() > kReply) co_return odd("a command", 0);
      CO_TRY(const std::size_t got, co_await it.stream->read_some(piece, sizeof(piece)));
      if (got == 0) co_return fail_upstream(Code::upstream_failed, "the mail server hung up");
      it.in.append(piece, got);
      continue;
    }
    const std::string line = it.in.substr(0, end);
    it.in.erase(0, end + 2);
    const bool digits = line.size() >= 3 && line.find_first_not_of("0123456789") >= 3;
    if (!digits || reply.text.size() > kReply) co_return odd("a command", 0);
    reply.code = std::stoi(line.substr(0, 3));
    reply.text += line.substr(std::min<std::size_t>(4, line.size())) + "\n";
    if (line.size() == 3 || line[3] != '-') co_return reply;
  }
}

// Sends a line and expects a reply of that hundred. `what` names it in errors: the line may be a secret.
net::Task<Result<Reply>> command(Talk& it, std::string line, std::string_view what, int hundred) {
  const auto sent = co_await it.stream->write(line);
  crypto::wipe(line);
  if (!sent) co_return std::unexpected(sent.error());
  CO_TRY(Reply reply, co_await read_reply(it));
  if (reply.code / 100 != hundred) co_return odd(what, reply.code);
  co_return reply;
}

net::Task<Result<void>> greet(Talk& it) {
  CO_TRY(const Reply hello, co_await read_reply(it));
  if (hello.code != 220) co_return odd("the connection", hello.code);
  co_return Result<void>{};
}

// Nothing of the mail is said before the certificate was seen. What the server sent ahead of TLS is dropped.
net::Task<Result<void>> secure(Talk& it) {
  if (it.mail.tls == MailTls::implicit) {
    CO_TRY_VOID(co_await it.stream->start_tls_client(it.tls, it.mail.host));
    CO_TRY_VOID(co_await greet(it));
  } else {
    CO_TRY_VOID(co_await greet(it));
    std::string hello = "EHLO claviger\r\n";
    CO_TRY_VOID(co_await command(it, std::move(hello), "EHLO", 2));
    std::string start = "STARTTLS\r\n";
    CO_TRY_VOID(co_await command(it, std::move(start), "STARTTLS", 2));
    it.in.clear();
    CO_TRY_VOID(co_await it.stream->start_tls_client(it.tls, it.mail.host));
  }
  std::string hello = "EHLO claviger\r\n";
  CO_TRY_VOID(co_await command(it, std::move(hello), "EHLO", 2));
  co_return Result<void>{};
}

net::Task<Result<void>> log_in(Talk& it) {
  if (it.mail.user.empty()) co_return Result<void>{};
  std::string plain;
  plain.reserve(it.mail.user.size() + it.mail.password.size() + 2);
  plain.append(1, '\0').append(it.mail.user).append(1, '\0').append(it.mail.password);
  std::string encoded = base64(as_bytes(plain));
  crypto::wipe(plain);
  std::string line = fmt::format("AUTH PLAIN {}\r\n", encoded);
  crypto::wipe(encoded);
  CO_TRY_VOID(co_await command(it, std::move(line), "AUTH", 2));
  co_return Result<void>{};
}

// A dot at the beginning of a line is doubled; a line with nothing but a dot ends the text.
std::string dotted(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.' && (i == 0 || text[i - 1] == '\n')) out += '.';
    out += text[i];
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out + ".\r\n";
}

net::Task<Result<void>> deliver(Talk& it) {
  std::string from = fmt::format("MAIL FROM:<{}>\r\n", it.mail.from);
  CO_TRY_VOID(co_await command(it, std::move(from), "MAIL FROM", 2));
  for (const std::string& one : it.mail.to) {
    std::string to = fmt::format("RCPT TO:<{}>\r\n", one);
    CO_TRY_VOID(co_await command(it, std::move(to), "RCPT TO", 2));
  }
  std::string data = "DATA\r\n";
  CO_TRY_VOID(co_await command(it, std::move(data), "DATA", 3));
  std::string text = dotted(it.mail.text);
  CO_TRY_VOID(co_await command(it, std::move(text), "the text", 2));
  co_return Result<void>{};
}

net::Task<Result<void>> talk(Talk& it) {
  const std::int64_t now = it.loop.now_ns();
  const std::int64_t end = now + limits::kNotifyTimeoutMs * 1'000'000;
  CO_TRY(it.stream, co_await net::Stream::connect(it.loop, it.addresses, end));
  it.stream->set_deadline(end);
  CO_TRY_VOID(co_await secure(it));
  CO_TRY_VOID(co_await log_in(it));
  CO_TRY_VOID(co_await deliver(it));
  const std::string quit = "QUIT\r\n";
  (void)co_await it.stream->write(quit);  // it has the mail, whatever becomes of this
  co_return Result<void>{};
}

net::Task<void> run(Talk& it) {
  it.result = co_await talk(it);
  it.loop.stop();
}

}  // namespace

SmtpRoom::SmtpRoom(net::Loop& home, const net::TlsContext& tls, std::vector<std::string> private_hosts)
    : home_(home),
      tls_(tls),
      private_hosts_(std::move(private_hosts)),
      workers_(std::make_unique<net::Workers>(1)) {}

SmtpRoom::~SmtpRoom() { close(); }

void SmtpRoom::close() {
  {
    const std::scoped_lock lock(lock_);
    closed_ = true;
    for (net::Loop* loop : running_) loop->stop();
  }
  workers_.reset();
}

void SmtpRoom::send(Mail mail, std::function<void(Result<void>)> done) {
  auto errand = std::make_shared<Errand>(Errand{std::move(mail), private_hosts_, std::move(done)});
  const auto answer = [this, errand](Result<void> result) {
    auto kept = std::make_shared<Result<void>>(std::move(result));
    home_.post([errand, kept] { errand->done(std::move(*kept)); });
  };
  if (!workers_) return answer(fail(Code::shutting_down, "the steward has ended"));
  workers_->submit([this, errand, answer] { answer(carry(*errand)); });
}

Result<void> SmtpRoom::carry(Errand& errand) {
  const Mail& mail = errand.mail;
  const net::HostPort where{mail.host, mail.port};
  std::vector<net::Address> addresses(1);
  if (!net::numeric_address(where, addresses.front())) {
    TRY(addresses, net::resolve(where));
  }
  std::vector<std::string> ips;
  for (const net::Address& address : addresses) ips.push_back(address.ip());
  TRY_VOID(steward::check_reach(mail.host, ips, errand.private_hosts));
  net::Loop loop;
  {
    const std::scoped_lock lock(lock_);
    if (closed_) return fail(Code::shutting_down, "the steward has ended");
    running_.insert(&loop);
  }
  Talk it{mail, tls_, loop, std::move(addresses)};
  loop.spawn(run(it));
  loop.run();
  loop.destroy_tasks();
  it.stream.reset();  // it belongs to the loop
  const std::scoped_lock lock(lock_);
  running_.erase(&loop);
  return std::move(it.result);
}

}  // namespace claviger::app
