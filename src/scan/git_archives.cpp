// Lets an inspector look into a blob, and hands its hits on.
#include "scan/git_archives.hpp"

#include <utility>

namespace claviger::scan {

bool BlobArchives::scan(std::string_view bytes, const std::string& path, const Inspector::Tell& tell) {
  if (task_.archives == Archives::as_bytes || !archive_kind(bytes.substr(0, kArchiveHead))) return false;
  if (inspector_ == nullptr)
    inspector_ =
        std::make_unique<Inspector>(task_, [this](const detect::Hit& hit, const std::string& file,
                                                  const LinePlace& place) { (*tell_)(hit, file, place); });
  tell_ = &tell;
  inspector_->bytes(bytes, path);
  tell_ = nullptr;
  Outcome outcome = std::exchange(inspector_->outcome(), {});
  problems = std::move(outcome.problems);
  allowed = outcome.skipped.allowed;
  return true;
}

}  // namespace claviger::scan
