// The inside of a scanner: what its two ways, from scratch and with the help of a trace, have in common.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "detect/decode.hpp"
#include "detect/engine.hpp"
#include "detect/find.hpp"
#include "detect/gather.hpp"
#include "detect/parts.hpp"
#include "detect/trace.hpp"

namespace claviger::detect {

struct Engine::Scanner::State {
  explicit State(std::shared_ptr<const Engine> of)
      : engine(std::move(of)),
        scratch_anywhere(engine->parts().anywhere.literals),
        scratch_near(engine->parts().near_dense.literals) {}

  std::shared_ptr<const Engine> engine;
  Scratch scratch_anywhere, scratch_near;
  // By depth of the text; made when first needed.
  struct Layer {
    Gatherer gatherer;
    Found found;
  };
  std::vector<std::unique_ptr<Layer>> layers;
  std::vector<Span> fresh;
  std::size_t allowed = 0;
  std::function<void()> flush;  // emits what the running scan has found so far

  Layer& layer(std::size_t depth) {
    while (layers.size() <= depth) layers.push_back(std::make_unique<Layer>());
    return *layers[depth];
  }
  void scan_text(std::string_view text, const Place& place, std::size_t depth, std::vector<Hit>& hits);
  void find_at(Look& look, const Meaning& meaning, std::size_t begin, std::size_t end);
  void find_near(Look& look, const Probe& run, std::size_t before);
  std::size_t judge(Look& look, Decoder& decoder, ProbeKind kind, const Probe& probe, std::size_t before);
  Visit visitor(const Place& place, std::size_t depth, std::vector<Hit>& hits);
  void emit(std::string_view bytes, const Place& place, std::vector<Hit>& hits, const Sink& sink);
  // The verdicts of a text with the help of those of another; its hits alone when nothing is to be left.
  // Null when they cannot be remembered.
  std::shared_ptr<Trace> retrace(std::string_view text, const Trace* base, std::span<const Repeat> repeats,
                                 Leave leave);
};

// Bytes that the texts hidden in one of `size` bytes may have.
inline Budget budget_of(std::size_t size) { return {size * 4 + limits::kDecodeSpare}; }

}  // namespace claviger::detect
