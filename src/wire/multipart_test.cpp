// Tests of forms: whatever two parsers could read differently is refused.
#include "wire/multipart.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.hpp"

namespace claviger::wire {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=B";

std::string part(std::string_view name, std::string_view data, std::string_view more = {}) {
  return "--B\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"" + std::string(more) +
         "\r\n\r\n" + std::string(data) + "\r\n";
}
const std::string kClose = "--B--\r\n";

Code refused(std::string_view body, std::string_view type = kType) {
  Form form;
  const auto read = read_form(type, body, form);
  EXPECT_FALSE(read) << body;
  EXPECT_TRUE(form.parts().empty());
  return read ? Code::internal : read.error().code;
}

TEST(Form, WhatTwoParsersCouldReadDifferentlyIsRefused) {
  const std::string model = part("model", "a");
  for (const std::string& body : {
           std::string(),
           model,
           model + "--B",
           model + "--Bx\r\n" + kClose,
           model + "--B--trailer",
           "preamble\r\n" + model + kClose,
           "\r\n" + model + kClose,
           model + part("model", "b") + kClose,
           std::string("--B\nContent-Disposition: form-data; name=\"model\"\n\na\n--B--\n"),
           std::string(
               "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\n--B\r\n\r\ny\r\n--B--\r\n"),
           std::string("--B\r\nContent-Disposition: form-data; name=model\r\n") + "\r\na\r\n" + "--B-x\r\n",
           std::string("--B\r\nContent-Disposition: form-data; name=\"mo\\\"del\"\r\n\r\na\r\n") + kClose,
           std::string("--B\r\nContent-Disposition: form-data; name=\"mo%64el\"\r\n\r\na\r\n") + kClose,
           std::string("--B\r\nContent-Disposition: form-data; name*=utf-8''model\r\n\r\na\r\n") + kClose,
           std::string("--B\r\nContent-Disposition: form-data; name=\"a\"; name=\"model\"\r\n\r\na\r\n") +
               kClose,
           std::string("--B\r\nContent-Disposition: attachment; name=\"model\"\r\n\r\na\r\n") + kClose,
           std::string("--B\r\nContent-Disposition: form-data;\r\n name=\"model\"\r\n\r\na\r\n") + kClose,
           std::string(
               "--B\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64"
               "\r\n\r\nYQ==\r\n") +
               kClose,
           std::string("--B\r\nContent-Type: text/plain\r\n\r\na\r\n") + kClose,
           std::string("--B\r\n\r\na\r\n") + kClose,
       })
    EXPECT_EQ(refused(body), Code::invalid_form) << body;
}

TEST(Form, ABoundaryThatParsersReadDifferentlyIsRefused) {
  const std::string body = part("model", "a") + kClose;
  for (const std::string_view type :
       {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=B; boundary=C", "multipart/form-data; boundary=\"B",
        "multipart/mixed; boundary=B", "application/json", "multipart/form-data; boundary=B B"})
    EXPECT_EQ(refused(body, type), Code::invalid_form) << type;
  EXPECT_EQ(refused(body, "multipart/form-data; boundary=" + std::string(71, 'B')), Code::invalid_form);
}

TEST(Form, IsReadAsItStands) {
  const std::string body = part("model", "whisper-1") + part("prompt", "") +
                           part("file", std::string("\r\n\0--b--B", 10), "; filename=\"a \\\"b\\\".wav\"") +
                           part("include[]", "x") + part("include[]", "y") + kClose;
  Form form;
  ASSERT_TRUE(read_form("Multipart/Form-Data; charset=utf-8; boundary=\"B\"", body, form));
  ASSERT_EQ(form.parts().size(), 5u);
  EXPECT_EQ(form.find("model")->data, "whisper-1");
  EXPECT_FALSE(form.find("model")->is_file);
  EXPECT_EQ(form.find("prompt")->data, "");
  EXPECT_TRUE(form.find("file")->is_file);
  EXPECT_EQ(form.find("file")->data.size(), 10u);
  EXPECT_EQ(form.find("size"), nullptr);
}

TEST(Form, HasAtMostSoManyParts) {
  std::string body;
  for (std::size_t i = 0; i < limits::kFormParts; ++i) body += part("f" + std::to_string(i), "x");
  Form form;
  EXPECT_TRUE(read_form(kType, body + kClose, form));
  EXPECT_EQ(refused(body + part("last", "x") + kClose), Code::invalid_form);
}

TEST(Form, APartsHeadEndsWithinItsBound) {
  const std::string lead = "\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: ";
  // The head reaches from behind the boundary's line to the blank line's end.
  const std::size_t fixed = lead.size() - 2 + 4;
  const auto body = [&](std::size_t size) {
    return "--B" + lead + std::string(size - fixed, 't') + "\r\n\r\nx\r\n" + kClose;
  };
  Form form;
  EXPECT_TRUE(read_form(kType, body(limits::kFormPartHead - 1), form));
  EXPECT_TRUE(read_form(kType, body(limits::kFormPartHead), form));
  EXPECT_EQ(refused(body(limits::kFormPartHead + 1)), Code::invalid_form);
}

}  // namespace
}  // namespace claviger::wire
