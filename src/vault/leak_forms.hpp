// The forms in which a secret is found in the open.
#pragma once

#include <string_view>
#include <vector>

#include "base/encoding.hpp"

namespace claviger::vault {

// SHA-256 of the secret, and of the parts of it that open what it opens and that stand alone where they leak:
// of "ID:SECRET" and "ID:SECRET:TOKEN" what stands behind the id (which is no secret), of a service account's
// JSON document its private key, as PEM in lines of 64 without an end of line behind, which is how scanners
// report it.
std::vector<Digest> leak_forms(std::string_view secret);

}  // namespace claviger::vault
