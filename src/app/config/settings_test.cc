#include "app/config/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tripos::app {
namespace {

TEST(Settings, TomlWithKafkasDottedNames) {
  Settings settings;
  const auto merged = merge_toml(
      "data = \"/d\"\nkafka = \"h:1\"\n[broker]\nnum.partitions = 3\nauto.create.topics.enable = false\n"
      "\"log.segment.bytes\" = 1024\nadvertised.listeners = \"PLAINTEXT://a:1\"\n",
      "t.toml", settings);
  ASSERT_TRUE(merged.has_value()) << merged.error().message;
  EXPECT_EQ(settings.data, "/d");
  EXPECT_FALSE(settings.data_is_default);
  EXPECT_EQ(settings.kafka, "h:1");
  EXPECT_EQ(settings.broker.at("num.partitions"), "3");
  EXPECT_EQ(settings.broker.at("auto.create.topics.enable"), "false");
  EXPECT_EQ(settings.broker.at("log.segment.bytes"), "1024");
  EXPECT_EQ(settings.broker.at("advertised.listeners"), "PLAINTEXT://a:1");
}

TEST(Settings, RefusesWhatIsWrong) {
  Settings settings;
  const auto unknown = merge_toml("datta = \"/d\"", "t.toml", settings);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_NE(unknown.error().message.find("datta"), std::string::npos);
  const auto broken = merge_toml("data = \n", "t.toml", settings);
  ASSERT_FALSE(broken.has_value());
  EXPECT_NE(broken.error().message.find("line 1"), std::string::npos) << broken.error().message;
  EXPECT_FALSE(merge_toml("[broker]\na = [1]", "t.toml", settings).has_value());
}

TEST(Settings, FlagsWinOverVariables) {
  setenv("TRIPOS_DATA", "/from-variable", 1);
  EXPECT_EQ(read_settings({})->data, "/from-variable");
  GlobalFlags flags;
  flags.data = "/from-flag";
  flags.set = {"num.partitions=5", "a=b=c"};
  const auto settings = read_settings(flags);
  unsetenv("TRIPOS_DATA");
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->data, "/from-flag");
  EXPECT_EQ(settings->broker.at("num.partitions"), "5");
  EXPECT_EQ(settings->broker.at("a"), "b=c");
  flags.set = {"novalue"};
  EXPECT_FALSE(read_settings(flags).has_value());
}

TEST(Settings, DefaultDirectoryFollowsXdg) {
  unsetenv("TRIPOS_DATA");
  setenv("XDG_DATA_HOME", "/x", 1);
  EXPECT_EQ(read_settings({})->data, "/x/tripos");
  setenv("XDG_DATA_HOME", "relative", 1);
  setenv("HOME", "/h", 1);
  EXPECT_EQ(read_settings({})->data, "/h/.local/share/tripos");
  unsetenv("XDG_DATA_HOME");
}

}  // namespace
}  // namespace tripos::app
