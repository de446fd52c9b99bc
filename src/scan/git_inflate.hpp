// Inflates the zlib streams of a git repository: whole at once by libdeflate.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"

struct libdeflate_decompressor;

namespace claviger::scan {

// One a thread: it owns its tables.
class Inflater {
 public:
  Inflater();

  // Fills `out` exactly from the stream at the head of `in`; how many bytes of `in` the stream took. Refuses
  // with corrupt a stream that is broken, cut off, or gives more or fewer bytes than `out` has room for.
  Result<std::size_t> exactly(ByteView in, std::span<std::uint8_t> out);
  // At most `max` bytes of unknown number. Refuses a longer stream with corrupt before more than that is
  // held.
  Result<Bytes> unknown(ByteView in, std::size_t max);

 private:
  struct Free {
    void operator()(libdeflate_decompressor* decompressor) const;
  };
  std::unique_ptr<libdeflate_decompressor, Free> decompressor_;
};

// CRC-32 as in pack indexes.
std::uint32_t crc_of(ByteView bytes);

}  // namespace claviger::scan
