// Runs a fuzzer's entry point over its kept inputs, so that the unit tests see them too.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace claviger {

// Calls `run` with every file of tests/corpus/<target>/; fails when there is none.
inline void run_corpus(std::string_view target, int (*run)(const std::uint8_t*, std::size_t)) {
  const auto folder = std::filesystem::path(CLAVIGER_SOURCE_DIR) / "tests" / "corpus" / target;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    SCOPED_TRACE(entry.path().filename().string());
    run(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  EXPECT_GT(files, 0U);
}

}  // namespace claviger
