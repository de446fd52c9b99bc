// Who can open the vault: slots in each of which the root key lies wrapped, any one of them enough.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "crypto/aead.hpp"
#include "store/store.hpp"
#include "vault/shares.hpp"

namespace claviger::vault {

inline constexpr std::size_t kPassphraseBytes = 1024;  // the longest
inline constexpr std::size_t kPassphraseShortest = 12;
inline constexpr std::size_t kRecipients = 16;

enum class RecipientKind : std::uint8_t { key_file, passphrase, shares };
std::string_view name_of(RecipientKind kind);

struct Recipient {
  std::int64_t id = 0;
  RecipientKind kind = RecipientKind::key_file;
  Split split{0, 0};  // of shares
};

// Who is to be able to open it. Two recipients are wise: one automatic, one kept offline.
struct Recipients {
  std::optional<std::string> key_file;  // path: read when it exists, made (0600) when not
  std::optional<Secret> passphrase;
  crypto::Argon2Cost cost;  // of the passphrase
};

// What is at hand to open it. Each is tried by itself: the key file first.
struct Unlock {
  std::optional<std::string> key_file;
  std::optional<Secret> passphrase;
  std::vector<Secret> shares;  // lines, in any order
};

// 32 random bytes as 64 hex digits and a line end, mode 0600; already_exists rather than overwritten.
Result<void> make_key_file(const std::string& path, Rng& rng);
// not_found, io_failed; configuration when others than the owner can read it or it is no key file.
Result<crypto::Key> read_key_file(const std::string& path);

// The root key wrapped for one recipient: a row of vault_recipient.
struct Slot {
  RecipientKind kind = RecipientKind::key_file;
  Bytes salt;
  crypto::Argon2Cost cost;
  Bytes wrapped;
  Split split{0, 0};  // of shares
};

// Wraps `root` for each of `recipients`, which takes the time of Argon2id and may make the key file.
// invalid_input when there is none or the passphrase is too short or long; errors of the key file.
Result<std::vector<Slot>> make_slots(Rng& rng, std::string_view store_id, const crypto::Key& root,
                                     const Recipients& recipients, const SecretAccess& access);
// Wraps `root` for people who each keep a share. The lines are for the caller to show once and to wipe.
struct SharedSlot {
  Slot slot;
  std::vector<std::string> lines;
};
Result<SharedSlot> make_share_slot(Rng& rng, std::string_view store_id, const crypto::Key& root,
                                   const Split& split);
// conflict beyond kRecipients.
Result<void> insert_slots(store::Tx& tx, const std::vector<Slot>& slots);

Result<std::vector<Recipient>> load_recipients(store::Store& store);

// The root key, from the first slot that opens: by key file, passphrase, shares. wrong_passphrase when a
// passphrase was given and none opened; invalid_input for a mistyped share; vault_sealed (saying why)
// otherwise.
Result<crypto::Key> open_root(store::Store& store, std::string_view store_id, const Unlock& unlock,
                              const SecretAccess& access);

}  // namespace claviger::vault
