// Reading names word by word.
#include "detect/names.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::string_view kKeyWords[] = {
    "secret",      "token",      "apikey",     "accesskey",       "authkey",       "credential",
    "credentials", "bearer",     "accountkey", "signingkey",      "encryptionkey", "masterkey",
    "sharedkey",   "privatekey", "servicekey", "subscriptionkey", "secretkey",     "authtoken",
    "accesstoken", "apitoken",   "apisecret",  "clientsecret",    "appsecret",     "secrets",
    "pat",         "psk"};
constexpr std::string_view kPasswordWords[] = {"password", "passwd",      "passphrase", "pwd",
                                               "pass",     "passwort",    "dbpass",     "dbpassword",
                                               "userpass", "rootpassword"};
// "key" counts only after one of these: encryption_key, not primary_key.
constexpr std::string_view kKeyOf[] = {
    "api",     "access",      "auth",   "secret",   "private", "encryption", "encrypt",
    "signing", "sign",        "master", "shared",   "account", "service",    "subscription",
    "app",     "application", "admin",  "storage",  "hmac",    "aes",        "jwt",
    "session", "cipher",      "client", "consumer", "license", "server",     "deploy",
    "webhook", "ssh",         "ci",     "bot",      "write",   "read",       "root"};
// A name that ends so holds no secret itself.
constexpr std::string_view kOtherEnds[] = {
    "id",       "ids",          "name",      "names",     "path",     "file",      "filename",
    "url",      "uri",          "endpoint",  "header",    "field",    "prefix",    "suffix",
    "length",   "len",          "size",      "type",      "types",    "ttl",       "expiry",
    "expires",  "expiration",   "count",     "limit",     "label",    "title",     "description",
    "message",  "hint",         "help",      "regex",     "pattern",  "hash",      "digest",
    "checksum", "fingerprint",  "policy",    "format",    "version",  "ref",       "arn",
    "class",    "index",        "column",    "table",     "error",    "errors",    "prompt",
    "text",     "reset",        "required",  "enabled",   "rotation", "usage",     "placeholder",
    "input",    "kind",         "algorithm", "alg",       "strength", "age",       "date",
    "at",       "confirmation", "confirm",   "env",       "var",      "provider",  "store",
    "storage",  "manager",      "service",   "encoding",  "min",      "max",       "rules",
    "scope",    "scopes",       "template",  "uuid",      "tokens",   "tokenizer", "view",
    "page",     "button",       "form",      "validator", "key_id",   "callback",  "handler",
    "func",     "function",     "method",    "param",     "params",   "mode",      "status",
    "state",    "dir",          "location"};
constexpr std::string_view kOtherWords[] = {
    "public",      "hashed",  "encrypted", "sealed",   "pub",    "tokenizer", "tokens",    "csrf",
    "xsrf",        "monkey",  "keyword",   "keyboard", "nonce",  "page",      "cursor",    "continuation",
    "pagination",  "primary", "foreign",   "cache",    "sort",   "partition", "special",   "sha1",
    "sha256",      "sha512",  "md5",       "etag",     "commit", "revision",  "integrity", "sitekey",
    "publishable", "vocab",   "pad",       "eos",      "bos",    "unk",       "cls",       "sep"};

// In which form the value stands: api_key_base64.
constexpr std::string_view kForms[] = {"hex", "base64", "b64", "encoded", "enc64"};
// For which of several systems it is, or which of several it is.
constexpr std::string_view kStages[] = {
    "prod",  "production", "dev", "development", "test", "testing", "staging", "live",   "sandbox",
    "local", "backup",     "old", "new",         "beta", "eu",      "us",      "global", "main"};
constexpr std::string_view kKeyEnds[] = {"apikey",    "secretkey", "accesskey",   "authkey",
                                         "apitoken",  "authtoken", "accesstoken", "clientsecret",
                                         "apisecret", "masterkey"};

// Frameworks that put variables into bundles by a prefix: NEXT_PUBLIC_, EXPO_PUBLIC_, NUXT_PUBLIC_.
constexpr std::string_view kShowing[] = {"next", "expo", "nuxt"};

template <class List>
bool among(const List& list, std::string_view word) {
  return std::ranges::find(list, word) != std::end(list);
}

// apiKey, API_KEY, api-key, X-Api-Key and openai.apiKey into lower-case words.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> out;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) out.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is(name[i], kAlnum)) {
      finish();
      continue;
    }
    const bool rises = i > 0 && is(name[i], kUpper) && is(name[i - 1], kLower | kDigit);
    const bool acronym_ends = i > 0 && i + 1 < name.size() && is(name[i], kUpper) &&
                              is(name[i - 1], kUpper) && is(name[i + 1], kLower);
    if (rises || acronym_ends) finish();
    word.push_back(lower(name[i]));
  }
  finish();
  return out;
}

// foo_token_2, password1, api_key_prod
void drop_ending(std::vector<std::string>& words) {
  if (words.size() > 2 && among(kStages, words.back())) words.pop_back();
  if (words.size() > 1 && std::ranges::all_of(words.back(), [](char c) { return is(c, kDigit); }))
    words.pop_back();
  if (words.empty()) return;
  while (words.back().size() > 3 && is(words.back().back(), kDigit)) words.back().pop_back();
  while (words.size() > 1 && among(kForms, words.back())) words.pop_back();
}

// MISTRALAPIKEY: words that nothing divides.
bool ends_as_key(std::string_view word) {
  return std::ranges::any_of(
      kKeyEnds, [&](std::string_view end) { return word.size() > end.size() && word.ends_with(end); });
}

// nextToken, nextForwardToken and syncToken turn pages; NEXT_AUTH_SECRET is a setting of Next.js.
bool turns_page(const std::vector<std::string>& words, bool shouted) {
  const auto next =
      std::ranges::find_if(words, [](std::string_view w) { return w == "next" || w == "sync"; });
  if (next == words.end() || next + 1 == words.end()) return next != words.end();
  return !shouted || next[1] == "token" || next[1] == "key";
}

NameClass classify_words(const std::vector<std::string>& words, bool shouted) {
  if (among(kOtherEnds, words.back())) return NameClass::other;
  for (const std::string& word : words)
    if (among(kOtherWords, word)) return NameClass::other;
  if (turns_page(words, shouted)) return NameClass::other;
  // The public half of a pair for web push.
  if (words.size() > 2 && words[0] == "application" && words[1] == "server") return NameClass::other;
  if (words.back() == "authorization" || (words.size() == 1 && words[0] == "auth"))
    return NameClass::authorization;
  for (std::size_t i = words.size(); i-- > 0;) {
    const std::string& word = words[i];
    if (among(kPasswordWords, word)) return NameClass::password;
    if (among(kKeyWords, word) || ends_as_key(word)) return NameClass::key;
    // API_KEY_ACME is a key as API_KEY is; of CACHE_KEY_ACME nobody knows.
    const bool last = i + 1 == words.size();
    const bool is_key = word == "key" || (word == "keys" && last);
    if (is_key && i > 0 && ((last && shouted) || among(kKeyOf, words[i - 1]))) return NameClass::key;
    if (words.size() - i >= 3) break;
  }
  return words.back().ends_with("key") ? NameClass::weak : NameClass::none;
}

}  // namespace

NameClass classify_name(std::string_view name) {
  std::vector<std::string> words = words_of(name);
  drop_ending(words);
  if (words.empty() || words.size() > 12) return NameClass::none;
  const bool shouted = std::ranges::none_of(name, [](char c) { return is(c, kLower); });
  // NEXT_PUBLIC_OPENAI_API_KEY: such a framework shows the value to every browser, and that is the leak when
  // the provider's keys are secret. Of a value that no provider is known for it says nothing.
  if (words.size() > 2 && words[1] == "public" && among(kShowing, words[0])) {
    words.erase(words.begin(), words.begin() + 2);
    const NameClass rest = classify_words(words, shouted);
    return rest == NameClass::key || rest == NameClass::password ? NameClass::weak : rest;
  }
  return classify_words(words, shouted);
}

}  // namespace claviger::detect
