// Aggregates of doubles: the value that exact arithmetic gives, in whatever order and parts the rows come.
#include "worker/functions/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "worker/worker_test_server.h"

namespace tripos::worker {
namespace {

double sum_of(const std::vector<double>& terms) {
  ExactSum sum;
  for (const double term : terms) {
    sum.add(term);
  }
  return sum.value();
}

TEST(ExactSum, KeepsWhatDoublesLose) {
  EXPECT_EQ(sum_of({1e16, 1, -1e16}), 1);
  EXPECT_EQ(sum_of({1e300, 1, -1e300}), 1);
  EXPECT_EQ(sum_of(std::vector<double>(10, 0.1)), 1);  // one by one in doubles: 0.9999999999999999
  EXPECT_EQ(sum_of({}), 0);
  ExactSum square;
  square.add_product(1e8 + 1, 1e8 + 1);
  square.add(-1e16);
  EXPECT_EQ(square.value(), 2e8 + 1);
  EXPECT_EQ((ExactSum(1) / 3).value(), 1.0 / 3);
}

TEST(ExactSum, InfinitiesAndNanDecideAlone) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sum_of({1, infinity, 2}), infinity);
  EXPECT_TRUE(std::isnan(sum_of({infinity, 1, -infinity})));
  EXPECT_TRUE(std::isnan(sum_of({1, std::nan(""), 2})));
  EXPECT_EQ(sum_of({1e308, 1e308}), infinity);
}

TEST(ExactSum, IsTheSameInAnyOrderAndInAnyParts) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> sizes(0, 12);
  std::vector<double> terms(20'000);
  for (double& term : terms) {
    term = random() % 2 == 0 ? sizes(random) : -sizes(random);
  }
  const double whole = sum_of(terms);
  for (int round = 0; round < 20; ++round) {
    std::ranges::shuffle(terms, random);
    ExactSum parts;
    for (std::size_t begin = 0; begin < terms.size();) {
      const std::size_t end = std::min<std::size_t>(terms.size(), begin + 1 + random() % 5'000);
      ExactSum part;
      for (; begin < end; ++begin) {
        part.add(terms[begin]);
      }
      parts.add(part);
    }
    EXPECT_EQ(parts.value(), whole);
  }
}

TEST(Worker, AggregatesDoNotDependOnWhichRowsAreInFiles) {
  TestServer server;
  TestTable& table = server.add_table("t");
  std::mt19937_64 random(11);
  std::vector<TestRecord> records(3'000);
  for (TestRecord& record : records) {
    // Thirds: no sum of them is exact in doubles.
    record.value = "{\"g\":" + std::to_string(random() % 3) + ",\"v\":" + std::to_string(random() % 1'000'000) + ".3333,\"w\":0." +
                   std::to_string(random() % 1'000'000) + "7}";
  }
  server.append(table, records);
  const std::string grouped =
      "SELECT g, sum(v), avg(v), variance(v), stddev_pop(v), corr(v, w), covar_samp(v, w), regr_slope(v, w), regr_intercept(v, w), "
      "regr_r2(v, w) FROM t GROUP BY g ORDER BY g";
  const std::string live = server.ask(grouped).rows;
  ASSERT_NE(live, "");
  for (const std::int64_t end : {100, 1'500, 2'900, 3'000}) {
    ASSERT_TRUE(server.snapshot(table, end).wrote);
    EXPECT_EQ(server.ask(grouped).rows, live) << end;
  }
}

TEST(Worker, AggregatesOfFewRowsAreSparks) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {{std::nullopt, R"({"v":1.5,"w":2.5})"}, {std::nullopt, R"({"w":3.5})"}, {std::nullopt, R"({"u":true})"}});
  EXPECT_EQ(server.ask("SELECT sum(v), avg(v), stddev(v), variance(v), var_pop(v), stddev_pop(v) FROM t").rows,
            "[[1.5,1.5,null,null,0.0,0.0]]");
  EXPECT_EQ(server.ask("SELECT sum(v), avg(v), stddev_pop(v), corr(v, w) FROM t WHERE u").rows, "[[null,null,null,null]]");
  EXPECT_EQ(server.ask("SELECT covar_pop(v, w), covar_samp(v, w), corr(v, w), regr_slope(v, w) FROM t").rows, "[[0.0,null,null,null]]");
  EXPECT_EQ(server.ask("SELECT round(sum(w) OVER (ORDER BY w), 1) AS s FROM t WHERE w IS NOT NULL ORDER BY s").rows, "[[2.5],[6.0]]");
  EXPECT_EQ(server.ask("SELECT sum(DISTINCT w), avg(w) FILTER (WHERE v IS NULL) FROM t").rows, "[[6.0,3.5]]");
}

}  // namespace
}  // namespace tripos::worker
