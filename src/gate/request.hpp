// Request: bytes from a client become something the rooms can judge; ambiguous or oversized ones end here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "gate/counted.hpp"
#include "gate/world.hpp"
#include "net/http.hpp"
#include "policy/forwarded.hpp"
#include "policy/ip.hpp"
#include "provider/route.hpp"
#include "wire/http1.hpp"
#include "wire/json.hpp"
#include "wire/multipart.hpp"

namespace claviger::gate {

// One request with its whole body. Views point into the connection, which forgets them at consume().
struct Request {
  wire::RequestHead head;
  std::string path;                            // as the routes know it: without the query and without /p/NAME
  std::string query;                           // as it goes upstream: without credentials
  std::string provider;                        // NAME of /p/NAME/...; empty: the dialect's own provider
  provider::RouteMatch match;                  // verdict included; views into `path`
  std::array<std::string_view, 5> shown_keys;  // every place a key may stand; empty where there is none
  std::string query_key;                       // the key of ?key=, which one of the views above shows
  policy::IpAddress ip;
  std::string ip_text;  // of `ip`, when it is not the peer's
  std::string_view body;
  Room room;              // that the body takes
  bool has_json = false;  // `json` is the scanned body
  wire::Json json;
  bool has_form = false;  // `form` is the body that was read
  wire::Form form;

  provider::Dialect dialect() const { return match.dialect; }
  const provider::Route& route() const { return *match.route; }
};

// Fills everything that the head says, with the providers of `world` for /p/NAME. Refuses what no route takes
// and shapes that cannot be trusted; the dialect of the answer is known even then.
Result<void> read_target(Request& request, const World& world);

// Where a request came from that came through proxies (policy/forwarded.hpp).
Result<policy::IpAddress> came_through(const policy::IpAddress& peer, std::span<const policy::Cidr> trusted,
                                       const wire::Headers& headers);

// The same for a path of our own, which no route takes: everything but a key in the query, which is not
// looked for there.
void read_own_target(Request& request);

// Reads the body and scans it as the route and its content type say: JSON or a form. Refuses body_too_large,
// invalid_json, duplicate_json_key, json_too_deep, invalid_form, unsupported_encoding.
net::Task<Result<void>> read_body(net::ServerConnection& connection, Request& request);

}  // namespace claviger::gate
