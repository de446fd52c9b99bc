// Looking for keys in a provider's list: the old one, an orphan, one that a person has made.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/wipe.hpp"
#include "steward/rotation_look.hpp"

namespace claviger::steward {

using provider::ListedKey;
using provider::Operation;
using provider::RotationClass;

namespace {

constexpr std::int64_t kSkewNs = std::int64_t{300} * 1'000'000'000;  // of a provider's clock

// The key of a creation whose answer was lost: by its name, else by the time it was made; that only beside an
// old key that is known, which it must not be.
std::string find_orphan(const provider::Adapter& adapter, const Rotation& it,
                        const std::vector<ListedKey>& keys) {
  for (const ListedKey& key : keys)
    if (adapter.named && !it.nonce.empty() && key.name.contains(it.nonce)) return key.id;
  if (adapter.named || it.old_key.empty()) return {};
  const ListedKey* newest = nullptr;
  for (const ListedKey& key : keys) {
    if (key.id == it.old_key || !key.created || key.created->ns + kSkewNs < it.asked.ns) continue;
    if (newest == nullptr || *key.created > *newest->created) newest = &key;
  }
  return newest == nullptr ? std::string() : newest->id;
}

}  // namespace

void Rotations::walk(Case made, Act next, std::shared_ptr<Look> look) {
  const std::string id = made.it.id;
  provider::Values about;
  if (!look->page.empty()) about["page"] = look->page;
  const auto asked = provider::call_of(*made.adapter, Operation::list, made.link, about);
  if (!asked) return answered(id, next, unanswered(asked.error()));
  const Bearer bearer{made.admin ? made.admin->id : std::string(), made.admin_version()};
  auto shared = std::make_shared<Case>(std::move(made));
  envoy_.send(*parts_.outside, *asked, bearer,
              [this, shared, next, look, about, id](Result<OutsideAnswer> answer) {
                if (!answer) return answered(id, next, unanswered(answer.error()));
                Heard heard = heard_of(*shared, Operation::list, *answer);
                if (heard.kind != Heard::Kind::done) return answered(id, next, heard);
                auto page = provider::read_keys(*shared->adapter, about, answer->body);
                if (!page) return answered(id, next, unanswered(page.error()));
                std::ranges::move(page->keys, std::back_inserter(look->keys));
                look->page = page->next;
                if (!look->page.empty() && ++look->pages < limits::kRotationPages)
                  return walk(std::move(*shared), next, look);
                weigh(std::move(*shared), next, look);
              });
}

// The whole list is here: which of the keys is it?
void Rotations::weigh(Case made, Act next, std::shared_ptr<Look> look) {
  const Rotation& it = made.it;
  Heard heard;
  if (next == Act::seek) {
    heard.id = find_orphan(*made.adapter, it, look->keys);
    return answered(it.id, next, heard);
  }
  const std::int64_t most = made.adapter->most_live;
  const bool full = most > 0 && static_cast<std::int64_t>(look->keys.size()) >= most;
  if (next == Act::look && it.state == RotationState::planned && full) {
    heard.kind = Heard::Kind::full;
    heard.trouble =
        fmt::format("{} keys exist at {}, and no more are allowed: delete the one that is not used.",
                    look->keys.size(), made.credential.provider);
    return answered(it.id, next, heard);
  }
  const std::int64_t version = next == Act::identify ? it.new_version : it.old_version;
  std::size_t fitting = 0;
  for (const ListedKey& key : look->keys) {
    if (next == Act::identify && key.id == it.old_key) continue;
    if (!envoy_.shows(*made.adapter, key, made.credential, version).value_or(false)) continue;
    heard.id = key.id;
    ++fitting;
  }
  // Hints are short: two keys that fit are none.
  if (fitting > 1) heard.id.clear();
  if (heard.id.empty() && made.adapter->hint.empty() && made.adapter->offers(Operation::reveal) &&
      next == Act::look)
    return look_closer(std::move(made), next, std::move(look));
  answered(it.id, next, heard);
}

// Where secrets can be read again, the key is the one that has ours.
void Rotations::look_closer(Case made, Act next, std::shared_ptr<Look> look) {
  const std::string id = made.it.id;
  Heard heard;
  if (look->at >= look->keys.size()) {
    const bool needed = made.it.rotation == RotationClass::slots;
    if (needed) {
      heard.kind = Heard::Kind::refused;
      heard.trouble =
          "No slot holds our secret: it was regenerated. Rotate with --emergency: that regenerates the "
          "first.";
    }
    return answered(id, next, heard);
  }
  const provider::Values about{{"id", look->keys[look->at].id}};
  const auto asked = provider::call_of(*made.adapter, Operation::reveal, made.link, about);
  if (!asked) return answered(id, next, unanswered(asked.error()));
  const Bearer bearer{made.admin ? made.admin->id : std::string(), made.admin_version()};
  auto shared = std::make_shared<Case>(std::move(made));
  envoy_.send(
      *parts_.outside, *asked, bearer, [this, shared, next, look, about, id](Result<OutsideAnswer> answer) {
        if (!answer) return answered(id, next, unanswered(answer.error()));
        Heard told = heard_of(*shared, Operation::reveal, *answer);
        if (told.kind == Heard::Kind::done) {
          auto shown = provider::read_created(*shared->adapter, Operation::reveal, about, answer->body);
          crypto::wipe(answer->body);
          if (!shown) return answered(id, next, unanswered(shown.error()));
          const Secret secret = Secret::take(shown->secret);
          if (envoy_.is_secret(shared->credential, shared->it.old_version, secret)) {
            told.id = look->keys[look->at].id;
            return answered(id, next, told);
          }
        } else if (told.kind != Heard::Kind::gone) {
          return answered(id, next, told);
        }
        ++look->at;
        look_closer(std::move(*shared), next, look);
      });
}

}  // namespace claviger::steward
