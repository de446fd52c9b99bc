// Makes texts from templates, so that no rule file holds anything that looks like a secret, and every test
// has as many different ones as it wants, with right checksums.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/rng.hpp"
#include "detect/rule.hpp"

namespace claviger::detect {

// A template is text with parts in braces, each replaced:
//   {A30}  30 of A-Za-z0-9       {U30} and - _        {B30} A-Za-z0-9+/     {L30} letters   {D6} digits
//   {H32}  lower-case hex        {S32} a-z0-9         {C16} A-Z0-9          {T16} A-Z2-7    {Q52} a-z2-7
//   {W20}  A-Za-z0-9_
//   {uuid} {jwt} {pem} {der} {presigned} {age}
//   {!github} {!claviger} {!grafana} {!azure}  the checksum of what stands before, from the last blank or
//   quote {secret} a sample of the rule itself        {base64:TEXT} {hex:TEXT}  TEXT, expanded, encoded
// Everything else in braces stays. The same rule, template and seed give the same text.
std::string expand_sample(const Rule& rule, std::string_view text, std::uint64_t seed);
std::string expand_sample(const Rule& rule, std::string_view text, SeededRng& rng);

}  // namespace claviger::detect
