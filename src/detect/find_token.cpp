// Tokens with a prefix or marker of their own.
#include <algorithm>

#include "base/limits.hpp"
#include "detect/check.hpp"
#include "detect/find.hpp"
#include "detect/join.hpp"
#include "detect/judge.hpp"
#include "detect/survey.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

// The part of a token that is random: what follows its anchor.
std::string_view body_of(const Rule& rule, std::string_view secret) {
  std::size_t head = 0;
  for (const std::string& anchor : rule.anchors)
    if (secret.starts_with(anchor)) head = std::max(head, anchor.size());
  return secret.substr(head);
}

bool random_enough(const Rule& rule, std::string_view body) {
  const double bits = entropy(body);
  if (rule.entropy > 0) return bits >= rule.entropy;
  const double floor = body.size() < 12 ? 1.8 : body.size() < 20 || is_hex(body) ? 2.5 : 3.0;
  if (bits < floor) return false;
  return !is_wordy(body);
}

std::size_t token_end(std::string_view text, std::size_t at, std::size_t most) {
  const std::size_t ceiling = std::min(text.size(), at + most);
  while (at < ceiling && (is(text[at], kWord | kBase64) || std::string_view(".:~$%?").contains(text[at])))
    ++at;
  return at;
}

struct Match {
  std::size_t begin = 0, end = 0;
};

constexpr std::size_t kBeforeAnchor = 128;

// So far may a token go on whose anchor ends at `at`.
std::size_t window_end(const Form& form, std::string_view text, std::size_t at) {
  const std::size_t ceiling = std::min(text.size(), at + limits::kScanWindow);
  if (!form.one_run) return ceiling;
  while (at < ceiling && is_in_run(text[at])) ++at;
  return at;
}

// A match of the rule in `text` that holds the anchor at [begin, end) and is not part of a longer word.
bool match_at(Look& look, std::uint32_t rule, std::string_view text, std::size_t begin, std::size_t end,
              Match& out) {
  const Form& form = look.engine.parts().forms[rule];
  const std::string_view window = text.substr(0, window_end(form, text, end));
  std::size_t from = form.leads ? begin : begin > kBeforeAnchor ? begin - kBeforeAnchor : 0;
  std::size_t whole_begin = 0, whole_end = 0;
  while (form.matcher->find(window, from, form.leads, look.rule(rule).group, out.begin, out.end, whole_begin,
                            whole_end)) {
    if (whole_begin >= end || whole_end == whole_begin) return false;
    if (whole_end < end) {
      from = whole_end;
      continue;
    }
    const bool ends = out.end >= text.size() || !is(text[out.end], form.body);
    const bool begins =
        form.leads || out.begin == 0 || !is(text[out.begin - 1], kAlnum) || after_escape(text, out.begin);
    return begins && ends;
  }
  return false;
}

constexpr std::size_t kBlockLine = 256;  // longest line of a block of base64

// The line of `at` and the one before are of one length, as in a block of base64: they are no folded word.
bool in_block(std::string_view text, std::size_t at) {
  const std::string_view line = line_around(text, at, kBlockLine);
  const auto start = static_cast<std::size_t>(line.data() - text.data());
  if (start < 2 || text[start - 1] != '\n' || line.size() < 48) return false;
  const std::string_view before = line_around(text, start - 1, kBlockLine);
  return line.size() == before.size();
}

// The token when its string goes on over seams.
bool find_joined(Look& look, std::uint32_t rule, std::size_t begin, std::size_t end, bool quoted_only) {
  const View view = join_from(look.text, begin);
  look.reach.round(begin, view.end_of(view.text.size()), 2 * kBlockLine + 2, kSeamReach);
  if (view.stretches.size() < 2) return false;
  const bool quoted = is(look.text[view.end_of(view.stretches[1].inner)], kQuote);
  if (!quoted && (quoted_only || in_block(look.text, begin))) return false;
  Match match;
  if (!match_at(look, rule, view.text, 0, end - begin, match) || match.end <= view.stretches[1].inner)
    return false;
  return report(look, rule, view.begin_of(match.begin), view.end_of(match.end),
                view.text.substr(match.begin, match.end - match.begin), Encoding::joined);
}

// A key that web pages show to everybody is told by what stands beside it, such as the rest of a Firebase
// config.
bool is_public_here(Look& look, const Rule& rule, std::size_t begin, std::size_t end) {
  if (rule.public_near.empty()) return false;
  constexpr std::size_t kBeside = 400;
  look.reach.round(begin, end, kBeside, kBeside);
  const std::size_t from = begin > kBeside ? begin - kBeside : 0;
  const std::string_view beside = look.text.substr(from, end - from + kBeside);
  return std::ranges::any_of(rule.public_near, [&](const std::string& w) { return beside.contains(w); });
}

}  // namespace

bool holds_stopword(const Rule& rule, std::string_view secret) {
  return std::ranges::any_of(rule.stopwords, [&](const std::string& w) { return holds_any_case(secret, w); });
}

bool is_token(const Look& look, std::uint32_t index, std::string_view value) {
  // Most values hold no anchor, and their matchers need not be built.
  const Rule& rule = look.rule(index);
  const auto stands = [&](const std::string& anchor) { return value.contains(anchor); };
  return (rule.anchors.empty() || std::ranges::any_of(rule.anchors, stands)) &&
         look.engine.parts().forms[index].matcher->is_whole(value);
}

bool is_public_key(Look& look, std::size_t begin, std::size_t end, std::string_view value) {
  return std::ranges::any_of(look.engine.parts().public_rules, [&](std::uint32_t index) {
    const Rule& rule = look.rule(index);
    const bool shown = rule.is_public || is_public_here(look, rule, begin, end);
    return shown && is_token(look, index, value);
  });
}

bool report(Look& look, std::uint32_t index, std::size_t begin, std::size_t end, std::string secret,
            Encoding encoding) {
  const Rule& rule = look.rule(index);
  if (holds_stopword(rule, secret) || is_public_here(look, rule, begin, end)) return false;
  const Verdict verdict = verify(rule, secret);
  if (verdict.refuted) return false;
  const bool by_sum = verdict.proven && rule.check != Check::marker;  // no stand-in has a right checksum
  if (rule.kind == Kind::token && !by_sum) {
    const std::string_view body = body_of(rule, secret);
    if (is_placeholder(body) || !random_enough(rule, body)) return false;
  }
  look.hits.push_back({index, begin, end, std::move(secret), verdict.proven, encoding, verdict.expires_s});
  return true;
}

void find_token(Look& look, std::uint32_t rule, std::size_t begin, std::size_t end) {
  const Form& form = look.engine.parts().forms[rule];
  look.reach.round(begin, end, kEscapeReach, 1);
  const bool inside = form.leads && begin > 0 && is(look.text[begin - 1], kAlnum);
  if (inside && !after_escape(look.text, begin)) return;
  // Most places that look like an anchor are parts of words: what follows is too short and goes on nowhere.
  constexpr std::size_t kLongestPiece = 1024;
  const std::size_t run = token_end(look.text, end, kLongestPiece);
  const bool seam = run < look.text.size() && may_be_seam(look.text[run]);
  look.reach.take(begin, run + (seam ? kSeamReach : 1));
  if (form.leads && run - begin < look.rule(rule).least && !step_over_seam(look.text, run)) return;
  constexpr std::size_t kTries = 32;
  if (begin >= look.run_done) {
    look.run_tries = 0;
    look.run_done = run;
  }
  if (++look.run_tries > kTries) return;
  Match match;
  look.reach.round(begin, window_end(form, look.text, end), kBeforeAnchor + kEscapeReach, 1);
  const bool whole = match_at(look, rule, look.text, begin, end, match);
  if (form.leads && run - end < kLongestPiece && step_over_seam(look.text, run)) {
    // What ends at a quote may go on behind it: the longer reading is the secret.
    const std::size_t stop = whole ? match.end : begin;
    const bool quoted = whole && stop < look.text.size() && is(look.text[stop], kQuote);
    const bool bent = whole && (look.text.substr(stop, 2) == "\\\n" || look.text.substr(stop, 2) == "=\n");
    if ((!whole || quoted || bent) && find_joined(look, rule, begin, end, quoted)) return;
  }
  if (whole)
    report(look, rule, match.begin, match.end,
           std::string(look.text.substr(match.begin, match.end - match.begin)));
}

}  // namespace claviger::detect
