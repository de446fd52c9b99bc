// [[notify]] and [[watch]] of claviger.toml.
#include <algorithm>
#include <cstdlib>

#include "app/channels.hpp"
#include "app/config_parts.hpp"
#include "app/hook_keys.hpp"
#include "base/limits.hpp"
#include "crypto/wipe.hpp"
#include "identity/key.hpp"
#include "net/address.hpp"

namespace claviger::app {
namespace {

using steward::Channel;
using steward::ChannelKind;

constexpr std::string_view kNotify[] = {"name",    "kind",        "events",     "url",    "url_file",
                                        "url_env", "secret_file", "secret_env", "server", "tls",
                                        "user",    "from",        "to"};
constexpr std::string_view kWatch[] = {"repository", "folder", "name"};
constexpr std::string_view kPager = "https://events.pagerduty.com/v2/enqueue";

// The tables of an array such as [[notify]].
Result<std::vector<const toml::table*>> tables(const toml::table& file, std::string_view name,
                                               std::size_t most, std::span<const std::string_view> known) {
  std::vector<const toml::table*> list;
  const toml::node* node = file.get(name);
  if (node == nullptr) return list;
  const toml::array* array = node->as_array();
  if (array == nullptr) return bad(*node, fmt::format("'{0}' is written [[{0}]].", name));
  if (array->size() > most) return bad(*node, fmt::format("there are at most {} [[{}]].", most, name));
  for (const toml::node& element : *array) {
    const toml::table* table = element.as_table();
    if (table == nullptr) return bad(element, fmt::format("'{0}' is written [[{0}]].", name));
    TRY_VOID(check_keys(*table, name, known));
    list.push_back(table);
  }
  return list;
}

bool is_mail_address(std::string_view text) {
  const std::size_t at = text.find('@');
  const auto odd = [](char c) {
    return c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == ',' || c == '"';
  };
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == text.npos && text.size() <= 254 && std::ranges::none_of(text, odd);
}

Result<void> check_mail(const toml::table& table, ChannelConfig& channel, const Config& config) {
  const auto server = net::parse_host_port(channel.server);
  if (!server) return bad(table, "'server' of a mail channel is HOST:PORT.");
  // The same hosts as of any other address outside.
  if (const auto url = steward::read_outside_url("https://" + channel.server, config.private_hosts); !url)
    return bad(*table.get("server"), fmt::format("'server': {}", told(url.error())));
  if (channel.tls != "starttls" && channel.tls != "implicit")
    return bad(table, "'tls' is starttls or implicit.");
  if (!is_mail_address(channel.from)) return bad(table, "'from' is a mail address.");
  if (channel.to.empty() || !std::ranges::all_of(channel.to, is_mail_address))
    return bad(table, "'to' is a list of mail addresses.");
  const bool secret = !channel.secret_file.empty() || !channel.secret_env.empty();
  if (channel.user.empty() == secret)
    return bad(table, "'user' and 'secret_file' go together: give both or neither.");
  return {};
}

Result<void> check_channel(const toml::table& table, ChannelConfig& channel, const Config& config) {
  if (!identity::check_label("name", channel.name))
    return bad(table, "'name' is letters, digits, '.', '_' or '-'.");
  for (const ChannelConfig& other : config.channels)
    if (other.name == channel.name)
      return bad(table, fmt::format("there are two channels '{}'.", channel.name));
  if (channel.kind == ChannelKind::smtp) return check_mail(table, channel, config);
  for (const std::string_view key : {"server", "tls", "user", "from", "to"})
    if (table.contains(key)) return bad(*table.get(key), fmt::format("'{}' is for mail channels only.", key));
  if (channel.kind == ChannelKind::slack && !channel.url.empty())
    return bad(*table.get("url"), "the URL of a Slack webhook is a secret: name its file in 'url_file'.");
  const bool hidden = !channel.url_file.empty() || !channel.url_env.empty();
  if (channel.kind == ChannelKind::pagerduty && channel.url.empty() && !hidden) channel.url = kPager;
  if (channel.url.empty() != hidden)
    return bad(table, "a channel has one of 'url', 'url_file' and 'url_env'.");
  if (channel.kind != ChannelKind::slack && channel.secret_file.empty() && channel.secret_env.empty())
    return bad(table, "this kind of channel has a secret: name its file in 'secret_file'.");
  if (channel.url.empty()) return {};
  if (const auto url = steward::read_outside_url(channel.url, config.private_hosts); !url)
    return bad(*table.get("url"), fmt::format("'url': {}", told(url.error())));
  return {};
}

Result<void> read_channel(const toml::table& table, Config& config) {
  ChannelConfig channel;
  std::string kind;
  TRY_VOID(read(table, "name", channel.name, "a text"));
  TRY_VOID(read(table, "kind", kind, "a text"));
  TRY_VOID(read_texts(table, "events", channel.events));
  TRY_VOID(read(table, "url", channel.url, "a text"));
  TRY_VOID(read(table, "url_file", channel.url_file, "a text"));
  TRY_VOID(read(table, "url_env", channel.url_env, "a text"));
  TRY_VOID(read(table, "secret_file", channel.secret_file, "a text"));
  TRY_VOID(read(table, "secret_env", channel.secret_env, "a text"));
  TRY_VOID(read(table, "server", channel.server, "a text"));
  TRY_VOID(read(table, "tls", channel.tls, "a text"));
  TRY_VOID(read(table, "user", channel.user, "a text"));
  TRY_VOID(read(table, "from", channel.from, "a text"));
  TRY_VOID(read_texts(table, "to", channel.to));
  bool known = false;
  for (const auto one :
       {ChannelKind::slack, ChannelKind::cloudevents, ChannelKind::smtp, ChannelKind::pagerduty}) {
    if (kind != steward::name_of(one)) continue;
    channel.kind = one;
    known = true;
  }
  if (!known) return bad(table, "'kind' is slack, cloudevents, smtp or pagerduty.");
  TRY_VOID(check_channel(table, channel, config));
  config.channels.push_back(std::move(channel));
  return {};
}

// From the file or the environment; empty when neither is named. The refusal never quotes it.
Result<std::string> hidden_text(const ChannelConfig& channel, const std::string& file,
                                const std::string& variable) {
  if (!file.empty()) return read_secret_file(file);
  if (variable.empty()) return std::string();
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0')
    return refuse(Code::configuration,
                  fmt::format("The channel {}: the variable {} is not set.", channel.name, variable));
  return std::string(value);
}

Result<void> put_secrets(const ChannelConfig& asked, Channel& channel) {
  TRY(std::string text, hidden_text(asked, asked.secret_file, asked.secret_env));
  if (asked.kind != ChannelKind::cloudevents) {
    if (!text.empty()) channel.secrets.push_back(std::move(text));
    return {};
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find_first_of(" \r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) continue;
    auto secret = steward::read_signing_secret(line);
    if (!secret)
      return refuse(Code::configuration,
                    fmt::format("The channel {}: {}.", asked.name, told(secret.error())));
    channel.secrets.push_back(*std::move(secret));
  }
  crypto::wipe(text);
  return {};
}

Result<Channel> make_channel(const ChannelConfig& asked, const Config& config) {
  Channel channel;
  channel.name = asked.name;
  channel.kind = asked.kind;
  channel.events = asked.events;
  TRY_VOID(put_secrets(asked, channel));
  if (asked.kind == ChannelKind::smtp) {
    TRY(const net::HostPort server, net::parse_host_port(asked.server));
    channel.host = server.host;
    channel.port = server.port;
    channel.tls = asked.tls == "implicit" ? steward::MailTls::implicit : steward::MailTls::starttls;
    channel.user = asked.user;
    channel.from = asked.from;
    channel.to = asked.to;
    return channel;
  }
  std::string url = asked.url;
  if (url.empty()) {
    TRY(url, hidden_text(asked, asked.url_file, asked.url_env));
  }
  auto read = steward::read_outside_url(url, config.private_hosts);
  crypto::wipe(url);
  if (!read)
    return refuse(Code::configuration, fmt::format("The channel {}: {}", asked.name, told(read.error())));
  channel.url = *std::move(read);
  return channel;
}

}  // namespace

Result<std::vector<Channel>> read_channels(const Config& config) {
  std::vector<Channel> channels;
  for (const ChannelConfig& asked : config.channels) {
    TRY(Channel channel, make_channel(asked, config));
    channels.push_back(std::move(channel));
  }
  return channels;
}

Result<void> read_notify(const toml::table& file, Config& config) {
  TRY(const auto channels, tables(file, "notify", limits::kNotifyChannels, kNotify));
  for (const toml::table* table : channels) TRY_VOID(read_channel(*table, config));
  TRY(const auto watches, tables(file, "watch", limits::kWatches, kWatch));
  for (const toml::table* table : watches) {
    WatchConfig watch;
    TRY_VOID(read(*table, "name", watch.name, "a text"));
    TRY_VOID(read(*table, "repository", watch.repository, "a text"));
    TRY_VOID(read(*table, "folder", watch.folder, "a text"));
    if (watch.repository.empty() == watch.folder.empty())
      return bad(*table, "a watch has a 'repository' or a 'folder'.");
    const std::string& path = watch.repository.empty() ? watch.folder : watch.repository;
    if (!path.starts_with('/')) return bad(*table, "the path of a watch is absolute.");
    if (watch.name.empty()) watch.name = path;
    config.watches.push_back(std::move(watch));
  }
  return {};
}

}  // namespace claviger::app
