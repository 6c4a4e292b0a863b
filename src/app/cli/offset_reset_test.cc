#include "app/cli/offset_reset.h"

#include <gtest/gtest.h>

#include <limits>

namespace tripos::app {
namespace {

using To = OffsetReset::To;

TEST(DateTime, IsReadInUtcUnlessItNamesAZone) {
  EXPECT_EQ(*parse_date_time("1970-01-01"), 0);
  EXPECT_EQ(*parse_date_time("2018-01-28T12:10:51"), 1'517'141'451'000);
  EXPECT_EQ(*parse_date_time("2018-01-28T12:10:51.123"), 1'517'141'451'123);
  EXPECT_EQ(*parse_date_time("2018-01-28T12:10:51.1239"), 1'517'141'451'123);
  EXPECT_EQ(*parse_date_time("2018-01-28 12:10"), 1'517'141'400'000);
  EXPECT_EQ(*parse_date_time("2018-01-28T12:10:51Z"), 1'517'141'451'000);
  EXPECT_EQ(*parse_date_time("2018-01-28T14:10:51+02:00"), 1'517'141'451'000);
  EXPECT_EQ(*parse_date_time("2018-01-28T07:10:51-0500"), 1'517'141'451'000);
  EXPECT_EQ(*parse_date_time("2024-02-29"), 1'709'164'800'000);
}

TEST(DateTime, WhatIsNone) {
  for (const char* text :
       {"", "now", "2018", "2018-13-01", "2018-02-29", "2018-01-28T", "2018-01-28T24:00", "2018-01-28T12:60", "2018-01-28T12:10:61",
        "2018-01-28T12:10:51.", "2018-01-28T12:10:51+", "2018-01-28T12:10:51+2", "2018-01-28T12:10:51Zx", "-018-01-28"}) {
    EXPECT_FALSE(parse_date_time(text)) << text;
  }
}

TEST(ResetTopic, ATopicOrPartitionsOfIt) {
  EXPECT_EQ(parse_reset_topic("exams")->topic, "exams");
  EXPECT_TRUE(parse_reset_topic("exams")->partitions.empty());
  EXPECT_EQ(parse_reset_topic("exams:0,12")->partitions, (std::vector<std::int32_t>{0, 12}));
  for (const char* text : {"", ":0", "exams:", "exams:0,", "exams:x", "exams:-1", "exams:0;1"})
    EXPECT_FALSE(parse_reset_topic(text)) << text;
}

TEST(ResetOffset, LiesWithinTheLog) {
  const auto reset = [](To to, std::int64_t value, std::int64_t current) {
    return reset_offset({.to = to, .value = value}, current, 10, 100, value);
  };
  EXPECT_EQ(*reset(To::earliest, 0, 50), 10);
  EXPECT_EQ(*reset(To::latest, 0, 50), 100);
  EXPECT_EQ(*reset(To::current, 0, 50), 50);
  EXPECT_EQ(*reset(To::current, 0, -1), 100);
  EXPECT_EQ(*reset(To::current, 0, 5), 10);
  EXPECT_EQ(*reset(To::offset, 42, 50), 42);
  EXPECT_EQ(*reset(To::offset, 3, 50), 10);
  EXPECT_EQ(*reset(To::offset, 300, 50), 100);
  EXPECT_EQ(*reset(To::time, 77, 50), 77);
  EXPECT_EQ(*reset(To::shift, 7, 50), 57);
  EXPECT_EQ(*reset(To::shift, -7, 50), 43);
  EXPECT_EQ(*reset(To::shift, -70, 50), 10);
  EXPECT_EQ(*reset(To::shift, 70, 50), 100);
  EXPECT_EQ(*reset(To::shift, std::numeric_limits<std::int64_t>::max(), 50), 100);
  EXPECT_EQ(*reset(To::shift, std::numeric_limits<std::int64_t>::min(), 50), 10);
  EXPECT_EQ(*reset(To::shift, 7, 5), 12);  // what is committed was trimmed
  EXPECT_FALSE(reset(To::shift, 7, -1));
}

}  // namespace
}  // namespace tripos::app
