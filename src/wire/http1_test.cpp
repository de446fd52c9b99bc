// Tests of HTTP/1.1 request heads.
#include "wire/http1.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace claviger::wire {
namespace {

// A request whose fields are Host and `more` (whole lines).
std::string with(std::string_view more, std::string_view line = "POST /v1/messages HTTP/1.1") {
  return std::string(line).append("\r\nHost: h\r\n").append(more).append("\r\n");
}

std::string_view code_of(const Result<std::size_t>& read) {
  return read ? std::string_view(*read == 0 ? "(more)" : "(accepted)") : code_name(read.error().code);
}

// Expects the refusal of the whole, and that every beginning is either not enough or refused alike.
void expect_refused(const std::string& text, std::string_view code) {
  SCOPED_TRACE(text.substr(0, 100));
  RequestHead head;
  const auto whole = parse_request_head(text, head);
  ASSERT_EQ(code_of(whole), code);
  EXPECT_EQ(whole.error().origin, Origin::client);
  const std::size_t first = text.size() > 2000 ? text.size() - 2000 : 0;
  for (std::size_t cut = first; cut < text.size(); ++cut) {
    const auto part = parse_request_head(std::string_view(text).substr(0, cut), head);
    if (part && *part == 0) continue;
    ASSERT_EQ(code_of(part), code) << "at " << cut;
  }
}

// Expects `text` to be one whole head, and every shorter beginning to be not enough.
RequestHead expect_accepted(const std::string& text) {
  SCOPED_TRACE(text.substr(0, 100));
  RequestHead head;
  const std::size_t first = text.size() > 2000 ? text.size() - 2000 : 0;
  for (std::size_t cut = first; cut < text.size(); ++cut)
    EXPECT_EQ(code_of(parse_request_head(std::string_view(text).substr(0, cut), head)), "(more)")
        << "at " << cut;
  const auto whole = parse_request_head(text, head);
  EXPECT_EQ(code_of(whole), "(accepted)");
  EXPECT_EQ(whole.value_or(0), text.size());
  return head;
}

TEST(RequestHead, refuses_a_bare_lf_anywhere) {
  expect_refused("GET / HTTP/1.1\nHost: h\r\n\r\n", "malformed_request");
  expect_refused("GET / HTTP/1.1\r\nHost: h\n\r\n", "malformed_request");
  expect_refused("GET / HTTP/1.1\r\nHost: h\r\n\n", "malformed_request");
  expect_refused("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "malformed_request");
  expect_refused(with("A: b\nTransfer-Encoding: chunked\r\n"), "malformed_request");
}

TEST(RequestHead, refuses_a_cr_that_stands_alone) {
  expect_refused(with("A: b\rc\r\n"), "malformed_request");
  expect_refused(with("A\r: b\r\n"), "malformed_request");
  expect_refused("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", "malformed_request");
  expect_refused("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", "malformed_request");
}

TEST(RequestHead, refuses_every_control_byte_but_tab_in_a_value) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = with(std::string("A: b") + static_cast<char>(byte) + "c\r\n");
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    if (control)
      expect_refused(text, "malformed_request");
    else
      EXPECT_EQ(expect_accepted(text).headers.find("a").size(), 3U) << byte;
  }
}

TEST(RequestHead, refuses_every_byte_that_is_no_token_in_a_name) {
  const std::string token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int byte = 0; byte < 256; ++byte) {
    if (byte == ':') continue;
    const char c = static_cast<char>(byte);
    const std::string text = with(std::string("A") + c + "b: c\r\n");
    if (token.find(c) == std::string::npos)
      expect_refused(text, "malformed_request");
    else
      expect_accepted(text);
  }
}

TEST(RequestHead, refuses_folded_lines_and_misshapen_fields) {
  expect_refused(with("A: b\r\n c\r\n"), "malformed_request");
  expect_refused(with("A: b\r\n\tc\r\n"), "malformed_request");
  expect_refused("GET / HTTP/1.1\r\n Host: h\r\n\r\n", "malformed_request");
  expect_refused(with("A : b\r\n"), "malformed_request");
  expect_refused(with("A\t: b\r\n"), "malformed_request");
  expect_refused(with(": b\r\n"), "malformed_request");
  expect_refused(with("A\r\n"), "malformed_request");
}

TEST(RequestHead, refuses_misshapen_request_lines) {
  for (const char* line :
       {"", "GET", "GET /", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET /  HTTP/1.1",
        "GET\t/\tHTTP/1.1", "GET / HTTP/1.1 x", "GET / http/1.1", "GET / HTTP/11", "GET / HTTP/1.x",
        "GET / HTTP/a.1", "GET / HTTP/1.10", "G(T / HTTP/1.1", "G\xc3\xa9T / HTTP/1.1"})
    expect_refused(with("", line), "malformed_request");
}

TEST(RequestHead, refuses_targets_that_are_no_plain_path) {
  for (const char* target : {"*", "http://h/", "h:443", "/a#b", "/\x7f", "/\xc3\xa9", "?a", "/a\tb"})
    expect_refused(with("", std::string("GET ").append(target).append(" HTTP/1.1")), "malformed_request");
}

TEST(RequestHead, refuses_other_versions) {
  for (const char* version : {"HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2"})
    expect_refused(with("", std::string("GET / ").append(version)), "unsupported_version");
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "unsupported_version");
}

TEST(RequestHead, refuses_a_missing_empty_or_strange_host) {
  expect_refused("GET / HTTP/1.1\r\n\r\n", "malformed_request");
  expect_refused("GET / HTTP/1.1\r\nA: b\r\n\r\n", "malformed_request");
  for (const char* host : {"", " ", "a b", "a,b", "a/b", "u@a", "a?b", "a#b", "a\\b"})
    expect_refused(std::string("GET / HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n"),
                   "malformed_request");
  for (const char* host : {"h", "api.example.com:8080", "[::1]:80", "127.0.0.1", "my_host"})
    expect_accepted(std::string("GET / HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n"));
}

TEST(RequestHead, refuses_a_second_field_of_what_must_be_unique) {
  for (const char* name : {"Content-Length", "Transfer-Encoding", "Authorization", "X-Api-Key",
                           "x-goog-api-key", "API-KEY", "Content-Type", "Expect"}) {
    const std::string value = name[0] == 'T' ? "chunked" : name[0] == 'E' ? "100-continue" : "1";
    std::string lower(name);
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    const std::string one = std::string(name) + ": " + value + "\r\n", two = lower + ": " + value + "\r\n";
    expect_accepted(with(one));
    expect_refused(with(one + two), "duplicate_header");
    expect_refused(with(one + "Accept: a\r\n" + two), "duplicate_header");
  }
  expect_refused(with("HOST: h\r\n"), "duplicate_header");
  EXPECT_EQ(expect_accepted(with("Accept: a\r\nAccept: b\r\n")).headers.count("accept"), 2U);
}

TEST(RequestHead, refuses_two_ways_to_say_how_long_the_body_is) {
  expect_refused(with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), "ambiguous_framing");
  expect_refused(with("transfer-encoding: chunked\r\ncontent-length: 0\r\n"), "ambiguous_framing");
  expect_refused(with("Transfer-Encoding: identity\r\nContent-Length: 1\r\n"), "ambiguous_framing");
}

TEST(RequestHead, refuses_transfer_codings_other_than_chunked) {
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, chunked", "identity", "", "chunked;q=1",
                             "xchunked", "Chunked", "\"chunked\"",
                             "\x0b"
                             "chunked"})
    expect_refused(with(std::string("Transfer-Encoding: ").append(coding).append("\r\n")),
                   coding[0] == '\x0b' ? "malformed_request" : "unsupported_transfer");
}

TEST(RequestHead, refuses_lengths_that_are_no_plain_numbers) {
  for (const char* length : {"", "+1", "-1", "1,1", "1, 1", "0x1", "1 1", "1.0", "1e3", "a",
                             "18446744073709551616", "99999999999999999999999"})
    expect_refused(with(std::string("Content-Length: ").append(length).append("\r\n")), "malformed_request");
}

TEST(RequestHead, refuses_expectations_it_does_not_know) {
  expect_refused(with("Expect: 200-ok\r\n"), "unsupported_expectation");
  expect_refused(with("Expect:\r\n"), "unsupported_expectation");
  EXPECT_TRUE(expect_accepted(with("Expect: 100-Continue\r\n")).expect_continue);
  EXPECT_FALSE(expect_accepted(with("")).expect_continue);
}

TEST(RequestHead, bounds_the_request_line) {
  const auto line = [](std::size_t size) { return "GET /" + std::string(size - 14, 'x') + " HTTP/1.1"; };
  ASSERT_EQ(line(100).size(), 100U);
  expect_accepted(with("", line(limits::kRequestLine - 1)));
  expect_accepted(with("", line(limits::kRequestLine)));
  expect_refused(with("", line(limits::kRequestLine + 1)), "request_line_too_long");
  expect_refused(std::string(limits::kRequestLine + 1, 'x'), "request_line_too_long");
}

TEST(RequestHead, bounds_a_header_line) {
  const auto line = [](std::size_t size) { return "A: " + std::string(size - 3, 'x') + "\r\n"; };
  expect_accepted(with(line(limits::kHeaderLine - 1)));
  const RequestHead head = expect_accepted(with(line(limits::kHeaderLine)));
  EXPECT_EQ(head.headers.size(), 2U);
  expect_refused(with(line(limits::kHeaderLine + 1)), "headers_too_large");
  expect_refused(with(std::string(limits::kHeaderLine + 1, 'x')), "headers_too_large");
}

// A head of exactly `size` bytes.
std::string head_of(std::size_t size) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  while (text.size() + 10'000 < size - 2) text.append("A: ").append(9'995, 'x').append("\r\n");
  const std::size_t left = size - text.size() - std::string_view("B: \r\n\r\n").size();
  text.append("B: ").append(left, 'x').append("\r\n\r\n");
  return text;
}

TEST(RequestHead, bounds_the_whole_head) {
  ASSERT_EQ(head_of(limits::kHeadTotal).size(), limits::kHeadTotal);
  expect_accepted(head_of(limits::kHeadTotal - 1));
  expect_accepted(head_of(limits::kHeadTotal));
  expect_refused(head_of(limits::kHeadTotal + 1), "headers_too_large");
  expect_refused(head_of(limits::kHeadTotal + 50), "headers_too_large");
}

TEST(RequestHead, finds_the_last_field_of_the_largest_head_behind_a_blank_line) {
  std::string text = head_of(limits::kHeadTotal - 4);
  text.insert(text.size() - 2, "z:\r\n");
  ASSERT_EQ(text.size(), limits::kHeadTotal);
  text.insert(0, "\r\n");
  RequestHead head;
  ASSERT_EQ(code_of(parse_request_head(text, head)), "(accepted)");
  EXPECT_TRUE(head.headers.has("z"));
  EXPECT_EQ(head.headers.find("host"), "h");
  EXPECT_EQ(head.headers.find("z"), "");
}

TEST(RequestHead, bounds_the_number_of_fields) {
  const auto fields = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 1; i < count; ++i) text += "A: b\r\n";
    return with(text);
  };
  EXPECT_EQ(expect_accepted(fields(limits::kHeaderCount - 1)).headers.size(), limits::kHeaderCount - 1);
  EXPECT_EQ(expect_accepted(fields(limits::kHeaderCount)).headers.size(), limits::kHeaderCount);
  expect_refused(fields(limits::kHeaderCount + 1), "headers_too_large");
}

TEST(RequestHead, passes_over_one_blank_line_and_not_two) {
  expect_accepted("\r\n" + with(""));
  expect_refused("\r\n\r\n" + with(""), "malformed_request");
}

TEST(NameSet, knows_its_names_in_any_case_and_no_others) {
  static constexpr NameSet kSet(std::to_array<std::string_view>({"te", "x-api-key", "content-length"}));
  for (const char* name : {"te", "TE", "Te", "x-api-key", "X-API-KEY", "Content-Length"})
    EXPECT_TRUE(kSet.contains(name)) << name;
  for (const char* name :
       {"", "t", "tee", "ta", "x-apo-key", "x-api-kex", "content-lengths", "c0ntent-length"})
    EXPECT_FALSE(kSet.contains(name)) << name;
}

TEST(NameSet, names_that_differ_in_case_alone_have_one_mark) {
  EXPECT_EQ(mark_of_name("X-Api-Key"), mark_of_name("x-api-key"));
  EXPECT_EQ(mark_of_name(""), mark_of_name(""));
}

TEST(RequestHead, a_head_that_is_read_again_forgets_the_names_it_had) {
  const std::string first = with("X-Old: 1\r\n"), second = with("X-New: 1\r\n");
  RequestHead head;
  ASSERT_EQ(code_of(parse_request_head(first, head)), "(accepted)");
  EXPECT_TRUE(head.headers.has("x-old"));
  ASSERT_EQ(code_of(parse_request_head(second, head)), "(accepted)");
  EXPECT_FALSE(head.headers.has("x-old"));
  EXPECT_TRUE(head.headers.has("x-new"));
}

TEST(RequestHead, reads_a_request_as_the_sdks_send_it) {
  const std::string text =
      "POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer clv_x\r\n"
      "content-type:application/json\r\nContent-Length:  42 \t\r\nX-Empty:\r\nConnection: "
      "keep-alive\r\n\r\n";
  const RequestHead head = expect_accepted(text);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat/completions?a=b");
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_EQ(head.content_length, 42U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.headers.size(), 6U);
  EXPECT_EQ(head.headers.find("AUTHORIZATION"), "Bearer clv_x");
  EXPECT_EQ(head.headers.find("Content-Type"), "application/json");
  EXPECT_EQ(head.headers.find("x-missing"), "");
  EXPECT_FALSE(head.headers.has("x-missing"));
  EXPECT_TRUE(head.headers.has("x-empty"));
  std::vector<std::string> names;
  for (const Header header : head.headers) names.emplace_back(header.name);
  EXPECT_EQ(names, (std::vector<std::string>{"Host", "Authorization", "content-type", "Content-Length",
                                             "X-Empty", "Connection"}));
}

TEST(RequestHead, reads_the_framing) {
  EXPECT_EQ(expect_accepted(with("")).framing, Framing::none);
  EXPECT_EQ(expect_accepted(with("Transfer-Encoding: chunked\r\n")).framing, Framing::chunked);
  const RequestHead zero = expect_accepted(with("Content-Length: 0\r\n"));
  EXPECT_EQ(zero.framing, Framing::length);
  EXPECT_EQ(zero.content_length, 0U);
  EXPECT_EQ(expect_accepted(with("Content-Length: 18446744073709551615\r\n")).content_length, UINT64_MAX);
}

TEST(RequestHead, leaves_nothing_of_the_head_read_before) {
  RequestHead head;
  const std::string first = with("Content-Length: 5\r\nConnection: close\r\nExpect: 100-continue\r\n"),
                    second = with("");
  ASSERT_EQ(code_of(parse_request_head(first, head)), "(accepted)");
  ASSERT_EQ(code_of(parse_request_head(second, head)), "(accepted)");
  EXPECT_EQ(head.framing, Framing::none);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expect_continue);
  EXPECT_EQ(head.headers.size(), 1U);
}

TEST(RequestHead, takes_only_the_first_of_two_requests) {
  const std::string first = with("A: 1\r\n");
  RequestHead head;
  const auto read = parse_request_head(first + "rubbish \n\r\n\r\n", head);
  ASSERT_EQ(code_of(read), "(accepted)");
  EXPECT_EQ(*read, first.size());
}

TEST(RequestHead, closes_when_any_connection_field_says_so) {
  EXPECT_FALSE(expect_accepted(with("Connection: close\r\n")).keep_alive);
  EXPECT_FALSE(expect_accepted(with("Connection: keep-alive ,\tClose\r\n")).keep_alive);
  EXPECT_FALSE(expect_accepted(with("Connection: keep-alive\r\nConnection: close\r\n")).keep_alive);
  EXPECT_TRUE(expect_accepted(with("Connection: closed\r\nConnection:\r\n")).keep_alive);
}

TEST(RequestHead, knows_the_fields_a_connection_field_lists) {
  const std::string text = with("Connection: X-One, x-two\r\nconnection: X-THREE\r\n");
  const RequestHead head = expect_accepted(text);
  for (const char* name : {"x-one", "X-Two", "x-three"}) EXPECT_TRUE(head.headers.connection_lists(name));
  for (const char* name : {"x", "x-four", ""}) EXPECT_FALSE(head.headers.connection_lists(name));
}

TEST(RequestHead, stays_small) { EXPECT_LE(sizeof(RequestHead), 900U); }

TEST(HeaderWriting, ends_the_process_rather_than_write_a_second_line) {
  std::string out;
  for (const std::string_view bad :
       {std::string_view("a\rb"), std::string_view("a\nb"), std::string_view("a\0b", 3)}) {
    EXPECT_DEATH(append_header(out, "x", bad), "one line");
    EXPECT_DEATH(append_header(out, bad, "x"), "one line");
    EXPECT_FALSE(is_header_value(bad));
    EXPECT_FALSE(is_header_name(bad));
  }
  EXPECT_DEATH(append_header(out, "", "x"), "one line");
  EXPECT_DEATH(append_header(out, "a:", "x"), "one line");
  EXPECT_DEATH(append_status_line(out, 99), "three digits");
  EXPECT_DEATH(append_status_line(out, 1000), "three digits");
}

TEST(HeaderWriting, writes_status_lines_and_fields) {
  std::string out;
  append_status_line(out, 200);
  append_status_line(out, 429);
  append_status_line(out, 599);
  append_header(out, "Content-Type", "text/plain; a=\"b\"\tc");
  append_header(out, "x-empty", "");
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nHTTP/1.1 429 Too Many Requests\r\nHTTP/1.1 599 \r\n"
            "Content-Type: text/plain; a=\"b\"\tc\r\nx-empty: \r\n");
}

TEST(HeaderWriting, has_a_reason_for_every_status_of_a_refusal) {
  for (int code = 0; code < kCodeCount; ++code) {
    std::string out;
    append_status_line(out, http_status(static_cast<Code>(code)));
    EXPECT_FALSE(out.ends_with(" \r\n")) << out;
  }
}

TEST(HopByHop, knows_the_fields_of_one_connection) {
  for (const char* name : {"Connection", "keep-alive", "TE", "Trailer", "transfer-encoding", "Upgrade",
                           "Proxy-Connection", "Proxy-Authorization", "proxy-authenticate"})
    EXPECT_TRUE(is_hop_by_hop(name)) << name;
  for (const char* name : {"content-length", "authorization", "connections", "", "t", "anthropic-beta"})
    EXPECT_FALSE(is_hop_by_hop(name)) << name;
}

}  // namespace
}  // namespace claviger::wire
