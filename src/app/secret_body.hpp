// A request whose body holds a secret that was read from a descriptor.
#pragma once

#include <memory>
#include <string_view>

#include "app/command.hpp"

namespace claviger::app {

struct SecretSource {
  bool from_stdin = false;
  int fd = -1;
  std::string_view field = "secret";  // of the body
};

// --secret-stdin and --secret-fd, of which one must be given.
std::shared_ptr<SecretSource> add_secret_source(CLI::App* command);
// Puts the secret into the body, and asks.
int ask_with_secret(Terminal& terminal, const Common& common, const SecretSource& source,
                    console::ApiRequest asked, const Show& show);

}  // namespace claviger::app
