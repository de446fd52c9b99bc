// Secrets without a form of their own: what is given to a name that means a secret or a provider.
#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "detect/check.hpp"
#include "detect/find.hpp"
#include "detect/join.hpp"
#include "detect/judge.hpp"
#include "detect/names.hpp"
#include "detect/text.hpp"
#include "detect/value.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kNearBefore = 600, kNearAfter = 160;

// In source code only what stands in quotes is a literal; elsewhere a bare word is one.
bool is_code(std::string_view path) {
  constexpr std::array<std::string_view, 29> ends{
      ".c",     ".h",  ".cc",  ".cpp", ".cxx",  ".hpp", ".go",     ".rs",  ".py", ".js",
      ".mjs",   ".ts", ".jsx", ".tsx", ".java", ".kt",  ".rb",     ".php", ".cs", ".swift",
      ".scala", ".m",  ".lua", ".pl",  ".dart", ".vue", ".svelte", ".ex",  ".r"};
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return false;
  return std::ranges::find(ends, path.substr(dot)) != ends.end();
}

// Words of a context stand alone or at the edge of a camel-case part; long ones may stand anywhere.
std::size_t find_word(std::string_view text, std::string_view word) {
  std::size_t last = std::string_view::npos;
  for (std::size_t at = 0; at + word.size() <= text.size(); ++at) {
    if (lower(text[at]) != word[0]) continue;
    std::size_t i = 1;
    while (i < word.size() && lower(text[at + i]) == word[i]) ++i;
    if (i < word.size()) continue;
    const std::size_t end = at + word.size();
    const bool left =
        at == 0 || !is(text[at - 1], kAlpha) || (is(text[at - 1], kLower) && is(text[at], kUpper));
    const bool right = end >= text.size() || !is(text[end], kLower) || !is(text[end - 1], kAlpha);
    if (word.size() >= 6 || (left && right)) last = at;
  }
  return last;
}

bool ends_any_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && holds_any_case(text.substr(text.size() - end.size()), end);
}

struct Scene {
  std::string_view name;
  NameClass name_class = NameClass::none;
  Value where;
  std::string value;
  Encoding encoding = Encoding::plain;
};

// How far the nearest context word stands; the name itself is nearest. npos: none.
std::size_t distance(const Look& look, const Rule& rule, const Scene& scene) {
  std::size_t best = std::string_view::npos;
  const std::size_t from = scene.where.begin > kNearBefore ? scene.where.begin - kNearBefore : 0;
  const std::string_view before = look.text.substr(from, scene.where.begin - from);
  const std::string_view after = look.text.substr(scene.where.end, kNearAfter);
  for (const std::string& word : rule.context) {
    if (find_word(scene.name, word) != std::string_view::npos) return 0;
    const std::size_t ahead = find_word(before, word);
    if (ahead != std::string_view::npos) best = std::min(best, before.size() - ahead);
    if (find_word(after, word) != std::string_view::npos) best = std::min(best, kNearBefore);
    if (find_word(look.place.path, word) != std::string_view::npos) best = std::min(best, kNearBefore + 1);
  }
  return best;
}

// The name is no more than one of the rule's words: mistral=...
bool is_word_of(const Rule& rule, std::string_view name) {
  return std::ranges::any_of(rule.context, [&](const std::string& word) {
    return name.size() == word.size() && holds_any_case(name, word);
  });
}

// The name is the other half of a pair: AKIA...,secret and AKIA...:secret.
bool is_half_of(const Look& look, const Rule& rule, std::string_view name) {
  for (std::uint32_t i = 0; i < look.engine.rules().size(); ++i) {
    const Rule& other = look.rule(i);
    if (other.kind == Kind::token && other.provider == rule.provider && is_token(look, i, name)) return true;
  }
  return false;
}

bool good_enough(const Rule& rule, std::string_view value) {
  if (is_uuid(value)) {
    std::string digits(value);
    std::erase(digits, '-');
    return entropy(value) >= 2.8 && !is_placeholder(digits);
  }
  const bool digits = std::ranges::any_of(value, [](char c) { return is(c, kDigit); });
  if (is_placeholder(value) || is_wordy(value, 0.74) || (!digits && wordiness(value) > 0.65)) return false;
  if (rule.entropy > 0) return entropy(value) >= rule.entropy;
  return is_hex(value) ? entropy(value) >= 2.7 : entropy(value) >= 3.0;
}

bool is_reference(std::string_view value) {
  const bool plain = std::ranges::all_of(value, [](char c) { return is(c, kAlnum) || c == '_' || c == '.'; });
  return value.contains("://") || value.starts_with('/') || value.starts_with("./") || value.contains("::") ||
         value.contains("->") || value.contains("()") || value.contains("process.env") ||
         value.contains("os.environ") || (plain && value.contains('.') && wordiness(value) > 0.65);
}

// A UUID or a digest's digits: next to a provider's name they stand for a request or a commit as well.
bool is_plain_id(std::string_view value) { return is_uuid(value) || is_hex(value); }

// The value stands in a table's column of keys, by the first line.
bool under_key(Look& look, const Scene& scene) {
  constexpr std::size_t kLongestHead = 400;
  const std::size_t line = look.text.substr(0, scene.where.begin).rfind('\n');
  std::string_view head = look.text.substr(0, std::min(look.text.find('\n'), kLongestHead));
  look.reach.take(0, scene.where.end);
  if (line == std::string_view::npos) return false;
  const std::string_view row = look.text.substr(line, scene.where.begin - line);
  for (auto column = std::ranges::count(row, ','); column > 0; --column) {
    const std::size_t comma = head.find(',');
    head.remove_prefix(comma < head.size() ? comma + 1 : head.size());
  }
  const NameClass name = classify_name(head.substr(0, head.find_first_of(",\r\n")));
  return name == NameClass::key || name == NameClass::weak;
}

// What tells that even a UUID beside the provider's name is a key: "my pinecone key is ...", a client made
// with it, a row of a table of keys.
bool says_key(Look& look, const Scene& scene) {
  if (scene.where.linked) return true;
  if (scene.where.cell) return under_key(look, scene);
  if (scene.where.giving != Giving::called) return false;
  constexpr std::size_t kTable = 400;
  const std::size_t from = scene.where.begin > kTable ? scene.where.begin - kTable : 0;
  const std::string_view before = look.text.substr(from, scene.where.begin - from);
  return ends_any_case(scene.name, "client") || holds_any_case(before, "api_key") ||
         holds_any_case(before, "apikey") || holds_any_case(before, "api-key");
}

// In a row of a table, rather than in an assignment or as what a client is made with.
bool in_row(const Look& look, const Scene& scene) {
  const auto name_end = static_cast<std::size_t>(scene.name.data() - look.text.data()) + scene.name.size();
  return scene.where.cell || (scene.where.giving == Giving::called && name_end < look.text.size() &&
                              is(look.text[name_end], kQuote));
}

// The context rule whose words stand nearest and whose shape the value has.
bool find_by_context(Look& look, const Scene& scene) {
  const bool one_word = std::ranges::all_of(scene.value, [](char c) { return c > ' ' && c < 127; });
  if (!one_word || scene.value.size() < 16) return false;
  std::size_t nearest = std::string_view::npos;
  std::uint32_t best = 0;
  look.engine.parts().context_shapes.fitting(scene.value, look.fitting);
  for (const int nth : look.fitting) {
    const std::uint32_t index = look.engine.parts().context_rules[static_cast<std::size_t>(nth)];
    const Rule& rule = look.rule(index);
    if (scene.value.size() < rule.least) continue;
    look.reach.round(scene.where.begin, scene.where.end, kNearBefore, kNearAfter);
    const std::size_t far = distance(look, rule, scene);
    const bool named =
        scene.name_class != NameClass::none || (far == 0 && says_key(look, scene)) ||
        (far == 0 && !is_uuid(scene.value) && !(is_plain_id(scene.value) && in_row(look, scene)) &&
         (scene.where.giving == Giving::called || scene.where.quoted || is_word_of(rule, scene.name) ||
          is_half_of(look, rule, scene.name)));
    if (named && far < nearest && good_enough(rule, scene.value)) {
      nearest = far;
      best = index;
    }
  }
  if (nearest == std::string_view::npos) return false;
  if (is_public_key(look, scene.where.begin, scene.where.end, scene.value)) return false;
  return report(look, best, scene.where.begin, scene.where.end, scene.value, scene.encoding);
}

// A token of a known form that its checksum says was never issued, or that is a well-known example.
bool is_refuted(const Look& look, std::string_view value) {
  return std::ranges::any_of(look.engine.parts().refusing_rules, [&](std::uint32_t index) {
    const Rule& rule = look.rule(index);
    return is_token(look, index, value) &&
           (holds_stopword(rule, value) || (has_sum(rule.check) && verify(rule, value).refuted));
  });
}

// The bare word goes on as code: a call, an index, a member.
bool goes_on_as_code(const Look& look, const Scene& scene) {
  const std::size_t end = scene.where.end;
  return end < look.text.size() && std::string_view("([{").contains(look.text[end]);
}

void find_generic(Look& look, const Scene& scene) {
  const Engine::Parts& parts = look.engine.parts();
  const std::string_view value = scene.value;
  if (is_placeholder(value) || is_reference(value) || is_uuid(value)) return;
  if (is_public_key(look, scene.where.begin, scene.where.end, value) || is_refuted(look, value)) return;
  if (!scene.where.quoted && scene.encoding == Encoding::plain && goes_on_as_code(look, scene)) return;
  const bool code = is_code(look.place.path);
  const bool odd =
      std::ranges::any_of(value, [](char c) { return std::string_view(" (){}[]<>;,\"'\\").contains(c); });
  if (scene.name_class == NameClass::password && !odd && parts.generic_password) {
    const bool bare = !scene.where.quoted && scene.where.giving != Giving::spaced;
    const bool literal = scene.where.quoted || (bare && !code) || looks_random(value);
    if (literal && looks_like_password(value))
      report(look, *parts.generic_password, scene.where.begin, scene.where.end, scene.value, scene.encoding);
    return;
  }
  if (odd || !parts.generic_secret || value.size() > 512) return;
  const bool literal = scene.where.quoted || !code;
  const std::size_t least = scene.where.giving == Giving::spaced || !literal ? 20 : 16;
  if (value.size() >= least && looks_random(value))
    report(look, *parts.generic_secret, scene.where.begin, scene.where.end, scene.value, scene.encoding);
}

// user:password of an HTTP Basic header, or behind curl's -u. Either may be a provider's key, alone.
void find_basic(Look& look, const Scene& scene) {
  const std::size_t colon = scene.value.find(':');
  if (colon == std::string::npos || !look.engine.parts().basic_auth) return;
  const std::string user = scene.value.substr(0, colon), password = scene.value.substr(colon + 1);
  Scene key = scene;
  key.name_class = NameClass::authorization;
  key.value = password.empty() ? user : password;
  if (key.encoding == Encoding::plain) {
    key.where.begin += password.empty() ? 0 : colon + 1;
    key.where.end = key.where.begin + key.value.size();
  }
  if (find_by_context(look, key)) return;
  const bool stands =
      scene.encoding == Encoding::base64 || looks_like_password(password) || looks_random(password);
  if (stands && is_login(user, password))
    report(look, *look.engine.parts().basic_auth, key.where.begin, key.where.end, password, scene.encoding);
}

// curl -u user:password
bool is_login_flag(std::string_view name) { return name == "-u" || name == "--user"; }

// A value that is the base64 or hex form of printable text stands for that text.
bool undo_encoding(Scene& scene) {
  if (scene.value.size() < 8) return false;
  const std::string_view digits = std::string_view(scene.value).substr(scene.value.starts_with("0x") ? 2 : 0);
  const auto bytes = is_hex(digits) ? unhex(digits) : std::nullopt;
  const Encoding encoding = bytes ? Encoding::hex : Encoding::base64;
  std::string plain = bytes ? std::string(as_text(*bytes)) : loose_base64(scene.value);
  while (plain.ends_with('\n')) plain.pop_back();
  const bool printable = std::ranges::all_of(plain, [](char c) { return c >= ' ' && c < 127; });
  if (plain.size() < 6 || !printable) return false;
  scene.value = std::move(plain);
  scene.encoding = encoding;
  return true;
}

// A value that a backslash at the end of the line continues.
void follow_lines(Look& look, Scene& scene) {
  const std::size_t bend = scene.where.quoted ? scene.value.find('\\') : scene.value.size();
  if (bend == std::string::npos) return;
  const std::size_t stop = scene.where.begin + bend;
  const auto step = step_over_seam(look.text, stop);
  look.reach.take(stop, stop + kSeamReach);
  if (!step || step->seam != Seam::continued) return;
  const View view = join_from(look.text, scene.where.begin);
  look.reach.take(scene.where.begin, view.end_of(view.text.size()) + kSeamReach);
  scene.value = view.text;
  scene.where.end = std::max(scene.where.end, view.end_of(view.text.size()));
  scene.encoding = Encoding::joined;
}

// The text at the scene's place, freed of its encoding.
void read_value(Look& look, Scene& scene) {
  scene.value = std::string(look.text.substr(scene.where.begin, scene.where.end - scene.where.begin));
  scene.encoding = Encoding::plain;
  follow_lines(look, scene);
  if (!is_login_flag(scene.name) && undo_encoding(scene)) undo_encoding(scene);  // some are encoded twice
}

// The "=" before `at` is written "=3D", as in mail.
bool is_mailed(Look& look, std::size_t at) {
  constexpr std::size_t kHead = 4096;  // of the part that holds its headers
  if (at == 0 || look.text[at - 1] != '=' || look.text.substr(at, 2) != "3D") return false;
  const std::size_t from = at > kHead ? at - kHead : 0;
  look.reach.take(from, at + 2);
  return look.text.substr(from, at - from).contains("quoted-printable");
}

// What is given to a name: a provider's key by its surroundings, else what is random or like a password.
// Says whether it was told.
bool judge_value(Look& look, Scene& scene) {
  if (scene.where.end - scene.where.begin < 8) return false;
  const std::size_t before = look.hits.size();
  if (is_mailed(look, scene.where.begin)) scene.where.begin += 2;
  read_value(look, scene);
  if (is_login_flag(scene.name)) {
    find_basic(look, scene);
    return look.hits.size() > before;
  }
  if (find_by_context(look, scene)) return true;
  if (scene.name_class == NameClass::none || scene.name_class == NameClass::weak || scene.where.cell)
    return false;
  if (scene.name_class == NameClass::authorization && scene.encoding == Encoding::base64)
    find_basic(look, scene);
  if (scene.name_class != NameClass::authorization || scene.encoding == Encoding::plain)
    find_generic(look, scene);
  return look.hits.size() > before;
}

// Credentials("user", "..."): the first of two strings is the secret's own name.
bool judge_second(Look& look, Scene& scene, std::size_t name_end) {
  const bool means = scene.name_class == NameClass::key || scene.name_class == NameClass::password;
  if (!means || scene.where.giving != Giving::called || name_end >= look.text.size()) return false;
  const bool call = look.text[name_end] == '(';
  if (!call && !is(look.text[name_end], kQuote)) return false;
  const auto second = string_behind(look.text, scene.where, look.reach);
  if (!second) return false;
  const std::string_view between = look.text.substr(scene.where.end, second->begin - scene.where.end);
  if (!call && between.contains('\n')) return false;
  Scene other = scene;
  other.where = *second;
  if (ends_any_case(scene.name, "credential") || ends_any_case(scene.name, "credentials"))
    other.name_class = NameClass::password;
  return judge_value(look, other);
}

// The strings behind the first of a list.
void judge_list(Look& look, Scene& scene) {
  constexpr int kMost = 32;
  for (int i = 0; i < kMost; ++i) {
    const auto next = string_behind(look.text, scene.where, look.reach);
    if (!next) return;
    scene.where = *next;
    judge_value(look, scene);
  }
}

// checksum/secret: what was hashed, in the annotations of a pod.
bool is_of_digest(Look& look, std::string_view name) {
  constexpr std::size_t kWordReach = 16;  // longer than the words below
  const auto begin = static_cast<std::size_t>(name.data() - look.text.data());
  if (begin == 0 || look.text[begin - 1] != '/') return false;
  look.reach.take(begin - std::min(begin, kWordReach), begin);
  const std::string_view before = look.text.substr(0, begin - 1);
  return std::ranges::any_of(std::array{"checksum", "hash", "digest", "sha256", "sha1", "md5"},
                             [&](const char* word) { return ends_any_case(before, word); });
}

// What stands where a value is given; says whether it was told, or the name holds something else.
bool judge_given(Look& look, Scene& scene, const Value& value, std::size_t name_end) {
  if (value.end - value.begin < 8 && value.giving != Giving::called) return false;
  scene.where = value;
  scene.name_class = is_of_digest(look, scene.name) ? NameClass::other : classify_name(scene.name);
  if (scene.name_class == NameClass::other) return true;
  const bool told = judge_value(look, scene);
  if (!value.listed) return told || judge_second(look, scene, name_end);
  judge_list(look, scene);
  return true;
}

}  // namespace

void find_value(Look& look, std::size_t begin, std::size_t end) {
  Scene scene;
  scene.name = name_around(look.text, begin, end);
  look.reach.round(begin, end, kLongestName + kEscapeReach, kLongestName + 1);
  if (scene.name.data() == look.name_done.data() && scene.name.size() == look.name_done.size()) return;
  look.name_done = scene.name;
  const std::size_t name_end =
      static_cast<std::size_t>(scene.name.data() - look.text.data()) + scene.name.size();
  const auto value = value_after(look.text, name_end, look.reach);
  const bool told = value && judge_given(look, scene, *value, name_end);
  if (told) return;
  const auto word = word_on_line(look.text, name_end, look.reach);
  if (!word || (value && word->begin == value->begin)) return;
  scene.name_class = classify_name(scene.name);
  if (scene.name_class != NameClass::key && scene.name_class != NameClass::weak) return;
  // Of a name that is weak the provider's word must be a part.
  if (scene.name_class == NameClass::weak) scene.name_class = NameClass::none;
  scene.where = *word;
  read_value(look, scene);
  // A UUID or a digest in a call is what the key is looked up by.
  const bool asked =
      word->giving == Giving::called && scene.encoding == Encoding::plain && is_plain_id(scene.value);
  const bool generated =
      is_uuid(scene.value) || scene.encoding != Encoding::plain || looks_random(scene.value);
  if (!asked && generated) find_by_context(look, scene);
}

}  // namespace claviger::detect
