// Makes the objects of one family, base first.
#include "scan/git_family_walk.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace claviger::scan {

FamilyWalk::FamilyWalk(SweepShared& shared, SweepVisitor& visitor) : shared_(shared), visitor_(visitor) {}

void FamilyWalk::walk(const Families& families, std::uint32_t pack, std::uint32_t root) {
  families_ = &families;
  pack_ = pack;
  GitBuffer bytes = take_buffer();
  if (!make_root(root, bytes)) return;
  auto trace = visit(root, bytes.view(), nullptr, false);
  push(root, std::move(bytes), std::move(trace));
  while (step()) {
  }
}

// Makes the next child of the last frame, or takes the frame away. False when no frame is left.
bool FamilyWalk::step() {
  if (frames_.empty()) return false;
  Frame& frame = frames_.back();
  if (to_come_.size() == frame.children) {
    pop();
    return true;
  }
  const std::uint32_t child = to_come_.back();
  to_come_.pop_back();
  if (frame.dropped) {
    if (const auto made = make_again(frame.member, frame.bytes); !made) {
      lose(child, made.error());
      return true;
    }
    frame.dropped = false;
  }
  GitBuffer bytes = take_buffer();
  if (const auto made = make_delta(child, frame.bytes.view(), bytes); !made) {
    lose(child, made.error());
    give_back(std::move(bytes));
    return true;
  }
  auto trace = visit(child, bytes.view(), frame.trace.get(), true);
  if (to_come_.size() == frame.children) pop();  // the last child takes its parent's place
  if (families_->members()[child].child == kNobody) {
    give_back(std::move(bytes));
  } else {
    push(child, std::move(bytes), std::move(trace));
    make_room();
  }
  return true;
}

void FamilyWalk::push(std::uint32_t member, GitBuffer bytes, std::unique_ptr<SweepTrace> trace) {
  const auto& members = families_->members();
  const std::size_t begin = to_come_.size();
  for (std::uint32_t child = members[member].child; child != kNobody; child = members[child].sibling)
    to_come_.push_back(child);
  // The end comes first, so the heaviest stands at the beginning.
  const auto first = to_come_.begin() + static_cast<std::ptrdiff_t>(begin);
  if (first != to_come_.end())
    std::iter_swap(first, std::max_element(first, to_come_.end(), [&](std::uint32_t a, std::uint32_t b) {
                     return members[a].weight < members[b].weight;
                   }));
  frames_.push_back({member, std::move(bytes), false, std::move(trace), begin});
}

void FamilyWalk::pop() {
  give_back(std::move(frames_.back().bytes));
  frames_.pop_back();
}

// Drops bases, the outermost first: it is needed last.
void FamilyWalk::make_room() {
  std::size_t held = 0;
  for (const Frame& frame : frames_) held += frame.bytes.memory();
  for (std::size_t i = 0; held > shared_.bases && i + 1 < frames_.size(); ++i) {
    held -= frames_[i].bytes.memory();
    frames_[i].bytes.release();
    frames_[i].dropped = true;
  }
}

Result<void> FamilyWalk::make_whole(const FamilyMember& member, std::uint64_t end, GitBuffer& out) {
  const ByteView in = families_->pack().from(member.offset + member.head);
  if (member.size / limits::kGitMostPerByte > end - member.offset)
    return fail(Code::corrupt, fmt::format("it states {} bytes and cannot have them", member.size));
  TRY(const auto room, out.prepare(member.size));
  TRY(const std::size_t taken, inflater_.exactly(in, room));
  if (shared_.options.done != nullptr) shared_.options.done->fetch_add(taken, std::memory_order_relaxed);
  check_crc(member, end);
  return {};
}

Result<void> FamilyWalk::make_delta(std::uint32_t member, ByteView base, GitBuffer& out) {
  TRY_VOID(make_whole(families_->members()[member], families_->end_of(member), delta_));
  TRY(const DeltaSizes sizes, delta_sizes(delta_.view()));
  TRY(const auto room, out.prepare(sizes.result));
  return apply_delta(base, delta_.view(), sizes, room, &copies_);
}

// A base that was dropped: its line is made again from the nearest one that is held.
Result<void> FamilyWalk::make_again(std::uint32_t member, GitBuffer& out) {
  std::vector<std::uint32_t> line;
  const auto& members = families_->members();
  const auto held = [&](std::uint32_t at) {
    return std::ranges::find_if(frames_, [&](const Frame& f) { return f.member == at && !f.dropped; });
  };
  std::uint32_t at = member;
  for (; members[at].parent != kNobody && held(at) == frames_.end(); at = members[at].parent)
    line.push_back(at);
  GitBuffer made;
  ByteView base;
  if (const auto frame = held(at); frame != frames_.end()) {
    base = frame->bytes.view();
  } else {
    if (!make_root(at, made)) return fail(Code::corrupt, "its base cannot be read");
    base = made.view();
  }
  for (; !line.empty(); line.pop_back()) {
    GitBuffer next;
    TRY_VOID(make_delta(line.back(), base, next));
    made = std::move(next);
    base = made.view();
  }
  out = std::move(made);
  return {};
}

bool FamilyWalk::make_root(std::uint32_t root, GitBuffer& out) {
  const FamilyMember& member = families_->members()[root];
  if (member.outside) return make_outside(root, out);
  const auto made = make_whole(member, families_->end_of(root), out);
  if (!made) lose(root, made.error());
  return made.has_value();
}

// A delta whose base lies in another pack or by itself.
bool FamilyWalk::make_outside(std::uint32_t root, GitBuffer& out) {
  const FamilyMember& member = families_->members()[root];
  ObjectReader reader(shared_.database, shared_.bases, limits::kGitObject);
  const auto object = reader.read(ObjectDatabase::Place{pack_, member.nth});
  if (!object) {
    lose(root, object.error());
    return false;
  }
  const auto room = out.prepare(object->bytes->size());
  if (!room) {
    lose(root, room.error());
    return false;
  }
  std::ranges::copy(ByteView(*object->bytes), room->begin());
  return true;
}

std::unique_ptr<SweepTrace> FamilyWalk::visit(std::uint32_t member, ByteView bytes, const SweepTrace* base,
                                              bool is_delta) {
  const FamilyMember& about = families_->members()[member];
  SweptObject object;
  object.id = families_->pack().index().id(about.nth);
  object.type = about.type;
  object.bytes = bytes;
  object.copies = is_delta ? &copies_ : nullptr;
  object.base = base;
  object.has_deltas = about.child != kNobody;
  object.repeated = repeated(object.id);
  if (!object.repeated) {
    ++stats_.objects;
    stats_.bytes += bytes.size();
  }
  return visitor_.visit(object);
}

bool FamilyWalk::repeated(const ObjectId& id) const {
  for (std::uint32_t earlier = 0; earlier < pack_; ++earlier)
    if (shared_.database.packs()[earlier]->index().find(id)) return true;
  return false;
}

void FamilyWalk::check_crc(const FamilyMember& member, std::uint64_t end) {
  const auto crc = families_->pack().index().crc(member.nth);
  const ByteView stored = families_->pack().file().view().subspan(member.offset, end - member.offset);
  if (crc && *crc != crc_of(stored))
    shared_.problems.add(fmt::format("object {} in {}", families_->pack().index().id(member.nth).hex(),
                                     families_->pack().name()),
                         "its checksum in the index is another; what could be read of it was scanned");
}

// Says that the member and all that stands on it cannot be read.
void FamilyWalk::lose(std::uint32_t member, const Error& error) {
  shared_.problems.add(shown(member), error);
  const auto& members = families_->members();
  std::vector<std::uint32_t> lost{member};
  while (!lost.empty()) {
    const std::uint32_t base = lost.back();
    lost.pop_back();
    for (std::uint32_t child = members[base].child; child != kNobody; child = members[child].sibling) {
      shared_.problems.add(shown(child), "its base cannot be read");
      lost.push_back(child);
    }
  }
}

std::string FamilyWalk::shown(std::uint32_t member) const {
  const FamilyMember& about = families_->members()[member];
  return fmt::format("{} {} in {}", type_name(about.type), families_->pack().index().id(about.nth).hex(),
                     families_->pack().name());
}

GitBuffer FamilyWalk::take_buffer() {
  if (spare_.empty()) return {};
  GitBuffer buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void FamilyWalk::give_back(GitBuffer buffer) {
  // Large ones are rare, and few are needed at once.
  if (buffer.memory() > 0 && buffer.memory() <= limits::kGitSpareBuffer &&
      spare_.size() < limits::kGitSpareBuffers)
    spare_.push_back(std::move(buffer));
}

void FamilyWalk::visit_loose(const ObjectId& id) {
  if (shared_.database.find_packed(id)) return;
  ObjectReader reader(shared_.database, 0, limits::kGitObject);
  const auto object = reader.read(id);
  if (!object) {
    shared_.problems.add(fmt::format("object {}", id.hex()), object.error());
    return;
  }
  if (object->type == ObjectType::tree) return;
  ++stats_.objects;
  stats_.bytes += object->bytes->size();
  SweptObject swept;
  swept.id = id;
  swept.type = object->type;
  swept.bytes = *object->bytes;
  visitor_.visit(swept);
}

}  // namespace claviger::scan
