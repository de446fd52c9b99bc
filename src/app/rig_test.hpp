// A data directory of its own for each test, and commands run on it as the program would.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "app/cli.hpp"

namespace claviger::app {

inline constexpr std::string_view kProviderSecret = "sk-test-0123456789abcdefghijklmnopqrstuv";

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
  nlohmann::ordered_json json() const { return nlohmann::ordered_json::parse(out, nullptr, false); }
};

class CommandTest : public testing::Test {
 protected:
  void SetUp() override {
    // In memory where there is such a place: the tests sync a lot, and what they prove needs no disk.
    folder = (::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + std::string("/claviger-test-XXXXXX");
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    data = folder + "/data";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // Runs a command with `input` on its standard input.
  Ran run(std::vector<std::string> arguments, std::string_view input = {}) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(::write(ends[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    ::close(ends[1]);
    std::ostringstream out;
    std::ostringstream err;
    Terminal terminal{out, err, ends[0],
                      [this](const ServeOptions& options) { return served = options, kOk; },
                      [this](const SandboxOptions& options) { return played = options, kOk; }};
    const int code = run_command(std::move(arguments), terminal);
    ::close(ends[0]);
    return {code, out.str(), err.str()};
  }

  void init() {
    const Ran made = run({"init", "--data", data, "--json"});
    ASSERT_EQ(made.code, kOk) << made.err;
  }
  Ran add_credential(std::string name = "openai-dev", std::string environment = "dev") {
    return run({"credential", "add", "--data", data, "--name", std::move(name), "--provider", "openai",
                "--environment", std::move(environment), "--base-url", "http://127.0.0.1:9", "--secret-stdin",
                "--json"},
               std::string(kProviderSecret) + "\n");
  }
  std::string create_key(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"key",       "create", "--data",        data,  "--name", "app",
                                       "--project", "search", "--environment", "dev", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran made = run(std::move(arguments));
    EXPECT_EQ(made.code, kOk) << made.err;
    return made.code == kOk ? made.json()["id"].get<std::string>() : "";
  }

  std::string folder;
  std::string data;
  ServeOptions served;
  SandboxOptions played;
};

}  // namespace claviger::app
