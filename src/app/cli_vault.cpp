// claviger vault: who can open it, and the keys inside it.
#include <fmt/format.h>

#include <filesystem>
#include <ostream>

#include "app/command.hpp"
#include "app/secret_body.hpp"

namespace claviger::app {
namespace {

struct Adding {
  std::string key_file;
  bool passphrase = false;  // from stdin
};
struct Splitting {
  int shares = 5, threshold = 3;
};

void print_vault(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["recipients"])
    rows.push_back({plain(one["id"]), plain(one["kind"]),
                    one["threshold"].is_null() ? "opens alone"
                                               : fmt::format("{} of {} shares open", plain(one["threshold"]),
                                                             plain(one["shares"]))});
  print_table(out, {"ID", "RECIPIENT", ""}, rows);
  out << "\nKey-encryption key " << plain(body["term"]) << " is written with.\n";
  for (const Json& use : body["terms"])
    out << "  term " << plain(use["term"]) << ": " << plain(use["versions"]) << " versions\n";
  for (const Json& row : body["damaged"]) out << "DAMAGED: " << plain(row) << " does not open\n";
}

void print_rekeyed(const Json& body, std::ostream& out) {
  out << fmt::format("Key-encryption key {}: {} data keys wrapped anew.\n", plain(body["term"]),
                     plain(body["rewrapped"]));
  for (const Json& row : body["damaged"])
    out << plain(row) << " does not open and stays under its old term.\n";
}

void print_shares(const Json& body, std::ostream& out) {
  for (const Json& line : body["lines"]) out << plain(line) << '\n';
  out << fmt::format(
      "\nRecipient {}. Give each share to another person; any {} of them open the vault. They are not shown "
      "again.\n",
      plain(body["id"]), plain(body["threshold"]));
}

int add(Terminal& terminal, const Common& common, const Adding& asked) {
  const std::string path = "/api/v1/vault/recipients";
  const Show show = [](const Json& made, std::ostream& out) {
    out << "Recipient " << plain(made["id"]) << " can open the vault.\n";
  };
  if (asked.passphrase)
    return ask_with_secret(terminal, common, {true, -1, "passphrase"},
                           request("POST", path, {{"kind", "passphrase"}}), show);
  const std::string file = std::filesystem::absolute(asked.key_file).lexically_normal().string();
  return ask(terminal, common, request("POST", path, {{"kind", "key_file"}, {"key_file", file}}), show);
}

void add_recipient_commands(Bench& bench, CLI::App* vault) {
  CLI::App* group = vault->add_subcommand("recipient", "Who can open the vault, each enough alone");
  group->require_subcommand(1);
  CLI::App* make =
      bench.command(group, "add", "Lets one more key file or passphrase open the vault",
                    "  claviger vault recipient add --data DIR --key-file /mnt/usb/root.key\n"
                    "  claviger vault recipient add --data DIR --passphrase-stdin < phrase\n"
                    "  claviger vault recipient add --data DIR --shares-fd 0 --key-file new.key < "
                    "shares   # after the key file was lost");
  auto adding = add_common(make);
  auto asked = std::make_shared<Adding>();
  CLI::Option* file = make->add_option("--key-file", asked->key_file, "Read when it exists, made when not");
  CLI::Option* text = make->add_flag("--passphrase-stdin", asked->passphrase, "Read a passphrase from stdin");
  file->excludes(text);
  bench.action(make, [&terminal = bench.terminal, adding, asked] {
    if (asked->key_file.empty() && !asked->passphrase)
      return tell(terminal, adding->output(),
                  refuse(Code::invalid_input, "Give --key-file FILE or --passphrase-stdin.").error());
    return add(terminal, *adding, *asked);
  });

  CLI::App* remove = bench.command(group, "remove", "Takes a recipient's way to open the vault",
                                   "  claviger vault recipient remove --data DIR 2");
  auto removing = add_common(remove);
  auto id = std::make_shared<std::string>();
  remove->add_option("ID", *id, "From 'claviger vault status'")->required();
  bench.action(remove, [&terminal = bench.terminal, removing, id] {
    return ask(terminal, *removing, request("DELETE", "/api/v1/vault/recipients/" + segment(*id)),
               [id](const Json&, std::ostream& out) { out << "Removed recipient " << *id << ".\n"; });
  });

  CLI::App* split =
      bench.command(group, "split", "Makes break-glass shares, of which some together open the vault",
                    "  claviger vault recipient split --data DIR --shares 5 --threshold 3");
  auto splitting = add_common(split);
  auto parts = std::make_shared<Splitting>();
  split->add_option("--shares", parts->shares, "How many are made")->capture_default_str();
  split->add_option("--threshold", parts->threshold, "How many of them open the vault")
      ->capture_default_str();
  bench.action(split, [&terminal = bench.terminal, splitting, parts] {
    const Json body{{"kind", "shares"}, {"threshold", parts->threshold}, {"shares", parts->shares}};
    return ask(terminal, *splitting, request("POST", "/api/v1/vault/recipients", body), print_shares);
  });
}

}  // namespace

void add_vault_commands(Bench& bench) {
  CLI::App* group = bench.group("vault", "Who can open the vault, and the keys inside it");
  CLI::App* status = bench.command(group, "status", "Shows recipients, key-encryption keys and damage",
                                   "  claviger vault status --data DIR --json");
  auto looking = add_common(status);
  bench.action(status, [&terminal = bench.terminal, looking] {
    return ask(terminal, *looking, request("GET", "/api/v1/vault"), print_vault);
  });

  CLI::App* rekey =
      bench.command(group, "rekey", "Replaces the key-encryption key; every data key is wrapped anew",
                    "  claviger vault rekey --data DIR --json");
  auto rekeying = add_common(rekey);
  bench.action(rekey, [&terminal = bench.terminal, rekeying] {
    return ask(terminal, *rekeying, request("POST", "/api/v1/vault/rekey"), print_rekeyed);
  });
  add_recipient_commands(bench, group);
}

}  // namespace claviger::app
