// The object database of a repository: loose objects, packs, and those of its alternates.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "scan/git_buffer.hpp"
#include "scan/git_delta.hpp"
#include "scan/git_inflate.hpp"
#include "scan/git_pack.hpp"
#include "scan/git_problem.hpp"

namespace claviger::scan {

// Immutable once opened; read by all threads.
class ObjectDatabase {
 public:
  // `path` is an `objects` folder. A pack, index or alternate that cannot be read becomes a problem; the rest
  // is opened. Refuses when the folder itself cannot be.
  static Result<std::unique_ptr<ObjectDatabase>> open(const std::string& path, HashKind kind,
                                                      GitProblems& problems);

  // Of packs at hand, without a folder.
  static std::unique_ptr<ObjectDatabase> of(std::vector<std::unique_ptr<Pack>> packs, HashKind kind);

  struct Place {
    std::uint32_t pack = 0;
    std::uint32_t nth = 0;  // in the pack's index
  };
  std::optional<Place> find_packed(const ObjectId& id) const;
  // The compressed file of a loose object; not_found when there is none.
  Result<Mapping> map_loose(const ObjectId& id) const;
  // Calls `each` for every loose object of all folders; one that stands in several comes several times.
  void each_loose(GitProblems& problems, const std::function<void(const ObjectId&)>& each) const;

  const std::vector<std::unique_ptr<Pack>>& packs() const { return packs_; }
  HashKind kind() const { return kind_; }
  // Whether a remote has promised to send what is missing (a partial clone).
  bool has_promisor() const { return has_promisor_; }

 private:
  explicit ObjectDatabase(HashKind kind) : kind_(kind) {}
  Result<void> add_folder(std::string path, unsigned depth, GitProblems& problems);
  void add_packs(const GitFolder& folder, GitProblems& problems);
  void add_alternates(const std::string& path, const GitFolder& folder, unsigned depth,
                      GitProblems& problems);

  HashKind kind_;
  bool has_promisor_ = false;
  std::vector<GitFolder> folders_;
  std::vector<std::unique_ptr<Pack>> packs_;
};

struct LooseHead {
  ObjectType type = ObjectType::blob;
  std::uint64_t size = 0;
  std::size_t length = 0;  // of the head with its zero byte
};
// "blob 12\0": refuses with corrupt.
Result<LooseHead> loose_head(ByteView inflated);

// An object's content; a large one lies in a file (see GitBuffer).
class ObjectBytes {
 public:
  explicit ObjectBytes(GitBuffer buffer, std::size_t head = 0) : buffer_(std::move(buffer)), head_(head) {}
  operator ByteView() const { return buffer_.view().subspan(head_); }
  std::size_t size() const { return buffer_.view().size() - head_; }
  std::size_t memory() const { return buffer_.memory(); }

 private:
  GitBuffer buffer_;
  std::size_t head_;  // of a loose object
};

struct Object {
  ObjectType type = ObjectType::blob;
  std::shared_ptr<const ObjectBytes> bytes;
};

// Reads objects by their id, in any order; keeps the latest bases. One a thread.
class ObjectReader {
 public:
  // Holds at most `cache` bytes of bases, and refuses with corrupt an object larger than `largest`.
  ObjectReader(const ObjectDatabase& database, std::size_t cache, std::uint64_t largest)
      : database_(database), cache_bound_(cache), largest_(largest) {}

  // Refuses with not_found an object that is missing, with corrupt one that cannot be read.
  Result<Object> read(const ObjectId& id);
  Result<Object> read(ObjectDatabase::Place place);

 private:
  struct Key {
    std::uint32_t pack = 0;
    std::uint64_t offset = 0;
    bool operator==(const Key&) const = default;
  };
  struct HashOfKey {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>((key.offset ^ (std::uint64_t{key.pack} << 48)) * 0x9e3779b97f4a7c15ULL);
    }
  };
  struct Kept {
    Key key;
    Object object;
  };
  // A delta on the way to its base.
  struct Step {
    Key key;
    PackEntry entry;
  };

  Result<Object> read_at(Key key);
  Result<Object> read_loose(const ObjectId& id);
  Result<Object> whole(Key key, const PackEntry& entry);
  Result<Object> resolve(Object base, const Step& step);
  void keep(Key key, const Object& object);
  const Object* kept(Key key);

  const ObjectDatabase& database_;
  std::size_t cache_bound_;
  std::uint64_t largest_;
  std::size_t cached_ = 0;
  std::list<Kept> latest_;  // the latest used first
  std::unordered_map<Key, std::list<Kept>::iterator, HashOfKey> by_key_;
  Inflater inflater_;
  GitBuffer delta_;
};

}  // namespace claviger::scan
