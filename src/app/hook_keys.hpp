// By what the bodies of webhooks are proven, read from the files that the configuration names.
#pragma once

#include <memory>

#include "app/config.hpp"
#include "base/result.hpp"
#include "console/api.hpp"

namespace claviger::app {

// Refuses configuration, naming the file, when one cannot be read or holds no key.
Result<std::shared_ptr<const console::HookKeys>> read_hook_keys(const Config& config);

// A small file with a secret in it, without the white space at its end. Refuses configuration naming the
// file. The caller wipes it.
Result<std::string> read_secret_file(const std::string& path);

}  // namespace claviger::app
