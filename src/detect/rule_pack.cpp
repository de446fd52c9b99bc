// The compiled form of rules: fields one after another, each text with its length before it.
#include <bit>
#include <cstring>

#include "detect/rule_file.hpp"

namespace claviger::detect {
namespace {

// Visits all fields of a rule in one order, for writing and reading alike.
template <class Archive>
void visit(Archive& archive, auto& rule) {
  for (auto* text : {&rule.id, &rule.provider, &rule.description, &rule.advice, &rule.revoke, &rule.pattern,
                     &rule.marker, &rule.path})
    archive.text(*text);
  for (auto* list : {&rule.anchors, &rule.context, &rule.stopwords, &rule.public_near, &rule.samples,
                     &rule.examples, &rule.counter_examples})
    archive.list(*list);
  archive.number(rule.severity);
  archive.number(rule.kind);
  archive.number(rule.check);
  archive.number(rule.group);
  archive.number(rule.entropy);
  archive.number(rule.least);
  archive.number(rule.is_public);
}

struct Writer {
  std::string out;
  template <class T>
  void number(const T& value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.append(bytes, sizeof(T));
  }
  void text(const std::string& value) {
    number(static_cast<std::uint32_t>(value.size()));
    out += value;
  }
  void list(const std::vector<std::string>& values) {
    number(static_cast<std::uint32_t>(values.size()));
    for (const std::string& value : values) text(value);
  }
};

struct Reader {
  std::string_view in;
  bool whole = true;
  std::string_view take(std::size_t size) {
    whole = whole && size <= in.size();
    const std::string_view out = whole ? in.substr(0, size) : std::string_view();
    if (whole) in.remove_prefix(size);
    return out;
  }
  template <class T>
  void number(T& value) {
    const std::string_view bytes = take(sizeof(T));
    if (whole) std::memcpy(&value, bytes.data(), sizeof(T));
  }
  void text(std::string& value) {
    std::uint32_t size = 0;
    number(size);
    value = take(size);
  }
  void list(std::vector<std::string>& values) {
    std::uint32_t count = 0;
    number(count);
    whole = whole && count <= in.size();
    for (std::uint32_t i = 0; whole && i < count; ++i) text(values.emplace_back());
  }
};

}  // namespace

std::string pack_rules(const std::vector<Rule>& rules) {
  Writer writer;
  writer.number(static_cast<std::uint32_t>(rules.size()));
  for (const Rule& rule : rules) visit(writer, rule);
  return std::move(writer.out);
}

Result<std::vector<Rule>> unpack_rules(std::string_view bytes) {
  Reader reader{bytes};
  std::uint32_t count = 0;
  reader.number(count);
  std::vector<Rule> out;
  while (reader.whole && out.size() < count) visit(reader, out.emplace_back());
  if (!reader.whole || !reader.in.empty()) return fail(Code::corrupt, "the compiled rules are damaged");
  return out;
}

}  // namespace claviger::detect
