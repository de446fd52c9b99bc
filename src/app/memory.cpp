// Memory that is given back.
#include "app/memory.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace claviger::app {
namespace {

constexpr std::int64_t kQuietNs = 10'000'000'000;  // without a request, until free memory goes back

// Segments that were never writable can be dropped without losing anything: relocations are written into
// those of data, also where these are sealed afterwards.
int drop_code(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<ElfW(Addr)>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const ElfW(Addr) begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
    const ElfW(Addr) end = object->dlpi_addr + part.p_vaddr + part.p_memsz;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // only a wish
  }
  return 0;
}

}  // namespace

void let_go_of_code() { ::dl_iterate_phdr(drop_code, nullptr); }

void IdleTrim::tick(std::int64_t requests, std::int64_t now_ns) {
  if (requests != seen_ || since_ns_ == 0) {
    due_ = due_ || requests != seen_;
    seen_ = requests;
    since_ns_ = now_ns;
    return;
  }
  if (!due_ || now_ns - since_ns_ < kQuietNs) return;
  due_ = false;
  ::malloc_trim(0);
  let_go_of_code();
}

}  // namespace claviger::app
