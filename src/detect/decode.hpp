// The texts that may hide in a text: base64, hex, percent and backslash escapes, UTF-16, joined strings.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "detect/view.hpp"

namespace claviger::detect {

// Bytes that may still be decoded for one scan.
struct Budget {
  std::size_t left = 0;
  bool take(std::size_t bytes) {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  }
};

using Visit = std::function<void(const View&)>;

// Visits every text hidden in `text`, one level deep, within the budget. `seams` are the places, ascending,
// where strings are joined.
void each_view(std::string_view text, const std::vector<std::size_t>& seams, Budget& budget,
               const Visit& visit);

// True when `text` holds nothing that each_view would decode (joined strings aside).
bool decodes_nothing(std::string_view text);

}  // namespace claviger::detect
