// AWS's XML answers as JSON, so that one reader reads all providers.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::provider {

// The root element's content: an element with elements is an object, one whose elements are all named
// "member" a list, any other a text. Attributes, comments and instructions are skipped; a document type is
// refused, as is what is not well-formed (upstream_malformed). Of two elements of one name the first counts.
Result<std::string> xml_as_json(std::string_view xml);

}  // namespace claviger::provider
