// Finding the byte that ends a run, 16 bytes a step where the machine has SSE2. The innermost loops of wire.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstddef>

namespace claviger::wire {

// A CR or an LF.
struct LineEnd {
  static bool hit(unsigned char c) { return c == '\r' || c == '\n'; }
#if defined(__SSE2__)
  static __m128i hits(__m128i block) {
    return _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\r')),
                        _mm_cmpeq_epi8(block, _mm_set1_epi8('\n')));
  }
#endif
};

// What may not stand in a header line: a control byte other than tab. Its CR is one of them.
struct FieldStop {
  static bool hit(unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }
#if defined(__SSE2__)
  static __m128i hits(__m128i block) {
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8(0x1f)), _mm_set1_epi8(0x1f));
    const __m128i no_tab = _mm_andnot_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\t')), control);
    return _mm_or_si128(no_tab, _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f)));
  }
#endif
};

// What ends a run of plain bytes in a JSON string: a quote, a backslash or a control byte.
struct StringStop {
  static bool hit(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }
#if defined(__SSE2__)
  static __m128i hits(__m128i block) {
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8(0x1f)), _mm_set1_epi8(0x1f));
    const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    return _mm_or_si128(control, _mm_or_si128(quote, _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))));
  }
#endif
};

// A byte outside ASCII.
struct NotAscii {
  static bool hit(unsigned char c) { return c >= 0x80; }
#if defined(__SSE2__)
  static __m128i hits(__m128i block) { return block; }  // whose highest bits are looked at
#endif
};

// The portable form: also what the last bytes of a run go through, and what the tests hold the other form
// against.
template <class Stop>
const char* find_stop_bytewise(const char* at, const char* end) {
  while (at != end && !Stop::hit(static_cast<unsigned char>(*at))) ++at;
  return at;
}

// The first byte in [at, end) that Stop names; `end` when there is none. Reads nothing outside the range.
template <class Stop>
const char* find_stop(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    if (const int mask = _mm_movemask_epi8(Stop::hits(block)); mask != 0)
      return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  return find_stop_bytewise<Stop>(at, end);
}

}  // namespace claviger::wire
