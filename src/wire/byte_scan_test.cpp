// Tests of byte_scan: the wide form finds what the bytewise form finds.
#include "wire/byte_scan.hpp"

#include <gtest/gtest.h>

#include <string>

namespace claviger::wire {
namespace {

// Every byte at every place of runs of every length around one and two steps.
template <class Stop>
void expect_forms_agree() {
  for (std::size_t size = 0; size <= 34; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[place] = static_cast<char>(byte);
        const char* end = text.data() + size;
        ASSERT_EQ(find_stop<Stop>(text.data(), end), find_stop_bytewise<Stop>(text.data(), end))
            << "byte " << byte << " at " << place << " of " << size;
      }
    }
  }
}

template <class Stop>
std::string stops() {
  std::string found;
  for (int byte = 0; byte < 256; ++byte)
    if (Stop::hit(static_cast<unsigned char>(byte))) found.push_back(static_cast<char>(byte));
  return found;
}

TEST(ByteScan, finds_line_ends_like_the_bytewise_form) { expect_forms_agree<LineEnd>(); }
TEST(ByteScan, finds_field_stops_like_the_bytewise_form) { expect_forms_agree<FieldStop>(); }
TEST(ByteScan, finds_string_stops_like_the_bytewise_form) { expect_forms_agree<StringStop>(); }

TEST(ByteScan, finds_bytes_outside_ascii_like_the_bytewise_form) { expect_forms_agree<NotAscii>(); }

TEST(ByteScan, stops_at_the_named_bytes_only) {
  EXPECT_EQ(stops<LineEnd>(), "\n\r");
  std::string controls;
  for (char c = 0; c < 0x20; ++c) controls.push_back(c);
  EXPECT_EQ(stops<StringStop>(), controls + "\"\\");
  controls.erase(controls.find('\t'), 1);
  EXPECT_EQ(stops<FieldStop>(), controls + "\x7f");
}

TEST(ByteScan, finds_the_first_of_several) {
  const std::string text = "0123456789abcdef0\n\r\n";
  EXPECT_EQ(find_stop<LineEnd>(text.data(), text.data() + text.size()) - text.data(), 17);
}

}  // namespace
}  // namespace claviger::wire
