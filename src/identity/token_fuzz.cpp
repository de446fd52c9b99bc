// Fuzzes the parsing of tokens: what is accepted has the one shape of its kind, and no letter of it may
// change.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "identity/token.hpp"

namespace claviger::identity {
namespace {

int run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto token = parse_token(text);
  if (!token) {
    check(token.error().code == Code::unknown_key, "whatever is no token is an unknown key");
    return 0;
  }
  const std::string_view prefix = token->kind == TokenKind::key ? "clv_" : "clva_";
  check(text.starts_with(prefix) && token->id == text.substr(prefix.size(), kIdLength),
        "the id stands first");
  check(is_id(token->id), "an accepted token has a well-formed id");
  check(text.size() == prefix.size() + kIdLength + 1 + kSecretLength + kCrcLength, "a token has one length");
  std::string bent(text);
  for (char& letter : bent) {
    const char was = letter;
    letter = was == 'a' ? 'b' : 'a';
    check(!parse_token(bent), "one letter that was mistyped is found");
    letter = was;
  }
  return 0;
}

}  // namespace
}  // namespace claviger::identity

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(TokenFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("token_fuzz", claviger::identity::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::identity::run(data, size);
}
#endif
