// What stays behind of received bytes: nothing where they are confidential.
#include "net/receive_buffer.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "base/limits.hpp"

namespace claviger::net {
namespace {

class ReceiveBufferTest : public testing::Test {
 protected:
  void receive(ReceiveBuffer& into, std::string_view bytes) {
    std::memcpy(loop.scratch(), bytes.data(), bytes.size());
    into.take(loop, bytes.size());
  }
  std::string scratch(std::size_t size) { return {loop.scratch(), size}; }
  // Memory that the buffer owns behind its last byte.
  static std::string behind(const ReceiveBuffer& buffer, std::size_t size) {
    EXPECT_LE(buffer.size() + size, buffer.capacity());
    return {buffer.view().data() + buffer.size(), size};
  }

  Loop loop;
};

TEST_F(ReceiveBufferTest, the_scratch_is_wiped_of_confidential_bytes_alone) {
  ReceiveBuffer plain(Memory::plain), secret(Memory::confidential);
  receive(plain, "hello");
  EXPECT_EQ(scratch(5), "hello");
  receive(secret, "hello");
  EXPECT_EQ(scratch(5), std::string(5, '\0'));
  EXPECT_EQ(plain.view(), "hello");
  EXPECT_EQ(secret.view(), "hello");
}

TEST_F(ReceiveBufferTest, what_stays_moves_to_the_front_and_leaves_nothing_in_its_old_place) {
  ReceiveBuffer buffer(Memory::confidential);
  receive(buffer, std::string(100, 'a') + "next");
  buffer.drop(100);
  EXPECT_EQ(buffer.view(), "next");
  EXPECT_EQ(behind(buffer, 100).substr(1), std::string(99, '\0')) << "but for the text's own end";
  buffer.drop(0);
  EXPECT_EQ(buffer.view(), "next");
}

TEST_F(ReceiveBufferTest, what_is_cut_off_is_wiped) {
  ReceiveBuffer buffer(Memory::confidential);
  receive(buffer, "head" + std::string(60, 's'));
  buffer.cut(4);
  EXPECT_EQ(buffer.view(), "head");
  EXPECT_EQ(behind(buffer, 60), std::string(60, '\0'));
}

TEST_F(ReceiveBufferTest, growing_keeps_what_is_there) {
  for (const Memory memory : {Memory::plain, Memory::confidential}) {
    ReceiveBuffer buffer(memory);
    std::string whole;
    for (int i = 0; i < 200; ++i) {
      receive(buffer, std::to_string(i));
      whole += std::to_string(i);
    }
    buffer.room_for(1'000) += "!";
    EXPECT_EQ(buffer.view(), whole + "!");
    std::memcpy(buffer.grow(buffer.size() + 2) + whole.size() + 1, "ab", 2);
    EXPECT_EQ(buffer.view(), whole + "!ab");
  }
}

TEST_F(ReceiveBufferTest, memory_that_something_large_has_left_is_given_back) {
  ReceiveBuffer buffer(Memory::plain);
  buffer.grow(10 * limits::kConnectionBuffer);
  buffer.clear();
  EXPECT_LE(buffer.capacity(), limits::kConnectionBuffer);
}

}  // namespace
}  // namespace claviger::net
