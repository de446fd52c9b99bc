// What functions for processors with AVX2 share: the others of the program are compiled for any x86-64.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <array>
#include <cstdint>

#define CLAVIGER_AVX2 __attribute__((target("avx2,bmi,lzcnt,popcnt")))

namespace claviger::detect {

inline bool has_avx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
         __builtin_cpu_supports("lzcnt") != 0 && __builtin_cpu_supports("popcnt") != 0;
}

// A table for half a byte, as a look-up of 32 of them takes it.
CLAVIGER_AVX2 inline __m256i table_of(const std::array<std::uint8_t, 16>& entries) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(entries.data())));
}

}  // namespace claviger::detect
#endif
