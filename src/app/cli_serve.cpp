// claviger serve and sandbox: their options only; the servers are elsewhere.
#include <map>

#include "app/command.hpp"

namespace claviger::app {

void add_serve_commands(Bench& bench) {
  CLI::App* gate =
      bench.command(&bench.app, "serve", "Runs the gate and the admin API",
                    "  claviger serve --data DIR --listen 127.0.0.1:8080 --admin 127.0.0.1:8081");
  auto options = std::make_shared<ServeOptions>();
  gate->add_option("--data", options->data, "Data directory")->required()->envname("CLAVIGER_DATA");
  gate->add_option("--listen", options->listen, "HOST:PORT of the gate; port 0 takes a free one")->required();
  gate->add_option("--admin", options->admin, "HOST:PORT of the admin API")->required();
  gate->add_option("--config", options->config,
                   "Configuration file (default: claviger.toml in the data directory)");
  gate->add_option("--threads", options->threads, "Event loops; 0: one a core")->check(CLI::Range(0, 256));
  const std::map<std::string, store::Durability> durabilities{{"process", store::Durability::process},
                                                              {"disk", store::Durability::disk}};
  gate->add_option(
          "--durability", options->durability,
          "process: records survive the process; disk: records are on disk before a request goes out")
      ->transform(CLI::CheckedTransformer(durabilities))
      ->option_text("process|disk");
  add_unlock(gate, options->unlock);
  bench.action(gate, [&terminal = bench.terminal, options] { return terminal.serve(*options); });

  CLI::App* fake = bench.command(&bench.app, "sandbox", "Runs a double of the providers for trials and tests",
                                 "  claviger sandbox --listen 127.0.0.1:9090\n"
                                 "  claviger sandbox --listen 127.0.0.1:9090 --script faults.json");
  auto trial = std::make_shared<SandboxOptions>();
  fake->add_option("--listen", trial->listen, "HOST:PORT; port 0 takes a free one")->required();
  fake->add_option("--script", trial->script, "File with faults to play");
  fake->add_option("--key", trial->keys,
                   "A made-up provider key that is accepted (repeatable); any when absent")
      ->allow_extra_args(false);
  fake->add_option("--admin-key", trial->admin_key,
                   "A made-up admin secret: with it the providers' admin APIs are served too");
  fake->add_option("--key-file", trial->key_file,
                   "Accepted keys, one a line, as a server of your own has them; read again at "
                   "POST /_sandbox/reload");
  fake->add_flag("--lean", trial->lean,
                 "Answer everything with one small completion at once; for benchmarks");
  bench.action(fake, [&terminal = bench.terminal, trial] { return terminal.sandbox(*trial); });
}

}  // namespace claviger::app
