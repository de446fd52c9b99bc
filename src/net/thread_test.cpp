// Tests of thread names.
#include "net/thread.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <thread>

namespace claviger::net {
namespace {

TEST(Thread, HasTheNameItWasGivenAsFarAsItFits) {
  std::array<char, 32> name{};
  std::thread([&name] {
    name_thread("a name that is too long");
    pthread_getname_np(pthread_self(), name.data(), name.size());
  }).join();
  EXPECT_STREQ(name.data(), "a name that is ");
}

}  // namespace
}  // namespace claviger::net
