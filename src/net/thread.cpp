// Thread names and the scheduler's slice.
#include "net/thread.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace claviger::net {
namespace {

// As in sched_setattr(2), which has no wrapper in Debian 12's libc.
struct SchedAttributes {
  std::uint32_t size = sizeof(SchedAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};

}  // namespace

void name_thread(const std::string& name) {
  constexpr std::size_t kMost = 15;
  static_cast<void>(::pthread_setname_np(::pthread_self(), name.substr(0, kMost).c_str()));
}

bool ask_for_turns_of(std::int64_t ns) {
  SchedAttributes wish;
  if (::syscall(SYS_sched_getattr, 0, &wish, sizeof(wish), 0) != 0 || wish.policy != SCHED_OTHER)
    return false;
  wish.size = sizeof(wish);
  wish.runtime = static_cast<std::uint64_t>(ns);
  return ::syscall(SYS_sched_setattr, 0, &wish, 0) == 0;
}

}  // namespace claviger::net
