// How a broken invariant ends the process.
#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace claviger {

void check_failed(std::string_view what, const std::source_location& where) {
  std::fprintf(stderr, "claviger: broken invariant: %.*s (%s:%u)\n", static_cast<int>(what.size()),
               what.data(), where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace claviger
