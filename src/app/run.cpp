// The program's own arguments, streams and servers behind the command line.
#include <iostream>

#include "app/cli.hpp"

namespace claviger::app {

int run(int argc, char** argv) {
  Terminal terminal{std::cout, std::cerr, 0, serve, sandbox};
  const int code = run_command(std::vector<std::string>(argv + 1, argv + argc), terminal);
  std::cout.flush();
  return std::cout ? code : kFailure;
}

}  // namespace claviger::app
