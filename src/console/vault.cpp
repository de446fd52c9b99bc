// Routes of the vault's own keys: who can open it, and the key-encryption key.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "console/change.hpp"
#include "console/render.hpp"
#include "crypto/wipe.hpp"

namespace claviger::console {
namespace {

using Json = nlohmann::ordered_json;

Json render(const vault::Recipient& recipient) {
  Json out{{"id", recipient.id}, {"kind", vault::name_of(recipient.kind)}};
  const bool split = recipient.kind == vault::RecipientKind::shares;
  out["threshold"] = split ? Json(recipient.split.threshold) : Json(nullptr);
  out["shares"] = split ? Json(recipient.split.count) : Json(nullptr);
  return out;
}

Result<Answer> answer_with_newest(Session& s, std::vector<std::string> lines) {
  TRY(const auto all, s.parts.vault.recipients());
  Answer answer{201, all.empty() ? Json::object() : render(all.back()), {}, {}};
  answer.body["lines"] = lines.empty() ? Json(nullptr) : Json(lines);
  for (std::string& line : lines) crypto::wipe(line);
  return answer;
}

Result<Answer> add_shares(Session& s) {
  vault::Split split;
  const auto small = [](std::int64_t value) {
    return static_cast<int>(std::clamp<std::int64_t>(value, 0, 1000));
  };
  split.threshold = small(s.body.integer("threshold").value_or(split.threshold));
  split.count = small(s.body.integer("shares").value_or(split.count));
  TRY_VOID(vault::check_split(split));
  const Json detail{{"threshold", split.threshold}, {"shares", split.count}};
  TRY(auto lines, carry_out(s, {"vault.recipient.add", "vault:shares", detail.dump()},
                            [&] { return s.parts.vault.split_recipient(split); }));
  return answer_with_newest(s, std::move(lines));
}

}  // namespace

Result<Answer> show_vault(Session& s) {
  TRY(const auto recipients, s.parts.vault.recipients());
  TRY(const auto terms, s.parts.vault.terms());
  TRY(const auto damaged, s.parts.vault.damaged_rows());
  Json body{{"term", terms.empty() ? 0 : terms.back().term}, {"terms", Json::array()}};
  for (const vault::TermUse& use : terms)
    body["terms"].push_back({{"term", use.term}, {"versions", use.versions}});
  body["recipients"] = Json::array();
  for (const vault::Recipient& recipient : recipients) body["recipients"].push_back(render(recipient));
  body["damaged"] = damaged;
  return Answer{200, std::move(body), {}, {}};
}

Result<Answer> rekey_vault(Session& s) {
  TRY(const vault::Rekeyed done,
      carry_out(s, {"vault.rekey", "vault"}, [&] { return s.parts.vault.rekey(); }));
  return Answer{200,
                {{"term", done.term},
                 {"rewrapped", done.rewrapped},
                 {"dropped", done.dropped},
                 {"damaged", done.damaged}},
                {},
                {}};
}

Result<Answer> add_recipient(Session& s) {
  const std::string& kind = s.body.text("kind");
  if (kind == "shares") return add_shares(s);
  vault::Recipients wanted;
  if (kind == "key_file") {
    if (s.actor.via != Via::socket)
      return refuse(Code::forbidden,
                    "A key file is made on the server's own machine: use 'claviger vault recipient add'.");
    if (!s.body.text("key_file").starts_with('/'))
      return refuse(Code::invalid_input, "key_file: an absolute path is needed.");
    wanted.key_file = s.body.text("key_file");
  } else if (kind == "passphrase") {
    std::string text = s.body.take_text("passphrase");
    wanted.passphrase = Secret::take(text);
  } else {
    return refuse(Code::invalid_input, "kind: key_file, passphrase or shares.");
  }
  TRY_VOID(carry_out(s, {"vault.recipient.add", "vault:" + kind},
                     [&] { return s.parts.vault.add_recipient(wanted); }));
  return answer_with_newest(s, {});
}

Result<Answer> remove_recipient(Session& s) {
  std::int64_t id = 0;
  const auto read = std::from_chars(s.subject.data(), s.subject.data() + s.subject.size(), id);
  if (read.ec != std::errc{} || read.ptr != s.subject.data() + s.subject.size())
    return refuse(Code::not_found, fmt::format("There is no recipient {}.", s.subject));
  TRY_VOID(carry_out(s, {"vault.recipient.remove", "vault:" + s.subject},
                     [&] { return s.parts.vault.remove_recipient(id); }));
  return Answer{204, nullptr, {}, {}};
}

}  // namespace claviger::console
