// The program: one door to the gate, the steward's command line and the sandbox provider.
#include "app/cli.hpp"

int main(int argc, char** argv) { return claviger::app::run(argc, argv); }
