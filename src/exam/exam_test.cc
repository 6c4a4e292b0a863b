#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "exam/generator.h"
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

std::vector<std::string> generate(const GeneratorOptions& options) {
  auto generator = AttemptGenerator::create(options);
  EXPECT_TRUE(generator.has_value());
  std::vector<std::string> messages;
  while (!generator->done()) messages.emplace_back(generator->next());
  return messages;
}

TEST(Generator, SameSeedSameBytes) {
  EXPECT_EQ(generate({.seed = 7, .messages = 300}), generate({.seed = 7, .messages = 300}));
  EXPECT_NE(generate({.seed = 7, .messages = 300}), generate({.seed = 8, .messages = 300}));
}

// The bytes of release 0.1: a change of the generator is a change of everybody's expected results, and is told in the CHANGELOG.
TEST(Generator, FirstMessageOfSeedOne) {
  const std::string first = generate({.seed = 1, .messages = 1}).front();
  EXPECT_TRUE(first.starts_with(R"({"keen_timestamp":"15)")) << first;
  EXPECT_NE(first.find(R"("sequences":{"questions":[{"user_incomplete":)"), std::string::npos) << first;
}

std::string id_of(const std::string& message) {
  const auto at = message.find(R"("keen_id":")");
  return message.substr(at + 11, 24);
}

TEST(Generator, PlantsWhatItTallies) {
  const GeneratorOptions options{
      .seed = 3, .messages = 20'000, .duplicate_rate = 0.1, .missing_counts_rate = 0.05, .certification_null_rate = 0.2};
  auto generator = AttemptGenerator::create(options);
  ASSERT_TRUE(generator.has_value());
  std::map<std::string, std::string> by_id;
  std::uint64_t messages = 0, without_counts = 0, all_correct = 0, certification_null = 0;
  while (!generator->done()) {
    const std::string message(generator->next());
    const auto [known, fresh] = by_id.emplace(id_of(message), message);
    EXPECT_TRUE(fresh || known->second == message);  // recorded again: byte for byte
    ++messages;
    const bool counted = message.find(R"("counts":)") != std::string::npos;
    EXPECT_EQ(counted, message.find("user_result") != std::string::npos);
    without_counts += counted ? 0 : 1;
    all_correct += message.find(R"("all_correct":true)") != std::string::npos ? 1 : 0;
    certification_null += message.find(R"("certification":null)") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(generator->tally().messages, messages);
  EXPECT_EQ(generator->tally().attempts, by_id.size());
  EXPECT_EQ(generator->tally().messages_without_counts, without_counts);
  EXPECT_EQ(generator->tally().messages_all_correct, all_correct);
  const auto near = [&](std::uint64_t count, double rate) { return std::abs(static_cast<double>(count) / 20'000 - rate) < 0.01; };
  EXPECT_TRUE(near(messages - by_id.size(), 0.1)) << by_id.size();
  EXPECT_TRUE(near(without_counts, 0.05)) << without_counts;
  EXPECT_TRUE(near(certification_null, 0.2)) << certification_null;
}

TEST(Generator, RefusesNonsense) {
  EXPECT_FALSE(AttemptGenerator::create({.exams = 0}).has_value());
  EXPECT_FALSE(AttemptGenerator::create({.exams = 100'000}).has_value());
  EXPECT_FALSE(AttemptGenerator::create({.duplicate_rate = 1.5}).has_value());
  EXPECT_FALSE(AttemptGenerator::create({.exams = 3, .exams_with_two_ids = 4}).has_value());
  EXPECT_TRUE(AttemptGenerator::create({.exams = AttemptGenerator::exams_max()}).has_value());
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
