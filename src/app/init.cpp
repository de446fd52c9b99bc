// Making a data directory, and finding what opens it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "app/house.hpp"
#include "crypto/wipe.hpp"

namespace claviger::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSecretInput = 64 * 1024;
constexpr std::string_view kHint = "/root.path";  // in the data directory: where the root key file is kept

// Undoes what init made so far, unless it is told that all went well.
class Undo {
 public:
  explicit Undo(std::string data) : data_(std::move(data)), made_folder_(!fs::exists(data_)) {}
  ~Undo() {
    if (done_ || !began_) return;
    std::error_code ignored;
    for (const char* name : {"/claviger.db", "/claviger.db-wal", "/claviger.db-shm", "/version", "/root.path",
                             "/journal", "/audit", "/lock"})
      fs::remove_all(data_ + name, ignored);
    if (!key_file_.empty()) fs::remove(key_file_, ignored);
    if (made_folder_) fs::remove(data_, ignored);
  }
  void began() { began_ = true; }
  void made_key_file(const std::string& path) { key_file_ = path; }
  void done() { done_ = true; }

 private:
  std::string data_;
  std::string key_file_;
  bool made_folder_;
  bool began_ = false;
  bool done_ = false;
};

// The file's first line; empty when it is not there.
std::string read_hint(const store::DataDir& dir) {
  std::ifstream file(dir.path() + std::string(kHint));
  std::string line;
  std::getline(file, line);
  return line;
}

Result<void> write_hint(const store::DataDir& dir, const std::string& key_file) {
  std::ofstream file(dir.path() + std::string(kHint));
  file << key_file << '\n';
  file.close();
  if (!file) return fail(Code::io_failed, "writing root.path failed");
  fs::permissions(dir.path() + std::string(kHint), fs::perms::owner_read | fs::perms::owner_write);
  return {};
}

Result<std::optional<Secret>> read_passphrase(int fd) {
  if (fd < 0) return std::nullopt;
  TRY(std::string text, read_secret_fd(fd));
  return Secret::take(text);
}

// One share a line; empty lines do not count.
Result<std::vector<Secret>> read_shares(int fd) {
  std::vector<Secret> shares;
  if (fd < 0) return shares;
  TRY(std::string text, read_secret_fd(fd));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.find_first_not_of(" \t\r") != std::string::npos) shares.push_back(Secret::take(line));
    crypto::wipe(line);
    begin = end + 1;
  }
  crypto::wipe(text);
  return shares;
}

Result<void> fill(store::DataDir& dir, const InitOptions& options, const std::string& key_file, Rng& rng) {
  TRY(const auto store,
      store::SqliteStore::open({dir.database(), store::Durability::disk, store::kDataVersion}));
  TRY_VOID(install_tables(*store));
  vault::Recipients recipients;
  recipients.key_file = key_file;
  TRY(recipients.passphrase, read_passphrase(options.unlock.passphrase_fd));
  TRY_VOID(vault::Vault::init(*store, rng, recipients));
  if (key_file == dir.root_key()) return {};
  return write_hint(dir, key_file);
}

}  // namespace

Result<InitReport> init_data(const InitOptions& options, Rng& rng) {
  Undo undo(options.data);
  TRY(store::DataDir dir, store::DataDir::create(options.data));
  undo.began();
  const std::string key_file = options.unlock.root_key_file.empty()
                                   ? dir.root_key()
                                   : fs::absolute(options.unlock.root_key_file).lexically_normal().string();
  if (!fs::exists(key_file)) undo.made_key_file(key_file);
  TRY_VOID(fill(dir, options, key_file, rng));
  undo.done();
  return InitReport{fs::absolute(dir.path()).lexically_normal().string(), key_file,
                    options.unlock.passphrase_fd >= 0};
}

std::string config_path(const std::string& asked, const std::string& data) {
  if (!asked.empty()) return asked;
  const std::string beside = data + "/claviger.toml";
  return ::access(beside.c_str(), F_OK) == 0 ? beside : std::string();
}

Result<std::string> read_secret_fd(int fd) {
  std::string text;
  text.reserve(kSecretInput + 1);  // grows once: no second copy of the secret is left
  char piece[4096];
  for (;;) {
    const ssize_t got = ::read(fd, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(Code::io_failed, "reading the secret failed",
                  fmt::format("Descriptor {} cannot be read.", fd));
    if (got == 0) break;
    if (text.size() + static_cast<std::size_t>(got) > kSecretInput) {
      crypto::wipe(text);
      wipe_memory(piece, sizeof(piece));
      return refuse(Code::invalid_input, "The secret is longer than 64 KiB.");
    }
    text.append(piece, static_cast<std::size_t>(got));
  }
  wipe_memory(piece, sizeof(piece));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Result<vault::Unlock> make_unlock(const UnlockOptions& asked, const Config& config,
                                  const store::DataDir& dir) {
  vault::Unlock unlock;
  TRY(unlock.passphrase, read_passphrase(asked.passphrase_fd));
  TRY(unlock.shares, read_shares(asked.shares_fd));
  const std::string hint = read_hint(dir);
  std::string file = dir.root_key();
  if (!asked.root_key_file.empty())
    file = asked.root_key_file;
  else if (!config.root_key_file.empty())
    file = config.root_key_file;
  else if (!hint.empty())
    file = hint;
  const bool other_way = unlock.passphrase || !unlock.shares.empty();
  if (!other_way || fs::exists(file)) unlock.key_file = file;
  return unlock;
}

}  // namespace claviger::app
