#include "load/json_input.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace tripos::load {
namespace {

class JsonInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tripos-json-input-XXXXXX";
    close(mkstemp(name));
    path_ = name;
  }
  void TearDown() override { unlink(path_.c_str()); }

  Result<std::vector<std::string>> read(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    TRIPOS_ASSIGN(JsonInput input, JsonInput::open(path_));
    EXPECT_EQ(input.size_bytes(), text.size());
    std::vector<std::string> elements;
    TRIPOS_TRY(input.read_elements(
        [&](Bytes element) -> Result<> {
          elements.emplace_back(element);
          return {};
        },
        nullptr));
    return elements;
  }

  std::string path_;
};

TEST_F(JsonInputTest, GivesElements) {
  EXPECT_EQ(*read("[{\"a\": 1.50}, 2, [3]]"), (std::vector<std::string>{"{\"a\":1.50}", "2", "[3]"}));
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += "{\"number\": " + std::to_string(i) + "}\n";  // several blocks
  const auto elements = read(many);
  ASSERT_TRUE(elements.has_value());
  ASSERT_EQ(elements->size(), 50'000U);
  EXPECT_EQ(elements->at(49'999), "{\"number\":49999}");
}

TEST_F(JsonInputTest, RefusesWhatIsNotJson) {
  const auto bad = read("{\"a\": 1}\n{\"a\": 01}\n");
  ASSERT_FALSE(bad.has_value());
  EXPECT_NE(bad.error().message.find(path_), std::string::npos) << bad.error().message;
  EXPECT_FALSE(read("{\"a\": \"\xff\"}").has_value());
  EXPECT_FALSE(read("hello").has_value());
}

TEST_F(JsonInputTest, SaysWhichFileIsMissing) {
  const auto missing = JsonInput::open("/nonexistent/x.json");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().message.find("/nonexistent/x.json"), std::string::npos);
}

}  // namespace
}  // namespace tripos::load
