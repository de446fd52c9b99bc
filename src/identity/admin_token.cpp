// Admin tokens in the store.
#include "identity/admin_token.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/equal.hpp"
#include "identity/key.hpp"
#include "identity/token.hpp"

namespace claviger::identity {

const std::string_view kAdminTokenSchema = R"sql(
CREATE TABLE IF NOT EXISTS admin_token (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL CHECK (role IN ('owner', 'operator', 'developer', 'auditor')),
  digest     BLOB NOT NULL CHECK (length(digest) = 32),
  created    INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  created_by TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS admin_token_bound (
  id      TEXT PRIMARY KEY REFERENCES admin_token (id) ON DELETE CASCADE,
  rotates TEXT NOT NULL
) STRICT;
)sql";

namespace {

using store::Row;
using store::Tx;

constexpr Role kRoles[] = {Role::owner, Role::operator_, Role::developer, Role::auditor};

Result<AdminToken> read_token(const Row& row) {
  AdminToken token;
  token.id = row.text(0);
  token.name = row.text(1);
  auto role = parse_role(row.text(2));
  if (!role) return fail(Code::corrupt, "an admin token has an unknown role");
  token.role = *role;
  token.created = {row.integer(3)};
  token.expires = {row.integer(4)};
  token.created_by = row.text(5);
  if (!row.null(6)) token.rotates = row.text(6);
  return token;
}

}  // namespace

std::string_view role_name(Role role) {
  constexpr std::string_view names[] = {"owner", "operator", "developer", "auditor"};
  return names[static_cast<std::size_t>(role)];
}

Result<Role> parse_role(std::string_view text) {
  for (const Role role : kRoles)
    if (role_name(role) == text) return role;
  return refuse(Code::invalid_input, "role: one of owner, operator, developer, auditor");
}

AdminTokens::AdminTokens(store::Store& store, Rng& rng, const Clock& clock, crypto::HmacSha256 pepper)
    : store_(store), rng_(rng), clock_(clock), pepper_(std::move(pepper)) {}

Result<IssuedAdminToken> AdminTokens::create(std::string_view name, Role role, Time expires,
                                             std::string_view created_by, std::string_view rotates) {
  TRY_VOID(check_name("name", name));
  const Time now = clock_.now();
  if (expires <= now) return refuse(Code::invalid_input, "expires: the time has passed already");
  Minted minted = mint(TokenKind::admin, rng_);
  AdminToken info{minted.id,           std::string(name), role, now, expires, std::string(created_by),
                  std::string(rotates)};
  const Digest kept = digest(pepper_, minted.token);
  TRY_VOID(store_.write([&](Tx& tx) -> Result<void> {
    TRY_VOID(
        tx.run("INSERT INTO admin_token (id, name, role, digest, created, expires, created_by) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
               {info.id, info.name, store::value(role_name(role)), store::value(ByteView(kept)),
                info.created.ns, info.expires.ns, info.created_by}));
    if (!info.rotates.empty())
      TRY_VOID(
          tx.run("INSERT INTO admin_token_bound (id, rotates) VALUES (?1, ?2)", {info.id, info.rotates}));
    return {};
  }));
  return IssuedAdminToken{std::move(info), std::move(minted.token)};
}

Result<std::vector<AdminToken>> AdminTokens::list() {
  std::vector<AdminToken> tokens;
  TRY_VOID(store_.read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT t.id, name, role, created, expires, created_by, rotates FROM admin_token t "
                 "LEFT JOIN admin_token_bound b ON b.id = t.id ORDER BY created, t.id",
                 {}));
    tokens.clear();
    for (const Row& row : rows) {
      TRY(AdminToken token, read_token(row));
      tokens.push_back(std::move(token));
    }
    return {};
  }));
  return tokens;
}

Result<void> AdminTokens::revoke(std::string_view id) {
  return store_.write([&](Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("DELETE FROM admin_token_bound WHERE id = ?1", {std::string(id)}));
    TRY(const std::int64_t gone, tx.run("DELETE FROM admin_token WHERE id = ?1", {std::string(id)}));
    if (gone == 0) return refuse(Code::not_found, fmt::format("There is no admin token '{}'.", id));
    return {};
  });
}

Result<AdminToken> AdminTokens::authenticate(std::string_view token) {
  const auto parsed = parse_token(token);
  if (!parsed || parsed->kind != TokenKind::admin) return refuse(Code::unauthenticated);
  const Digest presented = digest(pepper_, token);
  std::optional<AdminToken> found;
  TRY_VOID(store_.read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT t.id, name, role, created, expires, created_by, rotates, digest FROM admin_token t "
                 "LEFT JOIN admin_token_bound b ON b.id = t.id WHERE t.id = ?1",
                 {std::string(parsed->id)}));
    if (rows.empty()) return {};
    Digest kept{};
    const Bytes& blob = rows.front().blob(7);
    if (blob.size() != kept.size())
      return fail(Code::corrupt, "an admin token's digest has the wrong length");
    std::ranges::copy(blob, kept.begin());
    if (!crypto::constant_time_equal(kept, presented)) return {};
    TRY(found, read_token(rows.front()));
    return {};
  }));
  if (!found || found->expires <= clock_.now()) return refuse(Code::unauthenticated);
  return *found;
}

}  // namespace claviger::identity
