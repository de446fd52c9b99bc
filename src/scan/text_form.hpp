// Foreign text, such as a file's name, made harmless for the place where it is shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace claviger::scan {

// Invalid UTF-8 becomes U+FFFD; everything else stays.
std::string clean_utf8(std::string_view text);
// For terminals and logs: control bytes as \n, \t or \x1b, so that a name can neither begin a line nor move
// the cursor; invalid UTF-8 as \xff.
std::string visible(std::string_view text);
// For XML text and attributes; characters that XML 1.0 cannot hold become U+FFFD.
std::string xml_text(std::string_view text);
// One cell of RFC 4180, quoted where it must be. A cell that a spreadsheet would compute gets a ' in front.
std::string csv_cell(std::string_view text);
// A relative path as a URI reference: '/' stays, other reserved bytes are percent-encoded.
std::string uri_path(std::string_view path);
// "12", "3.4 KB", "1.2 GB": powers of 1000.
std::string bytes_text(std::uint64_t bytes);
// "1 file", "2 files".
std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace claviger::scan
