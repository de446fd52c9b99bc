// The data directory: who may use it, which version it is, and what its files are called.
#pragma once

#include <string>

#include "base/result.hpp"

namespace claviger::store {

// An open data directory, locked for this process until the object is dropped. Move-only.
class DataDir {
 public:
  // Makes DIR (0700, parents must exist) with its folders and version file, and locks it.
  // already_exists when it holds data; configuration when it is not empty otherwise.
  static Result<DataDir> create(const std::string& path);
  // Locks an existing one. not_found; data_in_use (names the process); data_version; configuration when
  // others than the owner may enter.
  static Result<DataDir> open(const std::string& path);

  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&& other) noexcept;
  ~DataDir();

  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/claviger.db"; }
  std::string journal() const { return path_ + "/journal"; }
  std::string audit() const { return path_ + "/audit"; }
  std::string root_key() const { return path_ + "/root.key"; }
  std::string socket() const { return path_ + "/claviger.sock"; }

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  void release();
  std::string path_;
  int lock_ = -1;
};

}  // namespace claviger::store
