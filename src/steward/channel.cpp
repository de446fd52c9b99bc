// Messages in the shapes of their receivers, and judging their answers.
#include "steward/channel.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

#include "base/encoding.hpp"
#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "crypto/hmac.hpp"
#include "crypto/wipe.hpp"
#include "provider/glob.hpp"

namespace claviger::steward {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Before attempt 2, 3, ...
constexpr std::array<std::chrono::seconds, limits::kNotifyAttempts - 1> kPauses{
    seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10), hours(14), hours(20), hours(24)};
constexpr std::size_t kSummary = 1'024;  // PagerDuty's bound

std::string_view severity_name(Severity severity) {
  constexpr std::string_view names[] = {"info", "warning", "critical"};
  return names[static_cast<std::size_t>(severity)];
}

std::string_view clipped(std::string_view text, std::size_t most) { return text.substr(0, most); }

// What is too long to go out is left out; the reader finds it at the incident or alert.
std::string_view data_of(const Notice& notice) {
  return notice.data.empty() || notice.data.size() > limits::kNotifyBody / 2 ? "{}"
                                                                             : std::string_view(notice.data);
}

std::string slack_body(const Message& message) {
  const Notice& notice = message.notice;
  std::string text;
  for (const char c :
       fmt::format("[{}] {} ({})", severity_name(notice.severity), notice.summary, notice.thread)) {
    if (c == '&')
      text += "&amp;";
    else if (c == '<')
      text += "&lt;";
    else if (c == '>')
      text += "&gt;";
    else
      text += c;
  }
  std::string body;
  JsonWriter(body).open('{').field("text", clipped(text, limits::kNotifyBody / 2)).close('}');
  return body;
}

std::string event_body(const Message& message) {
  const Notice& notice = message.notice;
  const std::string at = format_time(notice.at);
  std::string body;
  JsonWriter out(body);
  out.open('{');
  out.field("specversion", "1.0").field("id", message.uid).field("source", "urn:claviger");
  out.field("type", "claviger." + notice.type).field("time", at).field("timestamp", at);
  out.field("subject", notice.subject).field("datacontenttype", "application/json");
  out.key("data").open('{');
  out.field("summary", notice.summary).field("severity", severity_name(notice.severity));
  out.field("thread", notice.thread).field_bool("over", notice.over);
  out.key("particulars").raw(data_of(notice));
  out.close('}').close('}');
  return body;
}

std::string pager_body(const Channel& channel, const Message& message) {
  const Notice& notice = message.notice;
  std::string body;
  JsonWriter out(body);
  out.open('{');
  out.field("routing_key", channel.secrets.empty() ? std::string_view() : channel.secrets.front());
  out.field("event_action", notice.over ? "resolve" : "trigger")
      .field("dedup_key", clipped(notice.thread, 255));
  out.key("payload").open('{');
  out.field("summary", clipped(notice.summary, kSummary)).field("source", "claviger");
  out.field("severity", severity_name(notice.severity)).field("timestamp", format_time(notice.at));
  out.field("component", notice.subject).field("class", notice.type);
  out.key("custom_details").raw(data_of(notice));
  out.close('}').close('}');
  return body;
}

// Standard Webhooks: every secret signs, so that the receiver may change to a new one at its leisure.
void sign(const Channel& channel, const Message& message, Time now, OutsideCall& call) {
  const std::string at = std::to_string(now.ns / 1'000'000'000);
  std::string signatures;
  for (const std::string& secret : channel.secrets) {
    const Digest mac =
        crypto::HmacSha256(as_bytes(secret)).mac(fmt::format("{}.{}.{}", message.uid, at, call.body));
    signatures += fmt::format("{}v1,{}", signatures.empty() ? "" : " ", base64(mac));
  }
  call.headers.emplace_back("webhook-id", message.uid);
  call.headers.emplace_back("webhook-timestamp", at);
  call.headers.emplace_back("webhook-signature", signatures);
}

std::optional<seconds> retry_after(const OutsideAnswer& answer) {
  const std::string_view text = answer.header("retry-after");
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size() || value < 0)
    return std::nullopt;
  return seconds(std::min(value, limits::kNotifyRetryLongestMs / 1'000));
}

// A fifth more or less, so that those who failed together do not come back together.
std::chrono::nanoseconds jittered(std::chrono::nanoseconds pause, Rng& rng) {
  std::array<std::uint8_t, 2> bytes{};
  rng.fill(bytes);
  const std::int64_t share = (bytes[0] * 256 + bytes[1]) % 401 - 200;  // per mille
  return pause + pause / 1'000 * share;
}

// RFC 5322's date.
std::string mail_date(Time at) {
  using namespace std::chrono;
  const auto time = floor<seconds>(sys_time<nanoseconds>(nanoseconds(at.ns)));
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

// One line of a mail's head: no line end gets in, and what is not ASCII is encoded (RFC 2047).
std::string header_text(std::string_view text) {
  std::string plain;
  bool ascii = true;
  for (const char c : clipped(text, 180)) {
    plain += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    ascii &= static_cast<unsigned char>(c) < 0x7f;
  }
  if (ascii) return plain;
  std::string out;
  for (std::string_view rest = plain; !rest.empty();) {
    std::size_t size = std::min<std::size_t>(rest.size(), 42);
    while (size < rest.size() && size > 0 && (static_cast<unsigned char>(rest[size]) & 0xc0) == 0x80) --size;
    if (size == 0) size = std::min<std::size_t>(rest.size(), 42);
    out +=
        fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", base64(as_bytes(rest.substr(0, size))));
    rest.remove_prefix(size);
  }
  return out;
}

}  // namespace

std::string_view name_of(ChannelKind kind) {
  constexpr std::string_view names[] = {"slack", "cloudevents", "smtp", "pagerduty"};
  return names[static_cast<std::size_t>(kind)];
}

Channel::~Channel() {
  for (std::string& secret : secrets) crypto::wipe(secret);
  crypto::wipe(url.target);
}

bool Channel::wants(std::string_view type) const {
  if (events.empty()) return true;
  for (const std::string& glob : events)
    if (provider::glob_match(glob, type)) return true;
  return false;
}

std::string Channel::place() const {
  if (kind == ChannelKind::smtp) return fmt::format("{}:{}", host, port);
  return url.base.substr(url.base.find("//") + 2);
}

OutsideCall call_of(const Channel& channel, const Message& message, Time now) {
  OutsideCall call;
  call.base = channel.url.base;
  call.target = channel.url.target;
  call.timeout_ms = limits::kNotifyTimeoutMs;
  call.most = limits::kErrorBody;
  const bool event = channel.kind == ChannelKind::cloudevents;
  call.headers = {{"content-type", event ? "application/cloudevents+json" : "application/json"},
                  {"user-agent", "claviger"}};
  if (event) {
    call.body = event_body(message);
    sign(channel, message, now, call);
  } else {
    call.body = channel.kind == ChannelKind::slack ? slack_body(message) : pager_body(channel, message);
  }
  return call;
}

Mail mail_of(const Channel& channel, const Message& message, Time now) {
  const Notice& notice = message.notice;
  Mail mail;
  mail.host = channel.host;
  mail.port = channel.port;
  mail.tls = channel.tls;
  mail.user = channel.user;
  if (!channel.secrets.empty()) mail.password = channel.secrets.front();
  mail.from = channel.from;
  mail.to = channel.to;
  std::string to;
  for (const std::string& one : channel.to) to.append(to.empty() ? "" : ", ").append(one);
  const std::size_t at = std::min(channel.from.find('@'), channel.from.size());
  mail.text = fmt::format("From: {}\r\nTo: {}\r\nDate: {}\r\nMessage-ID: <{}{}>\r\n", channel.from, to,
                          mail_date(now), message.uid, channel.from.substr(at));
  mail.text += fmt::format("Subject: {}\r\n", header_text(fmt::format("[claviger] {}", notice.summary)));
  mail.text +=
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
      "Auto-Submitted: auto-generated\r\n\r\n";
  const std::string encoded =
      base64(as_bytes(fmt::format("{}\n\nseverity: {}\nsubject: {}\nevent: {}\nthread: {}\ntime: {}\n\n{}\n",
                                  notice.summary, severity_name(notice.severity), notice.subject, notice.type,
                                  notice.thread, format_time(notice.at), data_of(notice))));
  for (std::size_t i = 0; i < encoded.size(); i += 76) mail.text += encoded.substr(i, 76) + "\r\n";
  return mail;
}

Result<std::string> read_signing_secret(std::string_view text) {
  constexpr std::string_view kPrefix = "whsec_";
  const auto bytes = text.starts_with(kPrefix) ? unbase64(text.substr(kPrefix.size())) : std::nullopt;
  if (!bytes || bytes->size() < 24 || bytes->size() > 64)
    return refuse(Code::invalid_input, "a signing secret is whsec_ and the base64 of 24 to 64 random bytes");
  return std::string(as_text(*bytes));
}

Judgement judge(const Result<OutsideAnswer>& answer, std::int64_t attempt, Time now, Rng& rng) {
  using Fate = Judgement::Fate;
  const int status = answer ? answer->status : 0;
  if (status >= 200 && status < 300) return {Fate::sent, {}, {}};
  Judgement out;
  out.problem = answer ? fmt::format("status {}", status) : std::string(code_name(answer.error().code));
  if (status == 410) {
    out.fate = Fate::gone;
    return out;
  }
  const bool hopeless =
      !answer && (answer.error().code == Code::private_address || answer.error().code == Code::invalid_input);
  if (hopeless || attempt >= limits::kNotifyAttempts) {
    out.fate = Fate::dead;
    return out;
  }
  out.fate = status == 429 || status == 502 || status == 504 ? Fate::pause : Fate::retry;
  auto pause = jittered(kPauses[static_cast<std::size_t>(std::max<std::int64_t>(attempt, 1) - 1)], rng);
  const auto asked = answer ? retry_after(*answer) : std::nullopt;
  if (asked && *asked > pause) pause = *asked;
  out.next = now + pause;
  return out;
}

}  // namespace claviger::steward
