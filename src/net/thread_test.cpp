// Tests of what a thread tells the scheduler.
#include "net/thread.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

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

TEST(Thread, AsksForShortTurnsAndKeepsItsPriority) {
  std::thread([] {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, 3), 0);  // of this thread alone
    EXPECT_TRUE(ask_for_turns_of(500'000));
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), 3);
  }).join();
}

}  // namespace
}  // namespace claviger::net
