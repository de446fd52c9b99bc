// Memory that does not outlive its use: wiping, a wiped byte vector and a wiped 256-bit key.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/encoding.hpp"

namespace claviger::crypto {

// Overwrites in a way the compiler may not leave out.
void wipe(std::span<std::uint8_t> bytes);
// Wipes all of the capacity and leaves it empty.
void wipe(std::string& text);
void wipe(Bytes& bytes);

// Wipes each block it gives back, those left behind by growth too.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  explicit WipingAllocator(const WipingAllocator<U>&) {}
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* block, std::size_t count) {
    wipe(std::span(reinterpret_cast<std::uint8_t*>(block), count * sizeof(T)));
    std::allocator<T>().deallocate(block, count);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

using WipedBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

// 256 secret bits: move-only, wiped when dropped or moved from. Reads as a ByteView or a Digest.
class Key {
 public:
  Key() = default;               // all zero, to be filled
  explicit Key(ByteView bytes);  // exactly 32 bytes
  Key(Key&& other) noexcept;
  Key& operator=(Key&& other) noexcept;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { wipe(bytes_); }

  std::span<std::uint8_t> writable() { return bytes_; }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  const std::uint8_t* begin() const { return bytes_.data(); }
  const std::uint8_t* end() const { return bytes_.data() + bytes_.size(); }
  // A Digest made from it is not wiped by itself: that is for the caller.
  operator const Digest&() const { return bytes_; }

 private:
  Digest bytes_{};
};

}  // namespace claviger::crypto
