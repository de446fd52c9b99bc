// From rules to literals and matchers.
#include "detect/parts.hpp"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <map>

#include "detect/names.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::string_view kBlockHeads[] = {"-----BEGIN", "PuTTY-User-Key-File-"};

// How strings are joined over operators and lines; short, since they are frequent.
constexpr std::string_view kSeams[] = {"\" +", "' +", "\"+\"", "'+'", "\"+'", "'+\"", "\" . \"", "' . '",
                                       "\".\"", "'.'", "\"\n ", "'\n ", "\"\n\t", "'\n\t", "\"\n\"", "'\n'",
                                       "\"\r\n", "'\r\n", "\" \\\n", "' \\\n", "\" & \"", "\" .. \"", "` +",
                                       "\" \"", "' '", "\"\\\n", "'\\\n", "' || '", "' .. '", "\" <> \"",
                                       "\").append(\"", "\".concat(\"", "'.concat('",
                                       // lists of strings or numbers, see decode_lists.cpp
                                       ".join(", "+= \"", "+= '", "fromCharCode(", "bytes([", "bytearray([",
                                       "[]byte{", "Uint8Array([", "[] = {", "NCAT("};

// Words that name what may be short or plain, which no survey calls dense: passwords and logins.
constexpr std::string_view kPlainNames[] = {"pass", "pwd", "authorization"};

constexpr std::size_t kTellingAnchor = 12;  // so long a one is rare: what follows it need not be dense
constexpr std::int64_t kShapesMemory = 32 * 1024 * 1024;  // of the automaton of Shapes

class Planner {
 public:
  explicit Planner(Catalogue& out) : out_(out) {}

  void add(std::string text, bool any_case, Role role, std::uint32_t rule = kNoRule) {
    const auto [at, fresh] = numbers_.try_emplace({text, any_case, role}, out_.literals.size());
    if (fresh) {
      out_.meanings.push_back({role, static_cast<std::uint32_t>(text.size()), {}});
      out_.literals.push_back({std::move(text), any_case});
    }
    if (rule != kNoRule) out_.meanings[at->second].rules.push_back(rule);
  }

 private:
  static constexpr std::uint32_t kNoRule = 0xffffffff;
  struct Key {
    std::string text;
    bool any_case;
    Role role;
    auto operator<=>(const Key&) const = default;
  };
  Catalogue& out_;
  std::map<Key, std::size_t> numbers_;
};

}  // namespace

Matcher::Matcher(std::string pattern) : pattern_(std::move(pattern)) {}
Matcher::~Matcher() = default;

const re2::RE2* Matcher::get() const {
  std::call_once(once_, [this] {
    if (pattern_.empty()) return;
    re2::RE2::Options options(re2::RE2::Latin1);
    options.set_log_errors(false);
    auto regex = std::make_unique<re2::RE2>(pattern_, options);
    if (regex->ok()) regex_ = std::move(regex);
  });
  return regex_.get();
}

bool Matcher::find(std::string_view text, std::size_t from, bool anchored, int group, std::size_t& begin,
                   std::size_t& end, std::size_t& whole_begin, std::size_t& whole_end) const {
  const re2::RE2* regex = get();
  if (regex == nullptr || from > text.size()) return false;
  constexpr int kGroups = 10;
  re2::StringPiece groups[kGroups];
  const int known = std::min(regex->NumberOfCapturingGroups(), kGroups - 1);
  const int wanted = group == kFirstGroup ? known : group <= known ? group : 0;
  const re2::StringPiece piece(text.data(), text.size());
  if (!regex->Match(piece, from, text.size(), anchored ? re2::RE2::ANCHOR_START : re2::RE2::UNANCHORED,
                    groups, wanted + 1))
    return false;
  int chosen = group == kFirstGroup ? 1 : wanted;
  while (group == kFirstGroup && chosen < wanted && groups[chosen].empty()) ++chosen;
  if (chosen > wanted || groups[chosen].data() == nullptr) chosen = 0;
  const re2::StringPiece& secret = groups[chosen];
  begin = static_cast<std::size_t>(secret.data() - text.data());
  end = begin + secret.size();
  whole_begin = static_cast<std::size_t>(groups[0].data() - text.data());
  whole_end = whole_begin + groups[0].size();
  return true;
}

bool Matcher::is_whole(std::string_view text) const {
  const re2::RE2* regex = get();
  return regex != nullptr && regex->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                                          re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

bool Matcher::is_in(std::string_view text) const {
  const re2::RE2* regex = get();
  return regex != nullptr && regex->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                                          re2::RE2::UNANCHORED, nullptr, 0);
}

struct Shapes::Compiled {
  std::vector<std::string> patterns;
  std::once_flag once{};
  std::unique_ptr<re2::RE2::Set> set{};
  std::vector<std::unique_ptr<Matcher>> alone{};  // asked when the set finds no room for its states
};

Shapes::Shapes(std::vector<std::string> patterns) : compiled_(new Compiled{std::move(patterns)}) {}
Shapes::~Shapes() = default;
Shapes::Shapes(Shapes&&) noexcept = default;
Shapes& Shapes::operator=(Shapes&&) noexcept = default;

void Shapes::fitting(std::string_view text, std::vector<int>& out) const {
  out.clear();
  Compiled& all = *compiled_;
  std::call_once(all.once, [&] {
    re2::RE2::Options options(re2::RE2::Latin1);
    options.set_log_errors(false);
    options.set_max_mem(kShapesMemory);
    all.set = std::make_unique<re2::RE2::Set>(options, re2::RE2::ANCHOR_BOTH);
    for (const std::string& pattern : all.patterns) {
      // A pattern that is none fits nothing: the empty class.
      if (all.set->Add(pattern, nullptr) < 0) all.set->Add("[^\\x00-\\xff]", nullptr);
      all.alone.push_back(std::make_unique<Matcher>(pattern));
    }
    all.set->Compile();
  });
  re2::RE2::Set::ErrorInfo error{};
  if (all.set->Match(re2::StringPiece(text.data(), text.size()), &out, &error)) {
    std::ranges::sort(out);
  } else if (error.kind != re2::RE2::Set::kNoError) {
    for (std::size_t i = 0; i < all.alone.size(); ++i)
      if (all.alone[i]->is_whole(text)) out.push_back(static_cast<int>(i));
  }
}

Plan plan(const Ruleset& rules) {
  Plan out;
  Planner anywhere(out.anywhere), near_dense(out.near_dense);
  bool names = false, addresses = false, blocks = false;
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules.at(i);
    if (rule.is_public) continue;
    // What is known of the built-in rules' secrets is not known of those that come at run time.
    Planner& planner = rule.least > 0 ? near_dense : anywhere;
    if (rule.kind == Kind::token)
      for (const std::string& anchor : rule.anchors)
        (anchor.size() >= kTellingAnchor ? anywhere : planner).add(anchor, false, Role::anchor, i);
    if (rule.kind == Kind::context)
      for (const std::string& word : rule.context)
        if (word.size() >= 3) planner.add(word, true, Role::name);
    if (rule.kind == Kind::pattern)
      for (const std::string& word : rule.anchors) anywhere.add(word, true, Role::keyword, i);
    names = names || rule.kind == Kind::context || rule.kind == Kind::assignment;
    addresses = addresses || rule.kind == Kind::connection;
    blocks = blocks || rule.kind == Kind::private_key;
  }
  for (const std::string_view word : kNameParts) {
    const auto is_in = [&](std::string_view plain) { return word.contains(plain); };
    Planner& planner = std::ranges::any_of(kPlainNames, is_in) ? anywhere : near_dense;
    if (names) planner.add(std::string(word), true, Role::name);
  }
  if (addresses) anywhere.add("://", false, Role::address);
  if (blocks)
    for (const std::string_view head : kBlockHeads) anywhere.add(std::string(head), false, Role::block);
  for (const std::string_view seam : kSeams) anywhere.add(std::string(seam), false, Role::seam);
  return out;
}

}  // namespace claviger::detect
