// The channels of a configuration, with the secrets that it names.
#pragma once

#include <vector>

#include "app/config.hpp"
#include "base/result.hpp"
#include "steward/channel.hpp"

namespace claviger::app {

// Reads what the configuration names. Refuses configuration with the channel's name; never quotes a secret.
Result<std::vector<steward::Channel>> read_channels(const Config& config);

}  // namespace claviger::app
