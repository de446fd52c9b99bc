// The one way in which a PEM block is written when it is compared.
#pragma once

#include <string>
#include <string_view>

namespace claviger {

// The block of that label ("PRIVATE KEY") in lines of 64, without an end of line behind. `body` is base64
// without blanks.
std::string pem_block(std::string_view label, std::string_view body);

}  // namespace claviger
