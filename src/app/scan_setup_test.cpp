// Files that a scan reads whole: up to a bound.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/scan_command.hpp"
#include "base/limits.hpp"

namespace claviger::app {
namespace {

TEST(ReadWhole, reads_up_to_the_bound_and_refuses_what_is_larger) {
  std::string folder = testing::TempDir() + "claviger-read-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/baseline.json";
  for (const std::size_t most : {std::size_t{10}, limits::kBaselineFile})
    for (const std::size_t more : {0U, 1U, 2U}) {
      std::ofstream(path, std::ios::trunc).close();
      std::filesystem::resize_file(path, most - 1 + more);  // sparse
      const auto text = read_whole(path, most);
      EXPECT_EQ(text.has_value(), more < 2) << most << " " << more;
      if (text) EXPECT_EQ(text->size(), most - 1 + more);
      if (!text) EXPECT_EQ(text.error().code, Code::invalid_input);
    }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace claviger::app
