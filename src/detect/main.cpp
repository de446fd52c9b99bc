// Build tool: compiles rules/*.toml into a C++ file for compiled.hpp, so that no start of the program does.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "detect/compiled.hpp"
#include "detect/parts.hpp"
#include "detect/rule_file.hpp"
#include "detect/sample.hpp"
#include "detect/shortest.hpp"

namespace claviger::detect {

// The tool itself runs without what it makes.
std::string_view compiled_rules() { return {}; }
std::string_view compiled_literals(Target) { return {}; }

namespace {

void write_bytes(std::ostream& out, std::string_view name, std::string_view bytes) {
  out << "constexpr unsigned char " << name << "[] = {";
  for (const char c : bytes) out << static_cast<unsigned>(static_cast<unsigned char>(c)) << ',';
  out << "0};\n";
}

Result<void> write_literals(std::ostream& out, const std::string& name, const Catalogue& catalogue) {
  for (const Target target : {Target::generic, Target::avx2}) {
    TRY(const Literals literals, Literals::compile(catalogue.literals, target));
    TRY(const std::string bytes, literals.serialise());
    write_bytes(out, name + (target == Target::avx2 ? "Avx2" : ""), bytes);
  }
  return {};
}

// Two thirds of the rule's shortest sample: anything shorter at an anchor is part of a word. Samples are of
// the usual length; a pattern that takes less says so.
std::uint32_t least_of(const Rule& rule) {
  std::size_t least = 0;
  for (const std::string& sample : rule.samples) {
    const std::size_t size = expand_sample(rule, sample, 1).size();
    least = least == 0 ? size : std::min(least, size);
  }
  return static_cast<std::uint32_t>(std::min(least * 2 / 3, shortest_match(rule.pattern)));
}

Result<void> compile(const char* into, int count, char** files) {
  Ruleset all;
  std::vector<Rule> rules;
  for (int i = 0; i < count; ++i) {
    std::ifstream in(files[i], std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in || text.empty()) return refuse(Code::configuration, fmt::format("{} cannot be read.", files[i]));
    TRY(auto some, read_rules(text, files[i]));
    for (Rule& rule : some) {
      if (all.find(rule.id))
        return refuse(Code::configuration, fmt::format("two rules have the id {}.", rule.id));
      rule.least = least_of(rule);
      rules.push_back(rule);
      all.add(std::move(rule));
    }
  }
  const Plan made = plan(all);
  std::ofstream out(into, std::ios::binary);
  out << "// Made from rules/*.toml by the build.\n#include \"detect/compiled.hpp\"\nnamespace "
         "claviger::detect {\n"
         "namespace {\n";
  write_bytes(out, "kRules", pack_rules(rules));
  TRY_VOID(write_literals(out, "kNearDense", made.near_dense));
  out << "template <std::size_t N>\nstd::string_view text(const unsigned char (&bytes)[N]) {\n"
         "  return {reinterpret_cast<const char*>(bytes), N - 1};\n}\n}  // namespace\n"
         "std::string_view compiled_rules() { return text(kRules); }\n"
         "std::string_view compiled_literals(Target target) {\n"
         "  return target == Target::avx2 ? text(kNearDenseAvx2) : text(kNearDense);\n}\n"
         "}  // namespace claviger::detect\n";
  out.flush();
  if (!out) return fail(Code::io_failed, fmt::format("{} cannot be written", into));
  return {};
}

}  // namespace
}  // namespace claviger::detect

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: compile_rules OUTPUT.cpp RULES.toml ...\n";
    return 2;
  }
  const auto done = claviger::detect::compile(argv[1], argc - 2, argv + 2);
  if (done) return 0;
  std::cerr << "compile_rules: " << (done.error().say.empty() ? done.error().detail : done.error().say)
            << '\n';
  return 1;
}
