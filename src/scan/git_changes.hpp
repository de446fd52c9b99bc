// The blobs that commits changed: what a scan of a short range reads instead of everything.
#pragma once

#include <unordered_set>

#include "scan/git_commits.hpp"
#include "scan/git_objects.hpp"
#include "scan/git_problem.hpp"

namespace claviger::scan {

// Blobs on both sides of every difference between a commit that counts and its parents; of a commit without
// parents, all. A tree that cannot be read is a problem, unless it is missing and `promised`.
std::unordered_set<ObjectId> changed_blobs(const ObjectDatabase& database, const CommitTable& commits,
                                           bool promised, GitProblems& problems);

}  // namespace claviger::scan
