// Git hooks that scan: where they lie, what stands in them, and the proof that they refuse a leak.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace claviger::app {

inline constexpr std::string_view kHookTypes[] = {"pre-commit", "pre-push"};

// A folder of hooks: of one repository, or of this user (core.hooksPath).
struct HookPlace {
  std::string folder;
  bool global = false;
};

// The repository around `path` by git's own reckoning: worktrees and core.hooksPath included. Or the user's:
// the present global core.hooksPath, or the one that install_hook() will set. not_found outside of a
// repository.
Result<HookPlace> find_hooks(const std::string& path, bool global);

// passing: one that a global folder has for the sake of the repository's own.
enum class HookState : std::uint8_t { absent, foreign, passing, ours };
HookState hook_state(const HookPlace& place, std::string_view type);

// Writes the hook, which runs `program`. One that is there already is kept and runs first. Then shows the
// hook a canary, a made-up key in a repository of its own, and a file without one; a hook that does not
// refuse the one and let the other pass is taken away again, with an error. Returns what people should know.
Result<std::vector<std::string>> install_hook(const HookPlace& place, std::string_view type,
                                              const std::string& program);
// Takes ours away and puts back what was there before; false when there is none of ours.
Result<bool> uninstall_hook(const HookPlace& place, std::string_view type);

}  // namespace claviger::app
