// Strict HTTP/1.1 heads.
#include "wire/http1.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.hpp"
#include "wire/byte_scan.hpp"
#include "wire/byte_words.hpp"

namespace claviger::wire {
namespace {

constexpr auto kToken = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = '0'; c <= '9'; ++c) table[c] = true;
  for (std::size_t c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<std::size_t>(c)] = true;
  return table;
}();

bool is_token_byte(char c) { return kToken[static_cast<unsigned char>(c)]; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Fields whose repetition lets two readers see two different messages.
constexpr NameSet kUnique(std::to_array<std::string_view>({
    "host",
    "content-length",
    "transfer-encoding",
    "authorization",
    "x-api-key",
    "api-key",
    "content-type",
    "x-goog-api-key",
    "expect",
}));

// A host and perhaps a port. What could be read as the end of an authority, or as user data, is refused.
bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '.' || c == '-' || c == '_' ||
           c == ':' || c == '[' || c == ']';
  });
}

}  // namespace

bool same_letters(std::string_view one, std::string_view other) {
  constexpr int kCase = 0x20;
  if (!one.empty() && ((one.front() ^ other.front()) & ~kCase) != 0) return false;  // most of them
  for (; one.size() >= 8; one.remove_prefix(8), other.remove_prefix(8))
    if (lower_word(load<std::uint64_t>(one.data())) != lower_word(load<std::uint64_t>(other.data())))
      return false;
  return lower_word(load_few(one)) == lower_word(load_few(other));
}

bool is_header_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_byte);
}

bool is_header_value(std::string_view text) {
  const char* end = text.data() + text.size();
  return find_stop<FieldStop>(text.data(), end) == end;
}

bool is_hop_by_hop(std::string_view name) {
  static constexpr NameSet kNames(std::to_array<std::string_view>({
      "connection",
      "keep-alive",
      "proxy-authenticate",
      "proxy-authorization",
      "proxy-connection",
      "te",
      "trailer",
      "transfer-encoding",
      "upgrade",
  }));
  return kNames.contains(name);
}

Header Headers::operator[](std::size_t i) const {
  check(i < size_, "a header that is asked for is there");
  const Span& span = spans_[i];
  return {{base_ + span.name_at, span.name_size}, {base_ + span.value_at, span.value_size}};
}

std::string_view Headers::find(std::string_view name) const {
  if (!may_have(name)) return {};
  for (std::size_t i = 0; i < size_; ++i)
    if (spans_[i].name_size == name.size() && same_name((*this)[i].name, name)) return (*this)[i].value;
  return {};
}

std::size_t Headers::count(std::string_view name) const {
  if (!may_have(name)) return 0;
  std::size_t found = 0;
  for (std::size_t i = 0; i < size_; ++i)
    if (spans_[i].name_size == name.size() && same_name((*this)[i].name, name)) ++found;
  return found;
}

bool Headers::connection_lists(std::string_view item) const {
  constexpr std::string_view kConnection = "connection";
  if (!may_have(kConnection)) return false;
  for (std::size_t i = 0; i < size_; ++i) {
    if (spans_[i].name_size != kConnection.size() || !same_name((*this)[i].name, kConnection)) continue;
    std::string_view list = (*this)[i].value;
    for (;;) {
      const std::size_t comma = list.find(',');
      if (same_name(trimmed(list.substr(0, comma)), item)) return true;
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }
  return false;
}

// Walks the lines of one head in byte order, so that the first offence decides, however the bytes were split.
class HeadParser {
 public:
  enum class Step { done, more, refused };

  HeadParser(std::string_view buffer, std::size_t start)
      : buffer_(buffer), head_(buffer.substr(0, start + limits::kHeadTotal)), at_(start) {}

  // The next line, without its end. more: it is not complete.
  Step line(std::size_t limit, Code too_long, std::string_view& out) {
    const char* begin = head_.data() + at_;
    const char* end = head_.data() + head_.size();
    const char* stop = find_stop<FieldStop>(begin, end);
    const auto size = static_cast<std::size_t>(stop - begin);
    if (size > limit) return no(too_long);
    if (stop == end) return more();
    if (*stop == '\n') return no(Code::malformed_request, "A line ends with a bare LF.");
    if (*stop != '\r') return no(Code::malformed_request, "The head has control bytes.");
    if (stop + 1 == end) return more();
    if (stop[1] != '\n') return no(Code::malformed_request, "A CR stands alone in the head.");
    out = head_.substr(at_, size);
    at_ += size + 2;
    return Step::done;
  }

  // All fields, up to and with the blank line.
  Step fields(Headers& out) {
    out.base_ = buffer_.data();
    out.size_ = 0;
    out.marks_ = 0;
    for (;;) {
      std::string_view text;
      if (const Step step = line(limits::kHeaderLine, Code::headers_too_large, text); step != Step::done)
        return step;
      if (text.empty()) return Step::done;
      if (const Step step = field(text, out); step != Step::done) return step;
    }
  }

  Step no(Code code, std::string say = {}) {
    code_ = code;
    say_ = std::move(say);
    return Step::refused;
  }
  std::unexpected<Error> refusal() { return refuse(code_, std::move(say_)); }
  std::size_t consumed() const { return at_; }

 private:
  // The head's bytes are at an end. When there are more behind its bound, it is too large.
  Step more() { return buffer_.size() > head_.size() ? no(Code::headers_too_large) : Step::more; }

  Step field(std::string_view text, Headers& out) {
    const auto colon =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_token_byte) - text.begin());
    if (colon == 0 && (text[0] == ' ' || text[0] == '\t'))
      return no(Code::malformed_request, "A header is folded over two lines.");
    if (colon == text.size()) return no(Code::malformed_request, "A header has no colon.");
    if (colon == 0 || text[colon] != ':')
      return no(Code::malformed_request, "A header's name is not a token.");
    if (out.size_ == limits::kHeaderCount) return no(Code::headers_too_large, "There are too many headers.");
    if (const Step step = mark(text.substr(0, colon)); step != Step::done) return step;
    out.marks_ |= Headers::bit_of(text.substr(0, colon));
    const std::string_view value = trimmed(text.substr(colon + 1));
    static_assert(limits::kHeadTotal <= 65536 &&
                  limits::kHeaderLine <= 65535);  // at least 4 bytes end the head
    const auto at = static_cast<std::uint16_t>(text.data() - buffer_.data());
    const auto value_at = static_cast<std::uint16_t>(value.data() - buffer_.data());
    out.spans_[out.size_++] = {at, static_cast<std::uint16_t>(colon), value_at,
                               static_cast<std::uint16_t>(value.size())};
    return Step::done;
  }

  // Refuses the second field of a name that must be unique.
  Step mark(std::string_view name) {
    const std::size_t which = kUnique.find(name);
    if (which == kUnique.names().size()) return Step::done;
    if ((seen_ >> which & 1) != 0)
      return no(Code::duplicate_header,
                fmt::format("The header '{}' was sent twice.", kUnique.names()[which]));
    seen_ |= 1U << which;
    return Step::done;
  }

  std::string_view buffer_;
  std::string_view head_;  // as much of it as a head may have
  std::size_t at_;
  std::uint32_t seen_ = 0;  // bit n: kUnique[n] was there
  Code code_ = Code::malformed_request;
  std::string say_;
};

namespace {

using Step = HeadParser::Step;

Step read_version(std::string_view version, HeadParser& parser) {
  if (version == "HTTP/1.1") return Step::done;
  const bool other = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                     version[6] == '.' && is_digit(version[7]);
  if (other) return parser.no(Code::unsupported_version);
  return parser.no(Code::malformed_request, "The request line does not end with a version.");
}

Step read_request_line(HeadParser& parser, RequestHead& out) {
  std::string_view line;
  if (const Step step = parser.line(limits::kRequestLine, Code::request_line_too_long, line);
      step != Step::done)
    return step;
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos)
    return parser.no(Code::malformed_request, "The request line is not complete.");
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, second - first - 1);
  if (!is_header_name(out.method)) return parser.no(Code::malformed_request, "The method is not a token.");
  if (const Step step = read_version(line.substr(second + 1), parser); step != Step::done) return step;
  const bool plain = std::all_of(out.target.begin(), out.target.end(),
                                 [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!out.target.starts_with('/') || !plain)
    return parser.no(Code::malformed_request,
                     "The request target must be an absolute path of visible ASCII.");
  return Step::done;
}

Step read_status_line(HeadParser& parser, ResponseHead& out, bool& old_version) {
  std::string_view line;
  if (const Step step = parser.line(limits::kHeaderLine, Code::headers_too_large, line); step != Step::done)
    return step;
  old_version = line.starts_with("HTTP/1.0 ");
  const bool shaped = line.size() >= 12 && (old_version || line.starts_with("HTTP/1.1 ")) &&
                      std::all_of(line.begin() + 9, line.begin() + 12, is_digit) && line[9] != '0' &&
                      (line.size() == 12 || line[12] == ' ');
  if (!shaped) return parser.no(Code::malformed_request, "The status line is not of HTTP/1.1.");
  out.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  out.reason = line.substr(std::min<std::size_t>(line.size(), 13));
  if (out.status == 101)
    return parser.no(Code::malformed_request, "The answer changes the protocol, unasked.");
  return Step::done;
}

bool read_length(std::string_view text, std::uint64_t& out) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return !text.empty() && is_digit(text.front()) && error == std::errc{} && stop == end;
}

// Body length and keep-alive of a head whose fields were read.
template <class Head>
Step read_framing(HeadParser& parser, Head& head) {
  head.framing = Framing::none;
  head.content_length = 0;
  head.keep_alive = !head.headers.connection_lists("close");
  const bool has_length = head.headers.has("content-length");
  const bool has_coding = head.headers.has("transfer-encoding");
  if (has_length && has_coding) return parser.no(Code::ambiguous_framing);
  if (has_length) {
    if (!read_length(head.headers.find("content-length"), head.content_length))
      return parser.no(Code::malformed_request, "Content-Length is not a plain number.");
    head.framing = Framing::length;
  } else if (has_coding) {
    if (!same_name(head.headers.find("transfer-encoding"), "chunked"))
      return parser.no(Code::unsupported_transfer, "The only transfer coding understood is 'chunked'.");
    head.framing = Framing::chunked;
  }
  return Step::done;
}

Step read_request(HeadParser& parser, RequestHead& out) {
  if (const Step step = read_request_line(parser, out); step != Step::done) return step;
  if (const Step step = parser.fields(out.headers); step != Step::done) return step;
  if (!is_host(out.headers.find("host")))
    return parser.no(Code::malformed_request, "The Host header is missing or names no host.");
  out.expect_continue = same_name(out.headers.find("expect"), "100-continue");
  if (!out.expect_continue && out.headers.has("expect")) return parser.no(Code::unsupported_expectation);
  if (const Step step = read_framing(parser, out); step != Step::done) return step;
  if (out.framing == Framing::chunked && out.headers.find("transfer-encoding") != "chunked")
    return parser.no(Code::unsupported_transfer, "The transfer coding must be spelled 'chunked'.");
  return Step::done;
}

Step read_response(HeadParser& parser, std::string_view method, ResponseHead& out) {
  bool old_version = false;
  if (const Step step = read_status_line(parser, out, old_version); step != Step::done) return step;
  if (const Step step = parser.fields(out.headers); step != Step::done) return step;
  if (const Step step = read_framing(parser, out); step != Step::done) return step;
  if (old_version) {
    if (out.framing == Framing::chunked)
      return parser.no(Code::unsupported_transfer, "An HTTP/1.0 answer has a transfer coding.");
    out.keep_alive = false;
  }
  const bool never_a_body = out.status < 200 || out.status == 204;
  if (never_a_body && (out.framing == Framing::chunked || out.content_length > 0)) {
    // Whether the announced body follows nobody can tell, so nothing may be read behind it.
    out.keep_alive = false;
    out.content_length = 0;
  }
  if (never_a_body || method == "HEAD" || out.status == 304) {
    out.framing = Framing::none;
  } else if (out.framing == Framing::none) {
    out.framing = Framing::until_close;
    out.keep_alive = false;
  }
  return Step::done;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace

Result<std::size_t> parse_request_head(std::string_view buffer, RequestHead& out) {
  HeadParser parser(buffer, buffer.starts_with("\r\n") ? 2 : 0);
  const Step step = read_request(parser, out);
  if (step == Step::refused) return parser.refusal();
  return step == Step::done ? parser.consumed() : 0;
}

Result<std::size_t> parse_response_head(std::string_view buffer, std::string_view request_method,
                                        ResponseHead& out) {
  HeadParser parser(buffer, 0);
  const Step step = read_response(parser, request_method, out);
  if (step == Step::done) return parser.consumed();
  if (step == Step::more) return 0;
  Error why = parser.refusal().error();
  return fail_upstream(Code::upstream_malformed,
                       why.say.empty() ? std::string(code_name(why.code)) : why.say);
}

void append_status_line(std::string& out, int status) {
  check(status >= 100 && status <= 999, "a status has three digits");
  char digits[4];
  out.append("HTTP/1.1 ").append(digits, std::to_chars(digits, digits + sizeof(digits), status).ptr);
  out.append(" ").append(reason_of(status)).append("\r\n");
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  check(is_header_name(name) && is_header_value(value), "a header that is written is one line");
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace claviger::wire
