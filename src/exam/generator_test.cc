#include "exam/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "exam/portable_math.h"

namespace tripos::exam {
namespace {

TEST(PortableMath, IsAsGoodAsTheLibrary) {
  Random random(5);
  for (int i = 0; i < 100'000; ++i) {
    const double x = (random.unit() - 0.5) * 1400;
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-15) << x;
    const double small = (random.unit() - 0.5) * 4;
    EXPECT_NEAR(portable_exp(small) / std::exp(small), 1, 1e-15) << small;
    const double y = std::ldexp(1 + random.unit(), static_cast<int>(random.below(2000)) - 1000);
    EXPECT_NEAR(portable_log(y), std::log(y), 4e-16 * std::max(1.0, std::abs(std::log(y)))) << y;
    const double near_one = 1 + (random.unit() - 0.5) / 8;
    EXPECT_NEAR(portable_log(near_one), std::log(near_one), 4e-16) << near_one;
  }
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_log(1), 0);
  EXPECT_EQ(portable_exp(1e300), portable_exp(700));
  EXPECT_EQ(logistic(0), 0.5);
  EXPECT_NEAR(logistic(-3) + logistic(3), 1, 1e-15);
}

// The share below each of several bounds, against the normal distribution: five standard errors.
TEST(Random, NormalIsNormal) {
  constexpr int count = 1'000'000;
  Random random(9);
  std::vector<double> bounds = {-3.5, -2, -1, -0.3, 0, 0.7, 1.5, 3};
  std::vector<int> below(bounds.size());
  double previous = 0, together = 0;
  for (int i = 0; i < count; ++i) {
    const double value = random.normal();
    for (std::size_t b = 0; b < bounds.size(); ++b) below[b] += value < bounds[b] ? 1 : 0;
    together += value * previous;
    previous = value;
  }
  for (std::size_t b = 0; b < bounds.size(); ++b) {
    const double share = std::erfc(-bounds[b] / std::sqrt(2)) / 2;
    EXPECT_NEAR(below[b] / static_cast<double>(count), share, 5 * std::sqrt(share * (1 - share) / count)) << bounds[b];
  }
  EXPECT_NEAR(together / count, 0, 5 / std::sqrt(count));  // one does not tell of the next
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

// What these options make is part of the interface: a change of these bytes is told in the CHANGELOG. They are the same with every
// compiler, C library and processor.
TEST(Generator, BytesOfSeedOne) {
  GeneratorOptions options{.seed = 1, .messages = 3000, .names_persons = true};
  for (double& rate : options.faults) rate = 0.01;
  std::string all;
  for (const std::string& message : generate(options)) all.append(message).push_back('\n');
  EXPECT_EQ(crc32c(all), 0x5683B43DU) << all.substr(0, 2000);
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
  EXPECT_FALSE(AttemptGenerator::create({.zipf_exponent = -1}).has_value());
  EXPECT_FALSE(AttemptGenerator::create({.difficulty_deviation = std::nan("")}).has_value());
  EXPECT_FALSE(AttemptGenerator::create({.start_ms = 4'102'444'800'001}).has_value());
  EXPECT_FALSE(AttemptGenerator::create({.days = 0}).has_value());
  EXPECT_FALSE(AttemptGenerator::create({.duplicate_rate = std::nan("")}).has_value());
  GeneratorOptions two_certain_faults;
  two_certain_faults.faults[1] = two_certain_faults.faults[2] = 0.75;
  EXPECT_FALSE(AttemptGenerator::create(two_certain_faults).has_value());
  EXPECT_TRUE(AttemptGenerator::create({.exams = exams_max()}).has_value());
}

}  // namespace
}  // namespace tripos::exam
