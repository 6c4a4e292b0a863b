#include "exam/time_text.h"

#include <gtest/gtest.h>

#include <string>

namespace tripos::exam {
namespace {

std::string iso(std::int64_t time_ms) {
  Buffer text;
  append_iso(text, time_ms);
  return std::string(text);
}

TEST(TimeText, IsoOfMilliseconds) {
  EXPECT_EQ(iso(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(iso(1'511'222'400'007), "2017-11-21T00:00:00.007Z");
  EXPECT_EQ(iso(951'782'400'000 - 1), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(iso(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(iso(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

TEST(TimeText, WhatPeopleGive) {
  const std::int64_t day = 1'511'222'400'000;
  EXPECT_EQ(parse_time("2017-11-21"), day);
  EXPECT_EQ(parse_time("2017-11-21T08:30"), day + (8 * 60 + 30) * 60'000);
  EXPECT_EQ(parse_time("2017-11-21 08:30:15"), day + (8 * 60 + 30) * 60'000 + 15'000);
  EXPECT_EQ(parse_time("2017-11-21T00:00:00.0079Z"), day + 7);
  EXPECT_EQ(parse_time("2017-11-21T00:00:00.5"), day + 500);
  EXPECT_EQ(parse_time("2017-11-21T02:00+02:00"), day);
  EXPECT_EQ(parse_time("2017-11-20T18:30-05:30"), day);
  for (std::int64_t time = -86'400'000LL * 800'000; time < 86'400'000LL * 2'900'000 && time < 253'402'300'799'999;
       time += 86'400'000LL * 997 + 1234567) {
    if (time >= -62'135'596'800'000) {
      EXPECT_EQ(parse_time(iso(time)), time) << iso(time);
    }
  }
}

TEST(TimeText, WhatIsNoTime) {
  for (const char* text : {"",
                           "2017",
                           "2017-11",
                           "2017-1-2",
                           "2017-13-01",
                           "2017-02-29",
                           "2017-11-00",
                           "2017-11-21T",
                           "2017-11-21T24:00",
                           "2017-11-21T08",
                           "2017-11-21T08:60",
                           "2017-11-21T08:30:60",
                           "2017-11-21T08:30:00.",
                           "2017-11-21T08:30:00+",
                           "2017-11-21T08:30:00+01",
                           "2017-11-21T08:30:00Zulu",
                           "2017-11-21x",
                           "yesterday",
                           "-2017-11-21",
                           "2017-11-21 "}) {
    const auto time = parse_time(text);
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_NE(time.error().message.find("is no time"), std::string::npos);
  }
}

}  // namespace
}  // namespace tripos::exam
