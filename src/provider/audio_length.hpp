// How long a sound can be at most, by its bytes.
#pragma once

#include <cstdint>
#include <string_view>

namespace claviger::provider {

// Upper bound of a file's length in seconds. Uncompressed WAV: by its own header. MP3: by its lowest bit
// rate. Anything else: by the bytes that silence takes in the codecs that save most.
std::int64_t longest_seconds(std::string_view file);

}  // namespace claviger::provider
