// Recall and precision over texts made by a seeded generator: every rule in the places where people leave
// keys, and what only looks like one.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "base/encoding.hpp"
#include "detect/engine.hpp"
#include "detect/sample.hpp"

namespace claviger::detect {
namespace {

// In each text N is the variable, n the same in lower case, P the provider and S the secret, all marked by @.
constexpr std::string_view kPlaces[] = {
    "@N=@S\n",
    "export @N=\"@S\"\n",
    "ENV @N @S\n",
    "ENV @N=@S\n",
    "@n: @S\n",
    "@n: \"@S\"\n",
    "env:\n  - name: @N\n    value: \"@S\"\n",
    "{\"@n\": \"@S\", \"timeout\": 30}\n",
    "{\"body\": \"{\\\"@n\\\": \\\"@S\\\"}\"}\n",
    "import @P\nclient = @P.Client(api_key=\"@S\")\n",
    "os.environ[\"@N\"] = '@S'\n",
    "const @n = '@S';\n",
    "const client = new @P({ apiKey: \"@S\", dangerouslyAllowBrowser: true });\n",
    "@n := \"@S\"\n",
    "const @n string = \"@S\"\n",
    "private static final String @N = \"@S\";\n",
    "public string @n { get; set; } = \"@S\";\n",
    "let @n: &str = \"@S\";\n",
    "config.@n = '@S'\n",
    "define('@N', '@S');\n",
    "'@n' => '@S',\n",
    "variable \"@n\" {\n  type    = string\n  default = \"@S\"\n}\n",
    "curl https://api.@P.com/v1/models -H \"Authorization: Bearer @S\"\n",
    "curl https://api.@P.com/v1/models \\\n  -H 'x-api-key: @S' \\\n  -d '{}'\n",
    "GET https://api.@P.com/v1/search?q=cat&api_key=@S&limit=10 HTTP/1.1\n",
    "2026-11-24 10:00:01 DEBUG @P request headers: {'Authorization': 'Bearer @S'}\n",
    "Set `@N` to `@S` and restart.\n",
    "      - run: deploy --token @S\n        env:\n          @N: @S\n",
    "   \"source\": [\n    \"client = @P(api_key=\\\"@S\\\")\\n\"\n   ]\n",
    "@P login --api-key @S --yes\n",
    "[@P]\napi_key = @S\n",
    "@P.api.key=@S\n",
    "<add key=\"@N\" value=\"@S\" />\n",
    "<@n>@S</@n>\n",
    "-@n = \"old\"\n+@n = \"@S\"\n",
    "# @n = \"@S\"\n",
    "!function(e,t){var n={@n:\"@S\",retries:3};t.exports=n}(this,module);\n",
    "setx @N \"@S\"\r\n",
    "$env:@N = \"@S\"\r\n",
    "os.Setenv(\"@N\", \"@S\")\n",
    "process.env.@N || \"@S\"\n",
    "os.getenv(\"@N\", \"@S\")\n",
    "{\"@P\": \"@S\"}\n",
    "@P:\n  token: @S\n",
    "[providers.@P]\nkey = \"@S\"\n",
    "helm install x --set @P.apiKey=@S\n",
    "my @P api key is @S please rotate it\n",
    "Here is the @P key: @S\n",
    "| `@N` | `@S` |\n",
    "wget --header=\"X-Api-Key: @S\" https://api.@P.ai/v1\n",
    "INSERT INTO credentials (provider, api_key) VALUES ('@P', '@S');\n",
    "my $@n = '@S';\n",
    "@P = \"@S\"\n",
    "llm = Chat@P(model='x', temperature=0, api_key='@S')\n",
    "requests.get(url, headers={'Authorization': 'Bearer @S'})  # @P\n",
    "POST /v1/chat HTTP/1.1\r\nHost: api.@P.com\r\nAuthorization: Bearer @S\r\n\r\n",
    "@N='@S' python run.py\n",
    "docker run -d -e @N=@S -p 80:80 img\n",
    "KEY=@S  # @P\n",
    "  apiKey: '@S', // @P\n",
    "self.@P_key = \"@S\"\n",
    "@N = (\n    \"@S\"\n)\n",
    "const headers = { \"Authorization\": `Bearer @S` }; // @P\n",
    "<!-- @N: @S -->\n",
    "\"@N=@S\",\n",
    "environment:\n  - @N=@S\n",
    "@n = @S ; @P\n",
    "set(@N \"@S\")\n",
    "@N: ${@N:-@S}\n",
    "{\"name\":\"@N\",\"type\":\"secret\",\"value\":\"@S\"}\n",
    "\\\"@n\\\":\\\"@S\\\"\n",
    "<key>@N</key>\n<string>@S</string>\n",
    "id,name,value\n1,@N,@S\n",
    "[@P]\nkey = @S\n",
    "config.@n = %q(@S)\n",
    "@n: >-\n  @S\nother: 1\n",
    "    @n: str = field(default=\"@S\")\n",
    "buildConfigField(\"String\", \"@N\", \"\\\"@S\\\"\")\n",
    "try it with the @P key `@S` please\n",
    "use @P with key `@S`.\n",
    "the @P token is <@S>\n",
    "@P key\n@S\n",
    "fetch('https://api.@P.com/v1', { headers: { Authorization: 'Bearer ' + '@S' } });\n",
    "provider,key,owner\n@P,@S,me\n",
    "@N = \"\"\"@S\"\"\"\n",
    "static const std::string @n{\"@S\"};\n",
    "Set @N = \xe2\x80\x9c@S\xe2\x80\x9d and restart.\n",
    "\x1b[36m@N\x1b[0m=\x1b[33m@S\x1b[0m\n",
    "<meta name=\"@n\" content=\"@S\">\n",
    "    '@P' => [\n        'key' => '@S',\n    ],\n",
    "@N_PROD=@S\n",
    "NEXT_PUBLIC_@N=@S\n",
    "@N = { value = \"@S\", force = true }\n",
    "I get 401 with my @P key (@S), any idea?\n",
    "@P API key\n@S\n",
    "$ENV{@N} = '@S';\n",
    "let key = env::var(\"@N\").unwrap_or_else(|_| \"@S\".into());\n",
    "@NS = [\n    \"@S\",\n]\n",
    "* @P key - @S\n",
    "**@P API Key:** `@S`\n",
    "@n = os.environ.get('@N') or '@S'\n",
    "<@n><![CDATA[@S]]></@n>\n",
    "gh secret set @N --body \"@S\"\n",
    "const @n: string = <string>\"@S\";\n",
    "<meta-data android:name=\"com.acme.@n\" android:value=\"@S\"/>\n",
    "def @n():\n    return \"@S\"\n",
    "@n, region = \"@S\", \"eu\"\n",
    "case '@P': return '@S';\n",
    "can you try with my @P key? `@S` thanks\n",
    "use this @P API key for now: @S\n",
    "[{\"ParameterKey\": \"@N\", \"ParameterValue\": \"@S\"}]\n",
    "<string name=\"@n\" translatable=\"false\">@S</string>\n",
    "GET /v1 HTTP/1.1\nHost: api.@P.com\nAuthorization: Bot @S\n",
    "Content-Transfer-Encoding: quoted-printable\n\n@N=3D@S\n",
    "\"@N\": '@S'\n'other': 1\n",
};

struct Case {
  std::string rule, provider, secret, text;
};

std::string with(std::string_view place, std::string_view name, std::string_view provider,
                 std::string_view secret) {
  std::string small(name), out;
  std::ranges::transform(small, small.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  for (std::size_t i = 0; i < place.size(); ++i) {
    const char next = place[i] == '@' && i + 1 < place.size() ? place[i + 1] : ' ';
    if (next == 'N')
      out += name;
    else if (next == 'n')
      out += small;
    else if (next == 'P')
      out += provider;
    else if (next == 'S')
      out += secret;
    else {
      out.push_back(place[i]);
      continue;
    }
    ++i;
  }
  return out;
}

// The variable that the rule's own first example gives the secret to, else PROVIDER_API_KEY.
std::string name_of(const Rule& rule) {
  const std::string& first = rule.examples.front();
  const std::size_t sign = first.find('=');
  if (rule.kind == Kind::context && sign != std::string::npos) return first.substr(0, sign);
  std::string name = rule.provider + "_API_KEY";
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  std::ranges::replace(name, '-', '_');
  return name;
}

std::vector<Case> positives(const Ruleset& rules, std::size_t from, std::size_t to, std::uint64_t seeds) {
  std::vector<Case> out;
  for (const Rule& rule : rules.rules()) {
    if (rule.is_public || rule.samples.empty() || rule.group != 0) continue;
    const std::string provider = rule.kind == Kind::context ? rule.context.front() : rule.provider;
    for (std::size_t i = from; i < to; ++i)
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        const std::string secret = expand_sample(rule, "{secret}", seed * 1000 + i);
        out.push_back({rule.id, rule.provider, secret, with(kPlaces[i], name_of(rule), provider, secret)});
      }
  }
  return out;
}

class Corpus : public ::testing::Test {
 protected:
  Corpus() : engine_(*Engine::built_in()), scanner_(engine_) {}

  std::vector<Hit> scan(std::string_view text, std::string_view path = {}) {
    std::vector<Hit> hits;
    scanner_.scan(text, {path}, [&](const Hit& hit) { hits.push_back(hit); });
    return hits;
  }
  bool found(const Case& c) {
    const auto hits = scan(c.text);
    return std::ranges::any_of(hits, [&](const Hit& hit) { return hit.secret == c.secret; });
  }
  // Expects at least `floor` of the cases to be found, and names the rules and texts that were missed most.
  void expect_recall(const std::vector<Case>& cases, double floor) {
    std::map<std::string, int> missed;
    std::size_t hits = 0;
    for (const Case& c : cases) {
      if (found(c))
        ++hits;
      else if (missed[c.rule]++ == 0)
        RecordProperty(c.rule, c.text);
    }
    const double recall = static_cast<double>(hits) / static_cast<double>(cases.size());
    std::string most;
    for (const auto& [rule, count] : missed) most += fmt::format(" {}:{}", rule, count);
    EXPECT_GE(recall, floor) << cases.size() << " cases, missed:" << most;
    RecordProperty("recall", fmt::format("{:.4f} of {}", recall, cases.size()));
  }

  std::shared_ptr<const Engine> engine_;
  Engine::Scanner scanner_;
};

TEST_F(Corpus, keys_are_found_where_people_leave_them) {
  expect_recall(positives(engine_->rules(), 0, std::size(kPlaces), 2), 0.99);
}

std::string utf16(std::string_view text, bool little) {
  std::string out;
  for (const char c : text) {
    if (!little) out.push_back('\0');
    out.push_back(c);
    if (little) out.push_back('\0');
  }
  return out;
}

std::string each(std::string_view text, std::string_view format) {
  std::string out;
  for (const char c : text) out += fmt::format(fmt::runtime(format), static_cast<unsigned char>(c));
  return out;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// The case's secret in several pieces, and written otherwise, given to `name`.
void add_split(const Case& c, const std::string& name, const std::function<void(std::string)>& add) {
  const std::size_t half = c.secret.size() / 2, third = c.secret.size() / 3;
  add(name + " = \"" + c.secret.substr(0, half) + "\" + \"" + c.secret.substr(half) + "\"\n");
  add(name + " = (\"" + c.secret.substr(0, third) + "\"\n    \"" + c.secret.substr(third) + "\")\n");
  add("String " + name + " = \"" + c.secret.substr(0, 3) + "\"\n    + \"" + c.secret.substr(3) + "\";\n");
  add("$" + name + " = '" + c.secret.substr(0, half) + "' . '" + c.secret.substr(half) + "';\n");
  add(name + ": \"" + c.secret.substr(0, half) + "\\\n    " + c.secret.substr(half) + "\"\n");
  add(name + "=" + c.secret.substr(0, half) + "\\\n" + c.secret.substr(half) + "\n");
  add("const " + name + " = ['" + c.secret.substr(0, third) + "', '" + c.secret.substr(third) +
      "'].join('');\n");
  add(name + " = ''.join([\"" + c.secret.substr(0, third) + "\", \"" + c.secret.substr(third) + "\"])\n");
  add(name + " = \"" + c.secret.substr(0, half) + "\";\n" + name + " += \"" + c.secret.substr(half) +
      "\";\n");
}

// By the operators and calls of other languages.
void add_joined(const Case& c, const std::string& name, const std::function<void(std::string)>& add) {
  const std::string head = c.secret.substr(0, 4), rest = c.secret.substr(4);
  add("UPDATE settings SET " + name + " = '" + head + "' || '" + rest + "';\n");
  add("UPDATE settings SET " + name + " = CONCAT('" + head + "', '" + rest + "');\n");
  add("local " + name + " = '" + head + "' .. '" + rest + "'\n");
  add(name + " = \"" + head + "\" <> \"" + rest + "\"\n");
  add("String " + name + " = \"" + head + "\".concat(\"" + rest + "\");\n");
  add("String " + name + " = new StringBuilder(\"" + head + "\").append(\"" + rest + "\").toString();\n");
}

void add_listed(const Case& c, const std::string& name, const std::function<void(std::string)>& add) {
  add("const " + name + " = String.fromCharCode(" + each(c.secret, "{}, ") + "10);\n");
  add("unsigned char " + name + "[] = {" + each(c.secret, "0x{:02x}, ") + "0x00};\n");
  add(name + "=$'" + each(c.secret, "\\{:03o}") + "'\n");
  add(name + "=" + base64(as_bytes(base64(as_bytes(c.secret)))) + "\n");
  add("data: " + base64(as_bytes(gzip("config:\n" + c.text))) + "\n");
}

TEST_F(Corpus, encoded_and_split_keys_are_found) {
  std::vector<Case> cases;
  for (const Case& c : positives(engine_->rules(), 0, 8, 1)) {
    const std::string name = c.text.substr(0, c.text.find_first_of("=:"));
    const auto add = [&](std::string text) {
      cases.push_back({c.rule, c.provider, c.secret, std::move(text)});
    };
    add("payload: " + base64(as_bytes("config:\n" + c.text + "debug: true\n")) + "\n");
    add("data = \"" + hex(as_bytes(c.text)) + "\"\n");
    add("https://host/cb?state=" + each(c.text, "%{:02X}") + "\n");
    add("var s = \"" + each(c.text, "\\u{:04x}") + "\";\n");
    add("var s = \"" + each(c.text, "\\u{{{:x}}}") + "\";\n");
    add(utf16(c.text, true));
    add(utf16("x" + c.text, false));
    add(name + " = bytes.fromhex('" + hex(as_bytes(c.secret)) + "').decode()\n");
    add("export " + name + "=$(echo '" + base64(as_bytes(c.secret)) + "' | base64 -d)\n");
    add("INSERT INTO settings VALUES ('" + name + "', X'" + hex(as_bytes(c.secret)) + "');\n");
    add("String " + name + " = new String(Base64.getDecoder().decode(\"" + base64(as_bytes(c.secret)) +
        "\"));\n");
    if (!c.text.starts_with(name_of(engine_->rules().at(*engine_->rules().find(c.rule))) + "=")) continue;
    add("apiVersion: v1\nkind: Secret\ndata:\n  " + name + ": " + base64(as_bytes(c.secret)) + "\n");
    add_split(c, name, add);
    add_joined(c, name, add);
    add_listed(c, name, add);
  }
  expect_recall(cases, 0.97);
}

// What only looks like a key.
constexpr std::string_view kNegatives[] = {
    "# weaviate\nNEXT_PUBLIC_POSTHOG_KEY=phc_{A43}\n",
    "request_id = \"{uuid}\"\n",
    "commit {H40}\nAuthor: A <a@example.com>\n",
    "      \"integrity\": \"sha512-{B86}==\",\n",
    "checksum = \"{H64}\"\n",
    "  resolved \"https://registry.yarnpkg.com/x/-/x-1.2.3.tgz#{H40}\"\n",
    "sha256:{H64}  file.tar.gz\n",
    "golang.org/x/net v0.17.0 h1:{B43}=\n",
    "<img src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg{B400}==\">\n",
    "//# "
    "sourceMappingURL=data:application/json;base64,{base64:{\"version\":3,\"mappings\":\"AAAA,SAASA\"}}\n",
    "password = os.environ[\"DB_PASSWORD\"]\n",
    "token = request.headers.get('X-Token')\n",
    "api_key: ${{ secrets.API_KEY }}\n",
    "apiKey = process.env.OPENAI_API_KEY;\n",
    "secretKeyRef:\n  name: app-secrets-v2\n  key: database-url-primary\n",
    "passwordValidator = new PasswordStrengthValidator2(8)\n",
    "const tokenTypes = ['keyword', 'string', 'number2'];\n",
    "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    "OPENAI_API_KEY=sk-your-api-key-here\n",
    "ANTHROPIC_API_KEY=sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
    "api_key = \"<YOUR_API_KEY>\"\n",
    "api_key = \"YOUR_API_KEY_1234567890\"\n",
    "token: {{ .Values.token }}\n",
    "password: changeme\n",
    "password: \"********\"\n",
    "client_secret = \"0123456789abcdef0123456789abcdef\"\n",
    "token = \"abcdefghijklmnopqrstuvwxyz123456\"\n",
    "\"public_key\": \"{B44}\"\n",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{B43} user@host\n",
    "-----BEGIN CERTIFICATE-----\n{B64}\n{B64}\n{B64}\n-----END CERTIFICATE-----\n",
    "e.token=function(t){return this.vocab=new n(t,2048)},e.key=1\n",
    "max_tokens=4096, token_count=1048576, tokenizer=\"cl100k_base\"\n",
    "postgres://postgres:postgres@localhost:5432/app_test\n",
    "mongodb://user:<password>@cluster0.mongodb.net\n",
    "ghp_{A36}\n",
    "npm_{A36}\n",
    "glsa_{A32}_{H8}\n",
    "clv_{A12}_{A49}\n",
    "\"primaryKey\": \"user#1234567890\", \"sortKey\": \"order#2026-11-24\"\n",
    "X-Amz-Signature={H64}\n",
    "etag: W/\"{H32}\"\n",
    "cache_key = \"{H32}\"\n",
    "color: #a1b2c3; background: url(/assets/logo.{H20}.svg)\n",
    "secret_name = \"projects/acme-prod-1/secrets/db-password/versions/3\"\n",
    "The secret of good tea is patience; the token of friendship, a key to the house.\n",
    "i18n.password = \"Passwort eingeben\"\n",
    "placeholder=\"Enter your password\"\n",
    "const LOCAL_STORAGE_TOKEN_KEY = \"app.auth.token.v2\";\n",
    "image: registry.example.com/team/app@sha256:{H64}\n",
    "csrf_token = \"{A32}\"\n",
    "pk_live_{A24}\nphc_{A43}\npk-lf-{uuid}\n",
    "docs: sk-... or sk-ant-... or gsk_... will do\n",
    "NEXT_PUBLIC_POSTHOG_KEY=phc_{A43}\n",
    "model = \"mistral-large-2411\", embed = \"text-embedding-3-small\"\n",
    "mistral_revision = \"{H40}\"\n",
    "kind: SealedSecret\nencryptedData:\n  API_KEY: AgB{B400}\n",
    "address constant TOKEN = 0x{H40};\n",
    "GROQ_API_KEY=gsk_abc123abc123abc123abc123abc123abc123abc123abc123abcd\n",
    "id,token_type,checksum\n{uuid},bearer,{H64}\n",
    "PasswordLastUsed: \"2016-09-08T21:47:36Z\"\n",
    "token: gho_{A36}\n",
    "client_secret: 'pi_3{A23}_secret_{A25}'\n",
    "const applicationServerKey = 'B{U86}';\n",
    "{\"api_key\": \"sk-1a2b3c4d5e6f7g8h9i0j\"}\n",
    "# pinecone index\nindex_id = '{uuid}'\n",
    "const names = ['{A12}', '{A12}'].join(', ');\n",
    "static const unsigned char table[] = {0x{H2}, 0x{H2}, 0x{H2}, 0x{H2}, 0x{H2}, 0x{H2}, 0x{H2}, "
    "0x{H2}};\n",
    "let url = `${base}/v1/models?key=${key}`;\n",
    "{\"nextForwardToken\": \"f/{A50}/s\", \"syncToken\": \"{A24}=\"}\n",
    "INSERT INTO runs VALUES ('{uuid}','deepgram','{H40}','ok');\n",
    "trace,provider,hash\n{uuid},vast,{H64}\n",
    "docsearch({ appId: '{C10}', apiKey: '{H32}', indexName: 'docs' }); // algolia\n",
    "PINECONE_API_KEY=01234567-89ab-cdef-0123-456789abcdef\n",
    "{\"api_key\": [{\"current_key\": \"AIzaSy{U33}\"}]}\n",
    "client_secret = \"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\"\n",
    "mapboxgl.accessToken = 'pk.eyJ1Ijoi{U60}.{U22}';\n",
    "docker run -u 1000:1000 --user 65532:65532 app@sha256:{H64}\n",
    "const result = await admin.apiKeys.list('{uuid}');  // pinecone\n",
    "The API key for deepgram was changed in commit {H40}.\n",
    "{\"provider\": \"azure\", \"api_key\": null, \"request_id\": \"{H32}\"}\n",
    "STRIPE_KEY=sk_test_4eC39HqLyjWDarjtT1zdp7dc\n",
    "api_key: "
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.{U43}\n",
    "GOOGLE_API_KEY=AIzaSyDaGmWKa4JsXZ-{A20}\n",
    "password: %DB_PASSWORD%\n",
    "deepgram: api_key=missing request={H40} trace={H40}\n",
    "clarifai api_key: <redacted> trace {H32}\n",
    "{\"pinecone_api_key\": {\"secret_ref\": \"{uuid}\", \"version\": \"{H32}\"}}\n",
    "api_key_name,project_id\nexa,{uuid}\n",
    "annotations:\n  checksum/secret: {H64}\n  checksum/api-token: {H64}\n",
    "did you rotate the deepgram key? see {H40}\n",
    "the pinecone token is bound to this index: {uuid}\n",
    "the deepgram key is gone since this commit: {H40}\n",
};

std::vector<std::string> negatives(const Ruleset& rules, std::uint64_t seeds) {
  std::vector<std::string> out;
  for (const std::string_view text : kNegatives)
    for (std::uint64_t seed = 0; seed < seeds; ++seed) out.push_back(expand_sample(rules.at(0), text, seed));
  return out;
}

TEST_F(Corpus, what_only_looks_like_a_key_is_left_alone) {
  const auto cases = negatives(engine_->rules(), 40);
  std::size_t alarms = 0;
  std::string said;
  for (const std::string& text : cases)
    for (const Hit& hit : scan(text))
      if (++alarms < 20) said += engine_->rules().at(hit.rule).id + " in: " + text.substr(0, 150) + "\n";
  EXPECT_LE(static_cast<double>(alarms), 0.002 * static_cast<double>(cases.size())) << said;
}

TEST_F(Corpus, the_rules_and_the_scanner_are_no_findings_themselves) {
  const std::filesystem::path root(CLAVIGER_SOURCE_DIR);
  std::size_t files = 0;
  for (const auto& folder : {root / "rules", root / "src" / "detect", root / "src" / "gate"})
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text(std::istreambuf_iterator<char>(in), {});
      for (const Hit& hit : scan(text, entry.path().string()))
        ADD_FAILURE() << entry.path() << " at " << hit.begin << ": " << engine_->rules().at(hit.rule).id;
      ++files;
    }
  EXPECT_GT(files, 50U);
}

TEST_F(Corpus, a_token_with_a_wrong_checksum_is_no_finding) {
  for (const std::string_view id : {"github-token", "npm-token", "grafana-service-token", "claviger-key"})
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const Rule& rule = engine_->rules().at(*engine_->rules().find(id));
      std::string secret = expand_sample(rule, "{secret}", seed);
      ASSERT_EQ(scan("t = '" + secret + "'").size(), 1U);
      EXPECT_TRUE(scan("t = '" + secret + "'")[0].validated);
      char& digit = secret[secret.size() - 1 - seed % 6];
      digit = digit == '7' ? '8' : '7';
      EXPECT_TRUE(scan("t = '" + secret + "'").empty()) << secret;
    }
}

}  // namespace
}  // namespace claviger::detect
