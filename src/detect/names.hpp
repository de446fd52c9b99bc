// Names that are given secrets: API_KEY, clientSecret, db.password; and those that only sound like it.
#pragma once

#include <array>
#include <string_view>

namespace claviger::detect {

// Lower case; found in any case inside longer names. Frequent words such as "key" alone are not among them.
inline constexpr std::array<std::string_view, 55> kNameParts{
    "password",   "passwd",     "passphrase",    "secret",     "token",       "api_key",
    "apikey",     "api-key",    "api key",       "access_key", "accesskey",   "auth_key",
    "authkey",    "_key",       "-key",          "credential", "bearer",      "authorization",
    "accountkey", "signingkey", "encryptionkey", "masterkey",  "sharedkey",   "subscriptionkey",
    "privatekey", "servicekey", "_pwd",          "pwd=",       "_pass",       "dbpass",
    "\"pass\"",   "--key",      "--pass",        "key = \"",   "key = '",     "key=\"",
    "key='",      "key: \"",    "key: '",        "key\": \"",  "key': '",     "key\":\"",
    "key `",      "key is ",    "key <",         "key\n",      "?key=",       "key: ",
    "key=",       "key = ",     "\"auth\"",      "key' => '",  "key\" => \"", " -u ",
    "--user "};

// other: the name says that it holds something else, a hash or a length. weak: "key" alone, which is given
// secrets and much else.
enum class NameClass : unsigned char { none, other, weak, key, password, authorization };

// What a whole name says about the value given to it.
NameClass classify_name(std::string_view name);

}  // namespace claviger::detect
