// Routes of admin tokens.
#include "console/change.hpp"
#include "console/render.hpp"
#include "crypto/wipe.hpp"

namespace claviger::console {

Result<Answer> list_tokens(Session& s) {
  TRY(const auto tokens, s.parts.tokens.list());
  Json list = Json::array();
  for (const identity::AdminToken& token : tokens) list.push_back(render(token));
  return Answer{200, {{"tokens", std::move(list)}}, {}, {}};
}

Result<Answer> create_token(Session& s) {
  std::string rotates = s.body.text("rotates");
  identity::Role role = identity::Role::operator_;
  if (rotates.empty()) {
    TRY(role, identity::parse_role(s.body.text("role")));
  } else {
    if (s.body.has("role"))
      return refuse(Code::invalid_input,
                    "role: a token that rotates one credential has no role; leave it out.");
    TRY(const vault::Credential credential, s.parts.vault.get(rotates));
    rotates = credential.id;
  }
  Time expires = kNever;
  if (s.body.has("expires")) {
    TRY(expires, read_expiry(s.body.text("expires"), s.now));
  }
  const std::string& name = s.body.text("name");
  TRY_VOID(identity::check_name("name", name));
  Json detail{{"role", identity::role_name(role)}};
  if (!rotates.empty()) detail["rotates"] = rotates;
  TRY(auto issued, carry_out(s, {"token.create", "token:" + name, detail.dump()}, [&] {
        return s.parts.tokens.create(name, role, expires, s.actor.name, rotates);
      }));
  Answer answer{201, {{"id", issued.info.id}, {"token", issued.token}}, {}, {}};
  answer.body.update(render(issued.info));
  crypto::wipe(issued.token);
  return answer;
}

Result<Answer> revoke_token(Session& s) {
  TRY_VOID(
      carry_out(s, {"token.revoke", "token:" + s.subject}, [&] { return s.parts.tokens.revoke(s.subject); }));
  return Answer{204, nullptr, {}, {}};
}

}  // namespace claviger::console
