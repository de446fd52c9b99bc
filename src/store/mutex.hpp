// A mutex that the compiler can follow (clang's -Wthread-safety): which lock protects a member is checked,
// not hoped.
#pragma once

#include <mutex>

#if defined(__clang__)
#define CLAVIGER_THREADS(attribute) __attribute__((attribute))
#else
#define CLAVIGER_THREADS(attribute)
#endif
#define CLAVIGER_GUARDED_BY(mutex) CLAVIGER_THREADS(guarded_by(mutex))
#define CLAVIGER_REQUIRES(mutex) CLAVIGER_THREADS(requires_capability(mutex))

namespace claviger::store {

class CLAVIGER_THREADS(capability("mutex")) Mutex {
 public:
  void lock() CLAVIGER_THREADS(acquire_capability()) { mutex_.lock(); }
  void unlock() CLAVIGER_THREADS(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class CLAVIGER_THREADS(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) CLAVIGER_THREADS(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() CLAVIGER_THREADS(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace claviger::store
