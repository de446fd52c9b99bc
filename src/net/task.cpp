// The free lists behind coroutine frames.
#include "net/task.hpp"

#include <array>
#include <cstdlib>
#include <new>

namespace claviger::net {
namespace {

constexpr std::size_t kStep = 64;      // frames are rounded up to this
constexpr std::size_t kClasses = 128;  // up to 8 KiB; larger ones go to the heap
constexpr int kKept = 64;              // free frames kept for each size

struct FreeFrame {
  FreeFrame* next;
};

struct FrameCache {
  std::array<FreeFrame*, kClasses> free{};
  std::array<int, kClasses> count{};
  ~FrameCache() {
    for (FreeFrame*& list : free)
      while (list != nullptr) ::operator delete(std::exchange(list, list->next));
  }
};

thread_local FrameCache cache;

}  // namespace

void* take_frame(std::size_t size) {
  const std::size_t which = (size - 1) / kStep;
  if (which >= kClasses) return ::operator new(size);
  if (FreeFrame* frame = cache.free[which]; frame != nullptr) {
    cache.free[which] = frame->next;
    --cache.count[which];
    return frame;
  }
  return ::operator new((which + 1) * kStep);
}

void give_frame(void* frame, std::size_t size) noexcept {
  const std::size_t which = (size - 1) / kStep;
  if (which >= kClasses || cache.count[which] >= kKept) {
    ::operator delete(frame);
    return;
  }
  cache.free[which] = new (frame) FreeFrame{cache.free[which]};
  ++cache.count[which];
}

}  // namespace claviger::net
