// What names say about the values given to them.
#include "detect/names.hpp"

#include <gtest/gtest.h>

namespace claviger::detect {
namespace {

TEST(Names, of_keys_say_so_whichever_system_they_are_for) {
  for (const std::string_view name :
       {"API_KEY", "apiKey", "OPENAI_API_KEY_PROD", "mistralApiKeyBackup2", "API_KEY_ACME",
        "MISTRAL_KEY_TEST", "x-api-key", "api_keys", "NEXT_AUTH_SECRET"})
    EXPECT_EQ(classify_name(name), NameClass::key) << name;
  EXPECT_EQ(classify_name("DB_PASSWORD_OLD"), NameClass::password);
}

TEST(Names, of_what_only_sounds_like_a_key_say_so) {
  for (const std::string_view name :
       {"nextToken", "nextForwardToken", "syncToken", "NEXT_TOKEN", "PUBLIC_KEY", "api_key_id",
        "cache_key_prod", "apiKeyHeader", "max_tokens"})
    EXPECT_EQ(classify_name(name), NameClass::other) << name;
  EXPECT_EQ(classify_name("admin.apiKeys.list"), NameClass::none);
}

TEST(Names, of_what_bundles_show_mean_a_key_only_beside_a_provider) {
  EXPECT_EQ(classify_name("NEXT_PUBLIC_MISTRAL_API_KEY"), NameClass::weak);
  EXPECT_EQ(classify_name("EXPO_PUBLIC_TOKEN"), NameClass::weak);
  EXPECT_EQ(classify_name("NEXT_PUBLIC_SITE_URL"), NameClass::other);
}

}  // namespace
}  // namespace claviger::detect
