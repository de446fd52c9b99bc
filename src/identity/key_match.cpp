// Recognising a virtual key by the SHA-256 of its token.
#include "crypto/hash.hpp"
#include "identity/key.hpp"

namespace claviger::identity {
namespace {

// No token begins like this, so that a tag is never a token's digest.
Digest tag_of(const crypto::HmacSha256& pepper, const Digest& sha256) {
  std::string message = "leak-match/";
  message += as_text(sha256);
  return pepper.mac(message);
}

}  // namespace

Result<void> Keys::remember(store::Tx& tx, std::string_view id, std::string_view token) {
  const Digest tag = tag_of(pepper_, crypto::sha256(token));
  TRY_VOID(
      tx.run("INSERT INTO key_match (key, number, tag) "
             "VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM key_match WHERE key = ?1), ?2)",
             {store::value(id), store::value(ByteView(tag))}));
  return {};
}

Result<std::vector<Keys::Match>> Keys::match(std::span<const Digest> sha256) {
  std::vector<Match> found;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    found.clear();
    for (const Digest& one : sha256) {
      TRY(const auto rows,
          tx.query("SELECT key, number, number = (SELECT max(number) FROM key_match o WHERE o.key = m.key) "
                   "FROM key_match m WHERE tag = ?1",
                   {store::value(ByteView(tag_of(pepper_, one)))}));
      for (const store::Row& row : rows)
        found.push_back({one, row.text(0), row.integer(1), row.integer(2) != 0});
    }
    return {};
  }));
  return found;
}

Result<std::int64_t> Keys::newest(std::string_view id) {
  std::int64_t number = 0;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT coalesce(max(number), 0) FROM key_match WHERE key = ?1", {store::value(id)}));
    number = rows.at(0).integer(0);
    return {};
  }));
  return number;
}

}  // namespace claviger::identity
