// What was received and not used yet; where it is confidential, nothing of it stays behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/loop.hpp"

namespace claviger::net {

// confidential: bytes are wiped from all memory they have passed through, the loop's scratch among it. For
// doors that secrets come by; it costs a pass over every byte.
enum class Memory : std::uint8_t { plain, confidential };

class ReceiveBuffer {
 public:
  explicit ReceiveBuffer(Memory memory) : memory_(memory) {}
  ~ReceiveBuffer() { forget(0, bytes_.size()); }
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;

  std::string_view view() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::size_t capacity() const { return bytes_.capacity(); }

  // Takes the first `size` bytes over from the loop's scratch.
  void take(Loop& loop, std::size_t size);
  // Grown to `size`, the new bytes unset; where its first byte stands, to read into.
  char* grow(std::size_t size);
  // For a decoder that appends at most `more` bytes.
  std::string& room_for(std::size_t more);
  // Drops bytes from the front, or all behind the first `size`.
  void drop(std::size_t size);
  void cut(std::size_t size);
  // Empties it for the next message. Memory that something large has left is not kept for small things.
  void clear();

 private:
  void reserve(std::size_t size);
  void forget(std::size_t from, std::size_t to);

  Memory memory_;
  std::string bytes_;
};

}  // namespace claviger::net
