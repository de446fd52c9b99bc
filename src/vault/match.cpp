// Recognising a secret by its SHA-256, for whoever found it in the open.
#include "vault/leak_forms.hpp"
#include "vault/opened.hpp"
#include "vault/rows.hpp"

namespace claviger::vault {

Digest Vault::match_tag(const Digest& sha256) const { return ring_->matches.mac(ByteView(sha256)); }

Result<std::vector<Vault::Match>> Vault::match(std::span<const Digest> sha256) const {
  std::vector<Match> found;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    found.clear();
    for (const Digest& one : sha256) {
      TRY(const auto rows, tx.query("SELECT credential, number FROM credential_match WHERE tag = ?1",
                                    {store::value(ByteView(match_tag(one)))}));
      for (const store::Row& row : rows) found.push_back({one, row.text(0), row.integer(1)});
    }
    return {};
  }));
  return found;
}

Result<void> Vault::tag_version(store::Tx& tx, std::string_view id, std::int64_t number,
                                ByteView secret) const {
  for (const Digest& form : leak_forms(as_text(secret)))
    TRY_VOID(insert_match(tx, id, number, match_tag(form)));
  return {};
}

Result<void> Vault::tag_versions() {
  constexpr std::string_view kUntagged =
      "SELECT v.credential, v.number FROM credential_version v LEFT JOIN credential_match m "
      "ON m.credential = v.credential AND m.number = v.number WHERE m.tag IS NULL AND v.sealed IS NOT NULL";
  bool any = false;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query(kUntagged));
    any = !rows.empty();
    return {};
  }));
  if (!any) return {};
  return store_.write([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query(kUntagged));
    for (const store::Row& row : rows) {
      TRY(const Credential it, load(tx, row.text(0)));
      const auto secret = open_stored(tx, it, row.integer(1));
      if (!secret && secret.error().code == Code::corrupt) continue;
      if (!secret) return std::unexpected(secret.error());
      TRY_VOID(tag_version(tx, it.id, row.integer(1), ByteView(*secret)));
    }
    return {};
  });
}

}  // namespace claviger::vault
