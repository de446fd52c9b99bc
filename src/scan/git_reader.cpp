// Reads single objects: loose, whole in a pack, or through a chain of deltas.
#include <fmt/format.h>

#include "base/limits.hpp"
#include "scan/git_objects.hpp"

namespace claviger::scan {

Result<Object> ObjectReader::read(const ObjectId& id) {
  if (const auto place = database_.find_packed(id)) {
    auto object = read(*place);
    if (object) return object;
    auto loose = read_loose(id);  // a damaged pack may have a sound copy beside it
    return loose ? std::move(loose) : std::move(object);
  }
  return read_loose(id);
}

Result<Object> ObjectReader::read(ObjectDatabase::Place place) {
  return read_at({place.pack, database_.packs()[place.pack]->index().offset(place.nth)});
}

Result<Object> ObjectReader::read_at(Key key) {
  std::vector<Step> steps;
  Object object;
  while (true) {
    if (const Object* found = kept(key)) {
      object = *found;
      break;
    }
    const Pack& pack = *database_.packs()[key.pack];
    TRY(const PackEntry entry, pack.entry(key.offset));
    if (entry.form == PackEntry::Form::whole) {
      TRY(object, whole(key, entry));
      break;
    }
    if (steps.size() >= limits::kGitDeltaChain)
      return fail(Code::corrupt, "its chain of deltas is too long or runs in a circle");
    steps.push_back({key, entry});
    if (entry.form == PackEntry::Form::offset_delta) {
      key.offset = entry.base;
    } else if (const auto own = pack.index().find(entry.base_id)) {
      key.offset = pack.index().offset(*own);
    } else if (const auto other = database_.find_packed(entry.base_id)) {
      key = {other->pack, database_.packs()[other->pack]->index().offset(other->nth)};
    } else {
      auto base = read_loose(entry.base_id);
      if (!base) return fail(Code::corrupt, fmt::format("its base {} is missing", entry.base_id.hex()));
      object = std::move(*base);
      break;
    }
  }
  for (; !steps.empty(); steps.pop_back()) {
    TRY(object, resolve(std::move(object), steps.back()));
  }
  return object;
}

Result<Object> ObjectReader::whole(Key key, const PackEntry& entry) {
  if (entry.size > largest_)
    return fail(Code::corrupt, fmt::format("it has {} bytes, more than are read", entry.size));
  const ByteView in = database_.packs()[key.pack]->from(entry.data);
  if (entry.size / limits::kGitMostPerByte > in.size())
    return fail(Code::corrupt, fmt::format("it states {} bytes and cannot have them", entry.size));
  GitBuffer buffer;
  TRY(const auto room, buffer.prepare(entry.size));
  TRY_VOID(inflater_.exactly(in, room));
  Object object{entry.type, std::make_shared<const ObjectBytes>(std::move(buffer))};
  keep(key, object);
  return object;
}

Result<Object> ObjectReader::resolve(Object base, const Step& step) {
  const ByteView in = database_.packs()[step.key.pack]->from(step.entry.data);
  if (step.entry.size > largest_ || step.entry.size / limits::kGitMostPerByte > in.size())
    return fail(Code::corrupt,
                fmt::format("its delta states {} bytes and cannot have them", step.entry.size));
  TRY(const auto delta_room, delta_.prepare(step.entry.size));
  TRY_VOID(inflater_.exactly(in, delta_room));
  TRY(const DeltaSizes sizes, delta_sizes(delta_.view()));
  if (sizes.result > largest_)
    return fail(Code::corrupt, fmt::format("it has {} bytes, more than are read", sizes.result));
  GitBuffer buffer;
  TRY(const auto room, buffer.prepare(sizes.result));
  TRY_VOID(apply_delta(*base.bytes, delta_.view(), sizes, room));
  Object object{base.type, std::make_shared<const ObjectBytes>(std::move(buffer))};
  keep(step.key, object);
  return object;
}

Result<Object> ObjectReader::read_loose(const ObjectId& id) {
  TRY(const Mapping file, database_.map_loose(id));
  GitBuffer buffer;
  TRY_VOID(inflater_.unknown(file.view(), largest_, buffer));
  TRY(const LooseHead head, loose_head(buffer.view()));
  const std::size_t size = buffer.view().size() - head.length;
  if (size != head.size)
    return fail(Code::corrupt, fmt::format("it states {} bytes and has {}", head.size, size));
  return Object{head.type, std::make_shared<const ObjectBytes>(std::move(buffer), head.length)};
}

void ObjectReader::keep(Key key, const Object& object) {
  const std::size_t size = object.bytes->memory();
  if (object.bytes->size() > size || size > cache_bound_ / 4) return;
  latest_.push_front({key, object});
  by_key_[key] = latest_.begin();
  cached_ += size;
  while (cached_ > cache_bound_ && latest_.size() > 1) {
    cached_ -= latest_.back().object.bytes->memory();
    by_key_.erase(latest_.back().key);
    latest_.pop_back();
  }
}

const Object* ObjectReader::kept(Key key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  latest_.splice(latest_.begin(), latest_, found->second);
  return &found->second->object;
}

}  // namespace claviger::scan
