// Files, memory and the unpacking of deflate, gzip and zstd.
#include "scan/source.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr int kZstdWindowLog = 27;  // 128 MiB, what the zstd program takes unasked

std::unexpected<Error> unreadable() {
  return fail(Code::io_failed, fmt::format("reading failed: {}", std::strerror(errno)));
}

std::unexpected<Error> broken(std::string_view what) { return fail(Code::corrupt, std::string(what)); }

class Inflate final : public Source {
 public:
  Inflate(Source& packed, bool gzip) : packed_(packed), gzip_(gzip), piece_(kPiece) {
    check(inflateInit2(&stream_, gzip ? 16 + MAX_WBITS : -MAX_WBITS) == Z_OK);
  }
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;
  ~Inflate() override { inflateEnd(&stream_); }

  Result<std::size_t> read(std::span<char> into) override {
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(into.size(), 1U << 30));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room && !done_) TRY_VOID(step());
    return room - stream_.avail_out;
  }

 private:
  Result<void> step() {
    if (stream_.avail_in == 0) TRY_VOID(refill());
    if (between_ && (stream_.avail_in == 0 || *stream_.next_in != 0x1f)) {
      done_ = true;  // padding behind the last member
      return {};
    }
    if (stream_.avail_in == 0) return broken("it ends in the middle of its compressed data");
    between_ = false;
    const int said = inflate(&stream_, Z_NO_FLUSH);
    if (said == Z_STREAM_END) {
      done_ = !gzip_;
      between_ = gzip_;
      if (gzip_) check(inflateReset(&stream_) == Z_OK);
    } else if (said != Z_OK && said != Z_BUF_ERROR) {
      return broken("its compressed data is damaged");
    }
    return {};
  }

  Result<void> refill() {
    TRY(const std::size_t got, packed_.read(piece_));
    stream_.next_in = reinterpret_cast<Bytef*>(piece_.data());
    stream_.avail_in = static_cast<uInt>(got);
    return {};
  }

  Source& packed_;
  bool gzip_, done_ = false;
  bool between_ = false;  // behind a member of a gzip file, where the next one may begin
  std::vector<char> piece_;
  z_stream stream_{};
};

class Unzstd final : public Source {
 public:
  explicit Unzstd(Source& packed)
      : packed_(packed), piece_(ZSTD_DStreamInSize()), stream_(ZSTD_createDCtx()) {
    check(stream_ != nullptr);
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  Unzstd(const Unzstd&) = delete;
  Unzstd& operator=(const Unzstd&) = delete;
  ~Unzstd() override { ZSTD_freeDCtx(stream_); }

  Result<std::size_t> read(std::span<char> into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size) {
        TRY(const std::size_t got, packed_.read(piece_));
        in_ = {piece_.data(), got, 0};
        if (got == 0 && wanted_ != 0) return broken("it ends in the middle of its compressed data");
        if (got == 0) return 0;
      }
      wanted_ = ZSTD_decompressStream(stream_, &out, &in_);
      if (ZSTD_isError(wanted_) != 0) return broken("its compressed data is damaged");
    }
    return out.pos;
  }

 private:
  Source& packed_;
  std::vector<char> piece_;
  ZSTD_DCtx* stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  std::size_t wanted_ = 0;  // 0: between two frames
};

}  // namespace

Result<std::size_t> read_full(Source& source, std::span<char> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    TRY(const std::size_t got, source.read(into.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

Result<std::size_t> FdSource::read(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::read(fd_, into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return unreadable();
  }
}

Result<std::size_t> JoinedSource::read(std::span<char> into) {
  if (first_.empty()) return rest_->read(into);
  const std::size_t size = std::min(into.size(), first_.size());
  std::memcpy(into.data(), first_.data(), size);
  first_.remove_prefix(size);
  return size;
}

Result<std::size_t> FdExtent::read_at(std::uint64_t offset, std::span<char> into) const {
  if (offset >= size_) return 0;
  const std::size_t size = std::min<std::uint64_t>(into.size(), size_ - offset);
  for (;;) {
    const ssize_t got = ::pread(fd_, into.data(), size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return unreadable();
  }
}

Result<std::size_t> MemoryExtent::read_at(std::uint64_t offset, std::span<char> into) const {
  if (offset >= bytes_.size()) return 0;
  const std::size_t size = std::min<std::uint64_t>(into.size(), bytes_.size() - offset);
  std::memcpy(into.data(), bytes_.data() + offset, size);
  return size;
}

Result<std::size_t> ExtentSource::read(std::span<char> into) {
  if (left_ == 0) return 0;
  TRY(const std::size_t got, extent_.read_at(at_, into.first(std::min<std::uint64_t>(into.size(), left_))));
  if (got == 0) return broken("it is shorter than its directory says");
  at_ += got;
  left_ -= got;
  return got;
}

std::unique_ptr<Source> unpack(Packing packing, Source& packed) {
  if (packing == Packing::zstd) return std::make_unique<Unzstd>(packed);
  return std::make_unique<Inflate>(packed, packing == Packing::gzip);
}

}  // namespace claviger::scan
