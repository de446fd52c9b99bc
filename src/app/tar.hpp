// Plain tar archives (POSIX ustar) of regular files: writing, and reading with nothing taken on trust.
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::app {

inline constexpr std::size_t kTarName = 100;                              // longest name
inline constexpr std::uint64_t kTarFile = 8ULL * 1024 * 1024 * 1024 - 1;  // largest file

// Writes entry after entry; each is begun with the size it will have.
class TarWriter {
 public:
  // The file must not exist; made with mode 0600. io_failed, already_exists.
  static Result<TarWriter> create(const std::string& path);
  Result<void> begin(std::string_view name, std::uint64_t size);
  Result<void> add(std::string_view bytes);  // of the entry that was begun last
  // Ends the archive and brings it to disk.
  Result<void> finish();
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<void> put(std::string_view bytes);
  Result<void> pad();
  std::string path_;
  std::ofstream out_;
  std::uint64_t bytes_ = 0;
  std::uint64_t left_ = 0;  // of the entry that was begun
};

// Hands on every entry's name and content piece by piece (an empty piece begins it). `corrupt` for anything
// that TarWriter would not have written: other kinds of entries, wrong sums, names that leave the folder, an
// end that is missing.
using TarTake =
    std::function<Result<void>(std::string_view name, std::uint64_t size, std::string_view piece)>;
Result<void> read_tar(const std::string& path, const TarTake& take);

}  // namespace claviger::app
