// Secrets from a descriptor into a body, without a copy left behind.
#include "app/secret_body.hpp"

#include "app/house.hpp"
#include "base/json_writer.hpp"
#include "crypto/wipe.hpp"

namespace claviger::app {

std::shared_ptr<SecretSource> add_secret_source(CLI::App* command) {
  auto source = std::make_shared<SecretSource>();
  auto* from = command->add_option_group("secret");
  from->add_flag("--secret-stdin", source->from_stdin, "Read the secret from stdin");
  from->add_option("--secret-fd", source->fd, "Read the secret from this descriptor");
  from->require_option(1);
  return source;
}

// Puts the secret into the body by hand: a JSON library would leave copies of it behind.
int ask_with_secret(Terminal& terminal, const Common& common, const SecretSource& source,
                    console::ApiRequest asked, const Show& show) {
  auto secret = read_secret_fd(source.from_stdin ? terminal.in : source.fd);
  if (!secret) return tell(terminal, common.output(), secret.error());
  std::string body;
  body.reserve(asked.body.size() + source.field.size() + 6 * secret->size() + 32);
  body.append(asked.body, 0, asked.body.size() - 1);  // without the closing brace
  if (asked.body.size() > 2) body += ',';
  append_json_string(body, source.field);
  body += ':';
  append_json_string(body, *secret);
  body += '}';
  crypto::wipe(*secret);
  asked.body = std::move(body);
  const int code = ask(terminal, common, asked, show);
  crypto::wipe(asked.body);
  return code;
}

}  // namespace claviger::app
