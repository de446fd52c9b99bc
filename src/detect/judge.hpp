// Judges whether a text is random enough to be a secret, or a placeholder, a word, an identifier, a hash.
#pragma once

#include <string_view>

namespace claviger::detect {

// Shannon entropy, bits a character.
double entropy(std::string_view text);

// Stands for a secret without being one: your-key-here, <token>, ${VAR}, xxxx, 1234567890, EXAMPLE.
bool is_placeholder(std::string_view secret);

// Share (0..1) of adjacent letter pairs that are common in English words and identifiers; random text has
// about 0.35, words 0.9.
double wordiness(std::string_view text);

// Long enough for wordiness to tell, and made of words.
bool is_wordy(std::string_view text, double from = 0.8);

// Looks made by a generator: letters and digits mixed beyond what people write in names, versions and paths.
bool looks_random(std::string_view value);

// A password that a person might really use: long enough, of several classes, not a well-known default.
bool looks_like_password(std::string_view value);

// The password of a login that somebody uses: not the user's name, nor what examples and defaults have.
bool is_login(std::string_view user, std::string_view password);

bool is_uuid(std::string_view text);
bool is_hex(std::string_view text);

}  // namespace claviger::detect
