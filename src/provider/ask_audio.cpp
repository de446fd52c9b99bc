// Requests about sound: files to be heard (forms), texts to be spoken (JSON).
#include <algorithm>

#include "provider/ask_parts.hpp"
#include "provider/audio_length.hpp"

namespace claviger::provider {
namespace {

// Unicode characters, as speech is billed by.
std::int64_t characters_of(std::string_view utf8) {
  return std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

Result<void> read_hearing(const wire::Form& form, Ask& out) {
  const BodyFields body(form);
  TRY(out.stream, body.flag("stream"));
  out.audio_in = out.hidden_input = out.hears = true;
  const wire::FormPart* file = form.find("file");
  for (const wire::FormPart& part : form.parts())
    if (part.is_file && &part != file)
      return bad_parameter(part.name, "may not be a file: the sound goes into \"file\".");
  if (file == nullptr || !file->is_file) {
    unbounded(out, "Sound by URL has no known length: send it as a file.");
    return {};
  }
  out.seconds = longest_seconds(file->data);
  return {};
}

Result<void> read_speech(wire::JsonValue root, Ask& out) {
  TRY(const std::string text, read_text(root, "input"));
  TRY(const std::string form, read_text(root, "stream_format"));
  out.stream = form == "sse";
  out.speaks = out.audio_out = true;
  out.characters = characters_of(text);
  return {};
}

}  // namespace claviger::provider
