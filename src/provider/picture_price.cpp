// Which of a row's picture prices may apply to a request.
#include <algorithm>

#include "provider/price.hpp"

namespace claviger::provider {
namespace {

// The size or quality that decides: what was asked, the usual one, or any.
std::string_view wanted(const Price& price, std::string_view asked, std::string PicturePrice::* part) {
  if (asked == "auto") return {};
  if (!asked.empty()) return asked;
  for (const PicturePrice& one : price.pictures)
    if (one.usual) return one.*part;
  return {};
}

template <class T>
std::optional<T> dearest(const Price& price, const Pictures& asked, std::optional<T> PicturePrice::* value) {
  const std::string_view size = wanted(price, asked.size, &PicturePrice::size);
  const std::string_view quality = wanted(price, asked.quality, &PicturePrice::quality);
  std::optional<T> top;
  for (const PicturePrice& one : price.pictures) {
    const bool fits = (one.size.empty() || size.empty() || one.size == size) &&
                      (one.quality.empty() || quality.empty() || one.quality == quality);
    if (fits && one.*value) top = std::max(top.value_or(T{}), *(one.*value));
  }
  return top;
}

}  // namespace

std::optional<Nanousd> picture_price(const Price& price, const Pictures& asked) {
  return dearest(price, asked, &PicturePrice::price);
}

std::optional<std::int64_t> picture_tokens(const Price& price, const Pictures& asked) {
  return dearest(price, asked, &PicturePrice::tokens);
}

}  // namespace claviger::provider
