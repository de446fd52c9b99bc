// What a thread tells the scheduler of itself.
#pragma once

#include <cstdint>
#include <string>

namespace claviger::net {

// The name that `top -H` shows for the calling thread; at most 15 bytes of it.
void name_thread(const std::string& name);

// Asks for turns of so many nanoseconds on the processor for the calling thread: who asks for short ones is
// let in when it wakes, before the turn of a thread that computes for long is over (Linux 6.12 and later;
// before, it means nothing). Priority and policy stay as they are. False: the kernel would not have it.
bool ask_for_turns_of(std::int64_t ns);

}  // namespace claviger::net
