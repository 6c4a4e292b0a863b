#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "exam/marking.h"
#include "exam/report.h"
#include "exam/sql_text.h"

namespace tripos::exam {
namespace {

TEST(Marking, FollowsTheCheckedOptions) {
  struct Case {
    const char* correct;  // one letter per option: x correct, . wrong
    const char* checked;  // x checked
    Mark mark;
  };
  const Case cases[] = {
      {"xx..", "....", Mark::unanswered}, {"xx..", "xx..", Mark::correct},   {"xx..", "x...", Mark::missed_some},
      {"xx..", "xxx.", Mark::incorrect},  {"xx..", "..x.", Mark::incorrect}, {"....", "....", Mark::unanswered},
      {"x", "x", Mark::correct},          {"", "", Mark::unanswered},
  };
  for (const Case& c : cases) {
    std::vector<OptionState> options;
    for (std::size_t i = 0; c.correct[i] != 0; ++i) options.push_back({.correct = c.correct[i] == 'x', .checked = c.checked[i] == 'x'});
    EXPECT_EQ(to_string(mark_question(options)), to_string(c.mark)) << c.correct << " " << c.checked;
  }
}

TEST(Report, NamesAreQuotedWhereNeeded) {
  EXPECT_EQ(quoted_name("exams"), "exams");
  EXPECT_EQ(quoted_name("my-exams"), "`my-exams`");
  EXPECT_EQ(quoted_name("a`b"), "`a``b`");
  EXPECT_EQ(quoted_name("1st"), "`1st`");
}

TEST(Report, IsFoundByName) {
  for (const Report& report : reports()) EXPECT_TRUE(find_report(report.name).has_value());
  EXPECT_EQ(*find_report("over-time"), *find_report("over_time"));
  const auto missing = find_report("popularty");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("popularity"), std::string::npos);
}

}  // namespace
}  // namespace tripos::exam
