// claviger init and doctor.
#include <fmt/format.h>

#include <ostream>

#include "app/command.hpp"
#include "app/doctor.hpp"
#include "app/house.hpp"

namespace claviger::app {
namespace {

int init(Terminal& terminal, const Common& common) {
  SystemRng rng;
  const auto made = init_data({common.data, common.unlock}, rng);
  if (!made) return tell(terminal, common.output(), made.error());
  if (common.json) {
    Json recipients = Json::array({"key_file"});
    if (made->passphrase) recipients.push_back("passphrase");
    terminal.out << Json{{"data", made->data},
                         {"root_key_file", made->root_key_file},
                         {"recipients", std::move(recipients)},
                         {"version", kVersion}}
                        .dump(2)
                 << '\n';
    return kOk;
  }
  terminal.out << fmt::format(
      "Made {}.\nThe vault opens with {}: keep a copy of this file away from the data.\n\nNext:\n"
      "  claviger credential add --data {} --name NAME --provider openai --environment dev --secret-stdin\n"
      "  claviger serve --data {} --listen 127.0.0.1:8080 --admin 127.0.0.1:8081\n",
      made->data, made->root_key_file, made->data, made->data);
  return kOk;
}

int doctor(Terminal& terminal, const Common& common) {
  const std::vector<Finding> findings = examine({common.data, common.config, common.unlock});
  bool failed = false;
  Json list = Json::array();
  for (const Finding& finding : findings) {
    failed = failed || finding.level == Level::fail;
    list.push_back({{"check", finding.check}, {"level", level_name(finding.level)}, {"what", finding.what}});
  }
  if (common.json) {
    terminal.out << Json{{"ok", !failed}, {"checks", std::move(list)}}.dump(2) << '\n';
  } else {
    for (const Finding& finding : findings)
      terminal.out << fmt::format("{:<4}  {:<14}  {}\n", level_name(finding.level), finding.check,
                                  finding.what);
  }
  return failed ? kNegative : kOk;
}

}  // namespace

void add_data_commands(Bench& bench) {
  CLI::App* make = bench.command(&bench.app, "init", "Makes a data directory with an empty vault",
                                 "  claviger init --data /var/lib/claviger\n"
                                 "  claviger init --data DIR --root-key-file /mnt/usb/root.key --json");
  auto common = add_common(make);
  bench.action(make, [&terminal = bench.terminal, common] { return init(terminal, *common); });

  CLI::App* check =
      bench.command(&bench.app, "doctor", "Looks for what is wrong with a data directory and its machine",
                    "  claviger doctor --data /var/lib/claviger");
  auto checked = add_common(check);
  bench.action(check, [&terminal = bench.terminal, checked] { return doctor(terminal, *checked); });
}

}  // namespace claviger::app
