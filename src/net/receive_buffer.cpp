// Growing, shrinking and forgetting.
#include "net/receive_buffer.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/secret.hpp"

namespace claviger::net {

void ReceiveBuffer::forget(std::size_t from, std::size_t to) {
  if (memory_ == Memory::confidential && from < to) wipe_memory(bytes_.data() + from, to - from);
}

// A string that grows by itself leaves its old memory as it is.
void ReceiveBuffer::reserve(std::size_t size) {
  if (memory_ == Memory::plain || size <= bytes_.capacity()) return;
  std::string larger;
  larger.reserve(std::max(size, 2 * bytes_.capacity()));
  larger.assign(bytes_);
  forget(0, bytes_.size());
  bytes_.swap(larger);
}

void ReceiveBuffer::take(Loop& loop, std::size_t size) {
  reserve(bytes_.size() + size);
  bytes_.append(loop.scratch(), size);
  if (memory_ == Memory::confidential) wipe_memory(loop.scratch(), size);
}

char* ReceiveBuffer::grow(std::size_t size) {
  reserve(size);
  // The size is our own: libstdc++ 12 offers all of the new capacity here.
  bytes_.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
  return bytes_.data();
}

std::string& ReceiveBuffer::room_for(std::size_t more) {
  reserve(bytes_.size() + more);
  return bytes_;
}

// What stays moves to the front: its old place is forgotten, too.
void ReceiveBuffer::drop(std::size_t size) {
  if (size == 0) return;
  const std::size_t stays = bytes_.size() - size;
  forget(0, size);
  std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(size), bytes_.end(), bytes_.begin());
  cut(stays);
}

void ReceiveBuffer::cut(std::size_t size) {
  forget(size, bytes_.size());
  bytes_.resize(size);
}

void ReceiveBuffer::clear() {
  cut(0);
  // Assigning an empty string would keep the memory.
  if (bytes_.capacity() > limits::kConnectionBuffer) std::string().swap(bytes_);
}

}  // namespace claviger::net
