// Comparison that does not tell by its time where two values differ.
#pragma once

#include "base/encoding.hpp"

namespace claviger::crypto {

// Equal in time that depends on the lengths alone.
bool constant_time_equal(ByteView a, ByteView b);
bool constant_time_equal(const Digest& a, const Digest& b);

}  // namespace claviger::crypto
