// The root key in its slots, and the key file.
#include "vault/recipients.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "crypto/hash.hpp"
#include "vault/sealing.hpp"

namespace claviger::vault {
namespace {

constexpr std::size_t kKeyFileDigits = 64;

RecipientKind kind_of(std::string_view name) {
  if (name == "passphrase") return RecipientKind::passphrase;
  return name == "shares" ? RecipientKind::shares : RecipientKind::key_file;
}

Bound of_slot(std::string_view store_id, const Slot& slot) {
  Bound bound("claviger/recipient/1");
  bound.add(store_id).add(name_of(slot.kind)).add(as_text(slot.salt));
  bound.add(std::int64_t{slot.cost.passes}).add(std::int64_t{slot.cost.memory_kib});
  if (slot.kind == RecipientKind::shares)
    bound.add(std::int64_t{slot.split.threshold}).add(std::int64_t{slot.split.count});
  return bound;
}

crypto::Key from_key_file(const crypto::Key& file, ByteView salt) {
  crypto::Key key;
  crypto::hkdf_sha256(file, salt, as_bytes("claviger/recipient-key-file"), key.writable());
  return key;
}

Result<crypto::Key> from_passphrase(const Secret& passphrase, const Slot& slot, const SecretAccess& access) {
  const std::span<const char> text = passphrase.open(access);
  return crypto::argon2id({text.data(), text.size()}, slot.salt, slot.cost);
}

std::unexpected<Error> io(std::string_view doing, const std::string& path) {
  const std::string detail = fmt::format("{} {}: {}", doing, path, std::strerror(errno));
  return fail(Code::io_failed, detail, fmt::format("The key file cannot be used: {}.", detail));
}

struct CloseFd {
  explicit CloseFd(int number) : fd(number) {}
  ~CloseFd() {
    if (fd >= 0) ::close(fd);
  }
  CloseFd(const CloseFd&) = delete;
  CloseFd& operator=(const CloseFd&) = delete;
  int fd;
};

Result<std::vector<Slot>> load_slots(store::Store& store) {
  std::vector<Slot> found;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT kind, salt, passes, memory_kib, wrapped, threshold, shares FROM vault_recipient "
                 "ORDER BY id"));
    for (const store::Row& row : rows)
      found.push_back(
          {kind_of(row.text(0)),
           row.blob(1),
           {static_cast<std::uint32_t>(row.integer(2)), static_cast<std::uint32_t>(row.integer(3))},
           row.blob(4),
           {static_cast<int>(row.integer(5)), static_cast<int>(row.integer(6))}});
    return {};
  }));
  return found;
}

Result<crypto::Key> open_slot(std::string_view store_id, const Slot& slot, const crypto::Key& wrapping) {
  TRY(const crypto::WipedBytes raw,
      crypto::aead_open(wrapping, slot.wrapped, of_slot(store_id, slot).bytes()));
  if (raw.size() != 32) return fail(Code::corrupt, "the root key has a wrong length");
  return crypto::Key(ByteView(raw));
}

Result<crypto::Key> open_by_key_file(const std::vector<Slot>& all, std::string_view store_id,
                                     const std::string& path) {
  TRY(const crypto::Key file, read_key_file(path));
  for (const Slot& slot : all) {
    if (slot.kind != RecipientKind::key_file) continue;
    if (auto root = open_slot(store_id, slot, from_key_file(file, slot.salt))) return root;
  }
  return fail(Code::vault_sealed, path + " opens no slot",
              fmt::format("The key file {} does not open this vault.", path));
}

Result<crypto::Key> open_by_passphrase(const std::vector<Slot>& all, std::string_view store_id,
                                       const Secret& passphrase, const SecretAccess& access) {
  for (const Slot& slot : all) {
    if (slot.kind != RecipientKind::passphrase || slot.salt.size() != crypto::kArgon2Salt) continue;
    // A slot that cannot be tried must not keep another from being tried.
    const auto wrapping = from_passphrase(passphrase, slot, access);
    if (!wrapping) continue;
    if (auto root = open_slot(store_id, slot, *wrapping)) return root;
  }
  return refuse(Code::wrong_passphrase);
}

// Shares of one split carry the first digits of its slot's salt.
std::string set_of(const Slot& slot) {
  return hex(ByteView(slot.salt).first(std::min<std::size_t>(slot.salt.size(), 4)));
}

crypto::Key from_shares(const crypto::Key& joined, ByteView salt) {
  crypto::Key key;
  crypto::hkdf_sha256(joined, salt, as_bytes("claviger/recipient-shares"), key.writable());
  return key;
}

Result<crypto::Key> open_by_shares(const std::vector<Slot>& all, std::string_view store_id,
                                   const std::vector<Secret>& lines, const SecretAccess& access) {
  std::unexpected<Error> why =
      fail(Code::vault_sealed, "no slot for shares", "This vault was not split into shares.");
  for (const Slot& slot : all) {
    if (slot.kind != RecipientKind::shares) continue;
    const auto joined = join_lines(set_of(slot), lines, access);
    if (!joined) {
      why = std::unexpected(joined.error());
      continue;
    }
    if (auto root = open_slot(store_id, slot, from_shares(*joined, slot.salt))) return root;
    why = fail(Code::vault_sealed, "the shares do not open their slot",
               "The shares belong to this vault but do not open it: one of them is not genuine.");
  }
  return why;
}

Result<void> check_passphrase(const Secret& passphrase) {
  if (passphrase.size() >= kPassphraseShortest && passphrase.size() <= kPassphraseBytes) return {};
  return refuse(Code::invalid_input, fmt::format("The passphrase must have {} to {} bytes.",
                                                 kPassphraseShortest, kPassphraseBytes));
}

}  // namespace

std::string_view name_of(RecipientKind kind) {
  switch (kind) {
    case RecipientKind::key_file:
      return "key_file";
    case RecipientKind::passphrase:
      return "passphrase";
    case RecipientKind::shares:
      return "shares";
  }
  return "key_file";
}

Result<void> make_key_file(const std::string& path, Rng& rng) {
  const CloseFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.fd < 0) {
    if (errno == EEXIST)
      return refuse(Code::already_exists, fmt::format("The file {} exists already.", path));
    return io("making", path);
  }
  crypto::Key key;
  rng.fill(key.writable());
  std::string text = hex(key) + "\n";
  const bool written = ::write(file.fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(file.fd) == 0;
  crypto::wipe(text);
  if (written) return {};
  const auto failure = io("writing", path);
  ::unlink(path.c_str());
  return failure;
}

Result<crypto::Key> read_key_file(const std::string& path) {
  const CloseFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) {
    if (errno == ENOENT)
      return fail(Code::not_found, path + " does not exist", fmt::format("There is no key file {}.", path));
    return io("reading", path);
  }
  struct stat facts{};
  if (::fstat(file.fd, &facts) != 0) return io("looking at", path);
  if ((facts.st_mode & 077) != 0)
    return fail(
        Code::configuration, fmt::format("{} has mode {:o}", path, facts.st_mode & 07777),
        fmt::format("Others than its owner can read the key file. Close it with 'chmod 600 {}'.", path));
  std::string text(kKeyFileDigits + 2, '\0');
  const ssize_t got = ::read(file.fd, text.data(), text.size());
  if (got < 0) return io("reading", path);
  text.resize(static_cast<std::size_t>(got));
  if (text.ends_with('\n')) text.pop_back();
  auto bytes = unhex(text);
  crypto::wipe(text);
  const bool good = bytes && bytes->size() == kKeyFileDigits / 2;
  crypto::Key key;
  if (good) std::ranges::copy(*bytes, key.writable().begin());
  if (bytes) crypto::wipe(*bytes);
  if (!good)
    return fail(
        Code::configuration, path + " is no key file",
        fmt::format("{} is not a key file: it must hold {} hexadecimal digits.", path, kKeyFileDigits));
  return key;
}

Result<std::vector<Slot>> make_slots(Rng& rng, std::string_view store_id, const crypto::Key& root,
                                     const Recipients& recipients, const SecretAccess& access) {
  if (!recipients.key_file && !recipients.passphrase)
    return refuse(Code::invalid_input, "The vault needs a key file or a passphrase that can open it.");
  if (recipients.passphrase) TRY_VOID(check_passphrase(*recipients.passphrase));
  std::vector<Slot> made;
  const auto add = [&](Slot slot, const crypto::Key& wrapping) {
    slot.wrapped = crypto::aead_seal(wrapping, root, of_slot(store_id, slot).bytes(), rng);
    made.push_back(std::move(slot));
  };
  const auto fresh = [&](RecipientKind kind, crypto::Argon2Cost cost) {
    Slot slot{kind, Bytes(crypto::kArgon2Salt), cost, {}, {0, 0}};
    rng.fill(slot.salt);
    return slot;
  };
  if (recipients.key_file) {
    auto file = read_key_file(*recipients.key_file);
    if (!file && file.error().code == Code::not_found) {
      TRY_VOID(make_key_file(*recipients.key_file, rng));
      file = read_key_file(*recipients.key_file);
    }
    if (!file) return std::unexpected(file.error());
    Slot slot = fresh(RecipientKind::key_file, {0, 0});
    const crypto::Key wrapping = from_key_file(*file, slot.salt);
    add(std::move(slot), wrapping);
  }
  if (recipients.passphrase) {
    Slot slot = fresh(RecipientKind::passphrase, recipients.cost);
    TRY(const crypto::Key wrapping, from_passphrase(*recipients.passphrase, slot, access));
    add(std::move(slot), wrapping);
  }
  return made;
}

Result<SharedSlot> make_share_slot(Rng& rng, std::string_view store_id, const crypto::Key& root,
                                   const Split& split) {
  TRY_VOID(check_split(split));
  SharedSlot made{{RecipientKind::shares, Bytes(crypto::kArgon2Salt), {0, 0}, {}, split}, {}};
  rng.fill(made.slot.salt);
  crypto::Key joined;
  rng.fill(joined.writable());
  const crypto::Key wrapping = from_shares(joined, made.slot.salt);
  made.slot.wrapped = crypto::aead_seal(wrapping, root, of_slot(store_id, made.slot).bytes(), rng);
  made.lines = write_shares(
      set_of(made.slot), split.threshold,
      crypto::split_secret(ByteView(joined.data(), joined.size()), split.threshold, split.count, rng));
  return made;
}

Result<void> insert_slots(store::Tx& tx, const std::vector<Slot>& slots) {
  TRY(const auto rows, tx.query("SELECT count(*) FROM vault_recipient"));
  if (rows.front().integer(0) + static_cast<std::int64_t>(slots.size()) >
      static_cast<std::int64_t>(kRecipients))
    return refuse(Code::conflict,
                  fmt::format("A vault has at most {} recipients: remove one first.", kRecipients));
  for (const Slot& slot : slots)
    TRY_VOID(
        tx.run("INSERT INTO vault_recipient (kind, salt, passes, memory_kib, wrapped, threshold, shares) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
               {store::value(name_of(slot.kind)), slot.salt, std::int64_t{slot.cost.passes},
                std::int64_t{slot.cost.memory_kib}, slot.wrapped, std::int64_t{slot.split.threshold},
                std::int64_t{slot.split.count}}));
  return {};
}

Result<std::vector<Recipient>> load_recipients(store::Store& store) {
  std::vector<Recipient> all;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT id, kind, threshold, shares FROM vault_recipient ORDER BY id"));
    for (const store::Row& row : rows)
      all.push_back({row.integer(0),
                     kind_of(row.text(1)),
                     {static_cast<int>(row.integer(2)), static_cast<int>(row.integer(3))}});
    return {};
  }));
  return all;
}

Result<crypto::Key> open_root(store::Store& store, std::string_view store_id, const Unlock& unlock,
                              const SecretAccess& access) {
  TRY(const std::vector<Slot> all, load_slots(store));
  std::string why = "neither a key file, a passphrase nor shares were given";
  if (unlock.key_file) {
    auto root = open_by_key_file(all, store_id, *unlock.key_file);
    if (root) return root;
    why = told(root.error());
  }
  if (unlock.passphrase) {
    auto root = open_by_passphrase(all, store_id, *unlock.passphrase, access);
    if (root || unlock.shares.empty()) return root;
  }
  if (!unlock.shares.empty()) return open_by_shares(all, store_id, unlock.shares, access);
  return fail(Code::vault_sealed, why, fmt::format("The vault cannot be opened: {}", why));
}

}  // namespace claviger::vault
