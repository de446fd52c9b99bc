// Tests of pictures, sound and speech: what is read from JSON and forms, what it costs at worst and in the
// end.
#include <gtest/gtest.h>

#include <string>

#include "base/rng.hpp"
#include "provider/ask.hpp"
#include "provider/audio_length.hpp"
#include "provider/price.hpp"
#include "provider/usage.hpp"

namespace claviger::provider {
namespace {

const Time kNow = *parse_time("2026-11-24T12:00:00Z");

const Route& route(std::string_view id) {
  for (const Route& row : routes())
    if (row.id == id) return row;
  ADD_FAILURE() << id;
  return routes().front();
}

Result<Ask> ask(std::string_view id, std::string_view body, std::string_view path = {}) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json)) << body;
  return read_ask(route(id), path.empty() ? route(id).pattern : path, &json);
}

std::string field(std::string_view name, std::string_view data) {
  return "--B\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
         std::string(data) + "\r\n";
}
std::string file(std::string_view name, std::string_view data) {
  return "--B\r\nContent-Disposition: form-data; name=\"" + std::string(name) +
         "\"; filename=\"f\"\r\nContent-Type: application/octet-stream\r\n\r\n" + std::string(data) + "\r\n";
}

Result<Ask> form(std::string_view id, const std::string& parts) {
  const std::string body = parts + "--B--\r\n";
  wire::Form read;
  EXPECT_TRUE(wire::read_form("multipart/form-data; boundary=B", body, read)) << body;
  return read_ask(route(id), route(id).pattern, nullptr, &read);
}
Code code_of(const Result<Ask>& result) { return result ? Code::internal : result.error().code; }

const PriceBook& prices() {
  static const PriceBook book = *PriceBook::parse(kPricesData);
  return book;
}
const Price& price(std::string_view provider, std::string_view model) {
  return *prices().find(provider, model, kNow);
}

std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
// One second of plain samples, 8000 a second of 16 bits.
std::string wav(std::uint32_t seconds) {
  const std::uint32_t size = seconds * 16'000;
  return "RIFF" + number(36 + size, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(1, 2) +
         number(8000, 4) + number(16'000, 4) + number(2, 2) + number(16, 2) + "data" + number(size, 4) +
         std::string(size, '\0');
}

TEST(FormAsk, OtherNamesAndKindsOfGovernedFieldsAreRefused) {
  const std::string good = field("model", "whisper-1") + file("file", "x");
  ASSERT_TRUE(form("openai.audio.transcriptions", good));
  for (const std::string& extra :
       {field("Model", "gpt-5"), field("model[]", "gpt-5"), field("model[0]", "x"), field("MODEL[a]", "x"),
        field("Stream", "true"), field("stream", "maybe"), file("other", "x"), file("prompt", "x")})
    EXPECT_EQ(code_of(form("openai.audio.transcriptions", good + extra)), Code::invalid_parameter) << extra;
  EXPECT_EQ(code_of(form("openai.audio.transcriptions", file("file", "x"))), Code::missing_model);
  EXPECT_EQ(code_of(form("openai.audio.transcriptions", file("model", "whisper-1") + file("file", "x"))),
            Code::invalid_parameter);
  for (const char* n : {"0", "129", "-1", "1.5", "two", "1 "})
    EXPECT_EQ(
        code_of(form("openai.images.edits", field("model", "dall-e-2") + file("image", "x") + field("n", n))),
        Code::invalid_parameter)
        << n;
}

TEST(FormAsk, SoundByUrlIsNotBounded) {
  const auto read =
      form("openai.audio.transcriptions", field("model", "whisper-1") + field("url", "https://x"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->unbounded.size(), 1u);
  EXPECT_FALSE(worst_case(price("openai", "whisper-1"), *read, 100, kNow).unbounded.empty());
}

TEST(Tools, AreNamedByKindOnceAndFunctionsByName) {
  const auto read =
      ask("openai.responses",
          R"({"model":"m","input":"x","service_tier":"priority","tools":[{"type":"function","name":"a"},
      {"type":"custom","name":"b"},{"type":"web_search_preview_2025_03_11"},{"type":"code_interpreter"}]})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tools,
            (std::vector<std::string>{"function:a", "function:b", "web_search_preview", "code_interpreter"}));
  EXPECT_EQ(read->tier, "priority");
  const auto other =
      ask("anthropic.messages",
          R"({"model":"m","tools":[{"type":"web_search_20250305","name":"w"},{"name":"mine"}]})");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->tools, (std::vector<std::string>{"web_search", "function:mine"}));
  const auto google =
      ask("gemini.generate", R"({"tools":[{"googleSearch":{}},{"functionDeclarations":[{"name":"f"}]}]})",
          "/v1beta/models/m:generateContent");
  ASSERT_TRUE(google);
  EXPECT_EQ(google->tools, (std::vector<std::string>{"google_search", "function:f"}));
}

TEST(Tiers, TheDearestThatMayApplyIsReserved) {
  const auto list = ask("openai.chat", R"({"model":"gpt-4o","messages":[],"max_tokens":100})");
  const auto automatic =
      ask("openai.chat", R"({"model":"gpt-4o","messages":[],"max_tokens":100,"service_tier":"auto"})");
  const auto fast =
      ask("openai.chat", R"({"model":"gpt-4o","messages":[],"max_tokens":100,"service_tier":"priority"})");
  ASSERT_TRUE(list && automatic && fast);
  const Price& row = price("openai", "gpt-4o");
  const Worst one = worst_case(row, *list, 100, kNow);
  const Worst most = worst_case(row, *fast, 100, kNow);
  EXPECT_EQ(most.money.value, (one.money.value * row.priority_percent + 99) / 100);
  EXPECT_EQ(worst_case(row, *automatic, 100, kNow).money, most.money);
  const auto plain = PriceBook::parse(
      "version = \"v\"\n[[price]]\nprovider = \"p\"\nmodel = \"m\"\nsource = \"s\"\nvalid_from = "
      "\"2026-01-01\"\n"
      "input = \"1\"\noutput = \"1\"\n");
  EXPECT_FALSE(worst_case(*plain->find("p", "m", kNow), *fast, 100, kNow).unbounded.empty());
}

TEST(Pictures, CostTheirSizeAndQualityOrTheDearestThatMayBeMade) {
  const auto worst = [&](std::string_view fields) {
    const auto read =
        ask("openai.images.generations", R"({"model":"dall-e-3","prompt":"x")" + std::string(fields) + "}");
    EXPECT_TRUE(read);
    return worst_case(price("openai", "dall-e-3"), *read, 100, kNow);
  };
  EXPECT_EQ(worst("").money.value, 40'000'000);
  EXPECT_EQ(worst(R"(,"size":"1024x1792","quality":"hd","n":2)").money.value, 240'000'000);
  EXPECT_EQ(worst(R"(,"size":"auto","quality":"auto")").money.value, 120'000'000);
  EXPECT_FALSE(worst(R"(,"size":"9x9")").unbounded.empty());
  Usage usage;
  usage.images = 2;
  EXPECT_EQ(cost(price("openai", "dall-e-3"), usage, kNow, Pictures{"1024x1024", "hd", 0}).value,
            160'000'000);
  EXPECT_TRUE(priced_fully(price("openai", "dall-e-3"), usage, Pictures{"1024x1024", "hd", 0}));
  EXPECT_FALSE(priced_fully(price("openai", "dall-e-3"), usage, Pictures{"9x9", "", 0}));
  EXPECT_GE(cost(price("openai", "dall-e-3"), usage, kNow, Pictures{"9x9", "", 0}).value, 240'000'000);
}

TEST(Pictures, InTokensAreHeldBySizeAndSettledByUsage) {
  const auto read = form("openai.images.edits", field("model", "gpt-image-1") + field("quality", "low") +
                                                    field("size", "1024x1024") + field("n", "3") +
                                                    file("image[]", "png") + file("image[]", "png"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->images, 2);
  EXPECT_EQ(read->choices, 3);
  const Worst worst = worst_case(price("openai", "gpt-image-1"), *read, 900, kNow);
  EXPECT_EQ(worst.output_tokens, 272);
  EXPECT_TRUE(worst.unbounded.empty());
  EXPECT_GT(worst.money.value, 3 * 272 * 40'000);
  const auto unknown = ask("openai.images.generations", R"({"model":"gpt-image-2","prompt":"x"})");
  EXPECT_FALSE(worst_case(price("openai", "gpt-image-2"), *unknown, 100, kNow).unbounded.empty());
}

TEST(Predict, CountsInstancesTimesSamples) {
  const std::string_view path = "/v1beta/models/imagen-4.0-generate-001:predict";
  const auto usual = ask("gemini.predict", R"({"instances":[{"prompt":"x"}]})", path);
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->choices, 4);
  const auto more = ask("gemini.predict", R"({"instances":[{},{}],"parameters":{"sample_count":3}})", path);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->choices, 6);
  EXPECT_EQ(worst_case(price("gemini", "imagen-4.0-generate-001"), *more, 100, kNow).money.value,
            240'000'000);
  for (const std::string_view bad : {R"({})", R"({"instances":[]})", R"({"instances":[{}],"parameters":[]})",
                                     R"({"instances":[{}],"parameters":{"sampleCount":0}})",
                                     R"({"instances":[{}],"parameters":{"sampleCount":2,"sample_count":1}})",
                                     R"({"instances":[{},{}],"parameters":{"sampleCount":100}})"})
    EXPECT_EQ(code_of(ask("gemini.predict", bad, path)), Code::invalid_parameter) << bad;
  EXPECT_FALSE(worst_case(price("gemini", "gemini-2.5-flash"), *usual, 100, kNow).unbounded.empty())
      << "a model of text sells no pictures";
}

TEST(Sound, IsAtMostAsLongAsItsBytesSay) {
  EXPECT_EQ(longest_seconds(wav(3)), 4) << "the header counts as sound";
  std::string lying = wav(3);
  lying.replace(32, 2, number(1, 2));  // says one byte a frame
  EXPECT_GE(longest_seconds(lying), 6);
  const std::string mp3 = "ID3\x04" + std::string(6, '\0') + "\xff\xf3\x14\xc4" + std::string(9'990, '\0');
  EXPECT_EQ(longest_seconds(mp3), 11);
  EXPECT_EQ(longest_seconds(std::string(160, 'x')), 10);
  EXPECT_EQ(longest_seconds(""), 0);
  EXPECT_EQ(longest_seconds("RIFF1234WAVE"), 1);
}

TEST(Sound, IsHeldByItsLengthAndSettledByWhatTheAnswerSays) {
  const auto read = form("openai.audio.transcriptions", field("model", "whisper-1") + file("file", wav(3)));
  ASSERT_TRUE(read);
  EXPECT_EQ(worst_case(price("openai", "whisper-1"), *read, 1, kNow).money.value, 4 * 100'000);
  Usage usage;
  usage.seconds = 3;
  EXPECT_EQ(cost(price("openai", "whisper-1"), usage, kNow).value, 300'000);
  const Worst tokens = worst_case(price("openai", "gpt-4o-transcribe"), *read, 1, kNow);
  EXPECT_TRUE(tokens.unbounded.empty());
  EXPECT_EQ(tokens.input_tokens, 16'000);
}

TEST(Speech, CostsItsCharactersAndNotItsBytes) {
  const auto read = ask("openai.audio.speech", R"({"model":"tts-1","voice":"x","input":"naïve \u00e9é"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->characters, 8);
  EXPECT_EQ(worst_case(price("openai", "tts-1"), *read, 1, kNow).money.value, 8 * 15'000);
  EXPECT_TRUE(worst_case(price("openai", "gpt-4o-mini-tts"), *read, 100, kNow).unbounded.empty());
}

TEST(Completions, AreAnsweredForEveryPromptOfAList) {
  EXPECT_EQ(ask("openai.completions", R"({"model":"m","prompt":["a","b"],"n":3})")->choices, 6);
  EXPECT_EQ(ask("openai.completions", R"({"model":"m","prompt":[1,2,3],"best_of":4})")->choices, 4);
  EXPECT_EQ(code_of(ask("openai.completions", R"({"model":"m","prompt":["a","b"],"n":65})")),
            Code::invalid_parameter);
}

Usage usage_of(Endpoint endpoint, std::string_view body, Dialect dialect = Dialect::openai) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json));
  return read_usage(dialect, endpoint, json);
}

TEST(MediaUsage, IsReadInTokensSecondsAndPictures) {
  const Usage tokens =
      usage_of(Endpoint::images, R"({"data":[{}],"usage":{"input_tokens":50,"output_tokens":300,
      "total_tokens":350,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}})");
  EXPECT_EQ(tokens.uncached_in, 10);
  EXPECT_EQ(tokens.image_in, 40);
  EXPECT_EQ(tokens.image_out, 300);
  EXPECT_FALSE(tokens.mismatch);
  EXPECT_EQ(usage_of(Endpoint::images, R"({"data":[{},{}]})").images, 2);
  EXPECT_FALSE(usage_of(Endpoint::images, R"({"error":{}})").seen);
  EXPECT_EQ(
      usage_of(Endpoint::transcriptions, R"({"text":"","usage":{"type":"duration","seconds":2.1}})").seconds,
      3);
  EXPECT_EQ(usage_of(Endpoint::transcriptions, R"({"text":"","duration":2.0})").seconds, 2);
  EXPECT_FALSE(
      usage_of(Endpoint::transcriptions, R"({"text":"","usage":{"type":"duration","seconds":1e9}})").seen);
  const Usage heard = usage_of(Endpoint::transcriptions, R"({"usage":{"type":"tokens","input_tokens":14,
      "output_tokens":45,"total_tokens":59,"input_token_details":{"text_tokens":4,"audio_tokens":10}}})");
  EXPECT_EQ(heard.audio_in, 10);
  EXPECT_EQ(heard.uncached_in, 4);
  EXPECT_EQ(heard.text_out, 45);
  EXPECT_TRUE(usage_of(Endpoint::speech, R"({"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":9}})")
                  .mismatch);
  EXPECT_EQ(
      usage_of(Endpoint::predict, R"({"predictions":[{"bytesBase64Encoded":""},{"raiFilteredReason":"x"}]})",
               Dialect::gemini)
          .images,
      1);
  EXPECT_TRUE(usage_of(Endpoint::predict, "{}", Dialect::gemini).seen);
}

TEST(ToolUsage, CountsSearchesAndContainers) {
  const Usage usage =
      usage_of(Endpoint::responses, R"({"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2},
      "output":[{"type":"file_search_call"},{"type":"file_search_call"},{"type":"web_search_call"},
      {"type":"code_interpreter_call","container_id":"a"},
      {"type":"code_interpreter_call","container_id":"a"}]})");
  EXPECT_EQ(usage.file_searches, 2);
  EXPECT_EQ(usage.code_sessions, 1);
  EXPECT_EQ(usage.tool_calls, 1);
  const Price& row = price("openai", "gpt-4.1");
  EXPECT_EQ(cost(row, usage, kNow).value, 2'000 + 8'000 + 2 * 2'500'000 + 30'000'000 + 10'000'000);
  const Usage grounded = usage_of(Endpoint::generate_content, R"({"usageMetadata":{"promptTokenCount":1,
      "totalTokenCount":1},"candidates":[{"groundingMetadata":{"webSearchQueries":["a","b"]}}]})",
                                  Dialect::gemini);
  EXPECT_EQ(grounded.tool_calls, 2);
  Usage searches;
  searches.tool_calls = 2;
  EXPECT_EQ(cost(price("gemini", "gemini-2.5-flash"), searches, kNow).value, 35'000'000);
}

// A stream of pictures ends with its last one; each brings its own usage.
TEST(MediaStream, EndsWithItsLastPicture) {
  StreamMeter meter(Dialect::openai, Endpoint::images, 2);
  wire::SseReader events;
  const std::string one =
      "data: {\"type\":\"image_generation.completed\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,"
      "\"total_tokens\":3}}\n\n";
  ASSERT_TRUE(events.feed(one + one));
  meter.on_event(*events.next());
  EXPECT_FALSE(meter.finished());
  meter.on_event(*events.next());
  EXPECT_TRUE(meter.finished());
  EXPECT_EQ(meter.usage().image_out, 4);
}

// Whatever a provider reports consistently for pictures and sound, the buckets sum to its total; what does
// not add up is flagged.
TEST(BucketSums, OfPicturesAndSoundEqualTheTotalsOrAreFlagged) {
  SeededRng rng(20261124);
  for (int round = 0; round < 500; ++round) {
    const auto text = static_cast<std::int64_t>(rng.below(1000)),
               other = static_cast<std::int64_t>(rng.below(1000)),
               out = static_cast<std::int64_t>(rng.below(1000)),
               lie = static_cast<std::int64_t>(rng.below(3));
    for (const bool sound : {false, true}) {
      const std::string body = std::string(R"({"usage":{"type":"tokens","input_tokens":)") +
                               std::to_string(text + other) + R"(,"output_tokens":)" + std::to_string(out) +
                               R"(,"total_tokens":)" + std::to_string(text + other + out + lie) +
                               (sound ? R"(,"input_token_details":{"audio_tokens":)"
                                      : R"(,"input_tokens_details":{"image_tokens":)") +
                               std::to_string(other) + R"(,"text_tokens":)" + std::to_string(text) + "}}}";
      const Usage usage = usage_of(sound ? Endpoint::transcriptions : Endpoint::images, body);
      EXPECT_EQ(usage.total_tokens(), text + other + out + (text + other + out == 0 ? lie : lie)) << body;
      EXPECT_EQ(usage.mismatch, lie != 0) << body;
    }
  }
}

}  // namespace
}  // namespace claviger::provider
