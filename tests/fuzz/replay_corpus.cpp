// Every input of every corpus as an ordinary test, for builds without libFuzzer.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

namespace {

using Target = int (*)(const std::uint8_t* data, std::size_t size);

std::vector<std::filesystem::path> inputs_of(const std::string& name) {
  std::vector<std::filesystem::path> files;
  std::error_code error;  // a directory that is missing is an empty one
  std::filesystem::directory_iterator file(
      std::filesystem::path(TIMEWAIT_SOURCE_DIR) / "tests/fuzz/corpus" / name, error);
  for (; file != std::filesystem::directory_iterator(); ++file) files.push_back(*file);
  std::ranges::sort(files);
  return files;
}

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void replay(const std::string& name, Target run) {
  const auto files = inputs_of(name);
  ASSERT_FALSE(files.empty()) << "tests/fuzz/corpus/" << name << " holds no input to replay";
  for (const std::filesystem::path& file : files) {
    const std::string input = read(file);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(input.data());
    EXPECT_NO_THROW(run(bytes, input.size())) << "the input is " << file;
  }
}

}  // namespace

// A declaration and a test for each target; CMakeLists.txt makes the list.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): the names of functions and of tests.
#define TARGET(name)                                               \
  extern "C" int name(const std::uint8_t* data, std::size_t size); \
  TEST(TheCorpusBreaksNoPromiseOf, name) { replay(#name, name); }
#include "tests/fuzz/targets.inc"
