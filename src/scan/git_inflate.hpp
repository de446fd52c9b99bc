// Inflates the zlib streams of a git repository: whole at once by libdeflate.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "scan/git_buffer.hpp"

struct libdeflate_decompressor;

namespace claviger::scan {

// One a thread: it owns its tables.
class Inflater {
 public:
  Inflater();

  // Fills `out` exactly from the stream at the head of `in`; how many bytes of `in` the stream took. Refuses
  // with corrupt a stream that is broken, cut off, or gives more or fewer bytes than `out` has room for.
  Result<std::size_t> exactly(ByteView in, std::span<std::uint8_t> out);
  // Fills `out` with a stream of unknown length. Refuses with corrupt one that gives more than `max` bytes,
  // before more than that is held.
  Result<void> unknown(ByteView in, std::uint64_t max, GitBuffer& out);

 private:
  struct Free {
    void operator()(libdeflate_decompressor* decompressor) const;
  };
  std::unique_ptr<libdeflate_decompressor, Free> decompressor_;
};

// CRC-32 as in pack indexes.
std::uint32_t crc_of(ByteView bytes);

}  // namespace claviger::scan
