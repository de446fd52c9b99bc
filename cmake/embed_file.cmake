# Script behind claviger_embed: writes one data file as a C++ byte array.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(SUBSTRING ${STEM} 0 1 first)
string(TOUPPER ${first} first)
string(SUBSTRING ${STEM} 1 -1 rest)
file(WRITE ${OUT} "// Made from ${STEM} by the build.
#include <string_view>
namespace ${NAMESPACE} {
static constexpr unsigned char kBytes[] = {${bytes}0};
extern const std::string_view k${first}${rest}Data;
const std::string_view k${first}${rest}Data{reinterpret_cast<const char*>(kBytes), sizeof(kBytes) - 1};
}
")
