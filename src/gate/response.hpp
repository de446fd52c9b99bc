// The answer's head as the client gets it, and chunk framing of its body.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "ledger/ledger.hpp"
#include "provider/dialect.hpp"
#include "wire/http1.hpp"

namespace claviger::gate {

// How the body goes to the client.
enum class Framing { length, chunked };

// The key's own limits, in the headers by which the dialect's SDKs know theirs.
void append_allowance(std::string& out, provider::Dialect dialect, const ledger::Allowance& allowance,
                      Time now);

// The provider's head without what concerns only the provider's account, our connection to it, or the edge it
// came through. Our request id is added, and `more`: whole header lines.
std::string response_head(const wire::ResponseHead& head, Framing framing, std::string_view request_id,
                          std::string_view more = {});

// "1a2b\r\n": what goes in front of a chunk.
std::string chunk_head(std::size_t size);
// One whole chunk.
std::string chunk(std::string_view payload);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kChunkEndAndLast = "\r\n0\r\n\r\n";

}  // namespace claviger::gate
