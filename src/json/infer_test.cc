#include "json/infer.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "json/split.h"
#include "json/test_support.h"

namespace tripos::json {
namespace {

using test::Random;

std::string inferred(std::initializer_list<std::string_view> values) {
  Inference inference;
  for (const std::string_view value : values) inference.add(value);
  return inference.type().text();
}

TEST(Inference, NothingIsKnownAtFirst) {
  Inference inference;
  EXPECT_EQ(inference.type(), Type::null_so_far());
  inference.add(std::optional<Bytes>());
  inference.add("[1]");
  inference.add("not json");
  EXPECT_EQ(inference.type(), Type::null_so_far());
  EXPECT_EQ(inference.version(), 0U);
  inference.add("{}");
  EXPECT_EQ(inference.type().text(), "struct<>");
  EXPECT_EQ(inference.version(), 1U);
}

TEST(Inference, Widens) {
  EXPECT_EQ(inferred({R"({"b":1,"a":null})", R"({"a":[],"b":2.5})", R"({"a":[{"x":true}]})"}),
            "struct<a:array<struct<x:boolean>>,b:double>");
  EXPECT_EQ(inferred({R"({"a":9223372036854775807})"}), "struct<a:bigint>");
  EXPECT_EQ(inferred({R"({"a":-9223372036854775808})"}), "struct<a:bigint>");
  EXPECT_EQ(inferred({R"({"a":9223372036854775808})"}), "struct<a:decimal(19,0)>");
  EXPECT_EQ(inferred({R"({"a":9223372036854775808})", R"({"a":7})"}), "struct<a:decimal(20,0)>");
  EXPECT_EQ(inferred({R"({"a":9223372036854775808})", R"({"a":123456789012345678901234567890})"}), "struct<a:decimal(30,0)>");
  EXPECT_EQ(inferred({R"({"a":[1,{"b":2}]})"}), "struct<a:array<string>>");
}

TEST(Inference, OfDuplicateKeysTheLastCounts) {
  EXPECT_EQ(inferred({R"({"a":"x","a":1})"}), "struct<a:bigint>");
  EXPECT_EQ(inferred({R"({"a":"x","b":[{"c":{},"c":true}],"\u0061":2.5})"}), "struct<a:double,b:array<struct<c:boolean>>>");
}

TEST(Inference, ARejectedValueLeavesNoTrace) {
  Inference inference;
  EXPECT_FALSE(inference.add(R"({"a":1,"b":01})").is_row());
  EXPECT_FALSE(inference.add(R"({"a":1} x)").is_row());
  EXPECT_EQ(inference.type(), Type());
  EXPECT_TRUE(inference.add(R"({"a":1})").is_row());
  const auto version = inference.version();
  EXPECT_EQ(inference.add(R"({"a":"s","c":tru})").reason, Reason::bad_literal);
  EXPECT_EQ(inference.add(R"({"a":2,"a":3})").outcome, Outcome::row);
  EXPECT_EQ(inference.type().text(), "struct<a:bigint>");
  EXPECT_EQ(inference.version(), version);
}

TEST(Inference, SaysOfEveryValueWhatTheReaderSays) {
  EXPECT_TRUE(rc::check("same verdict", [](std::uint64_t seed) {
    Random random(seed);
    Inference inference;
    Reader reader;
    for (int i = 0; i < 50; ++i) {
      std::string text = test::random_document(random);
      if (i % 2 == 0) text = test::mutate(random, std::move(text));
      const Verdict expected = reader.check(text);
      const Verdict verdict = inference.add(text);
      if (verdict.outcome != expected.outcome || verdict.byte != expected.byte)
        RC_LOG() << text << "\n" << expected.text() << " / " << verdict.text();
      RC_ASSERT(verdict.outcome == expected.outcome);
      RC_ASSERT(verdict.reason == expected.reason);
      RC_ASSERT(verdict.byte == expected.byte);
    }
  }));
}

// In any order, in any parts: the type is the join of the values' own types.
TEST(Inference, IsTheJoinOfAllValues) {
  EXPECT_TRUE(rc::check("inference = fold of joins", [](std::uint64_t seed) {
    Random random(seed);
    simdjson::dom::parser parser;
    Type expected;
    Inference one;
    Inference other;
    for (int i = 0; i < 12; ++i) {
      const std::string text = test::random_document(random);
      expected = join(expected, test::naive_type(parser.parse(text)));
      (test::pick(random, 3) == 0 ? other : one).add(text);
      RC_ASSERT(join(one.type(), other.type()) == expected);
    }
    const auto version = one.version();
    one.merge(other.type());
    RC_ASSERT(one.type() == expected);
    RC_ASSERT((one.version() != version) || other.type().kind() == TypeKind::null_so_far || covers(expected, other.type()));
    Inference again(expected);
    RC_ASSERT(again.type() == expected);
  }));
}

// What Spark 4 infers of the same values: testdata/spark_inference.tsv, written by testdata/spark_inference.py.
TEST(Inference, InfersAsSpark) {
  std::ifstream file(TRIPOS_JSON_TESTDATA "/spark_inference.tsv");
  ASSERT_TRUE(file.is_open());
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    ++cases;
    const std::size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos) << line;
    const std::string expected = line.substr(0, tab);
    Inference inference;
    std::size_t begin = tab + 1;
    while (begin <= line.size()) {
      const std::size_t end = std::min(line.find('\t', begin), line.size());
      EXPECT_TRUE(inference.add(std::string_view(line).substr(begin, end - begin)).is_row()) << line;
      begin = end + 1;
    }
    // Spark's own text has no backticks.
    std::string text = inference.type().settled().text();
    std::erase(text, '`');
    EXPECT_EQ(text, expected) << line;
  }
  EXPECT_GT(cases, 300);
}

// The firm's own file, where there is one: TRIPOS_ATTEMPTS_FILE=…/assessment-attempts-….json
TEST(Inference, InfersTheRealAttempts) {
  const char* const path = std::getenv("TRIPOS_ATTEMPTS_FILE");
  if (path == nullptr) GTEST_SKIP() << "TRIPOS_ATTEMPTS_FILE is not set";
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path;
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  Inference inference;
  Splitter splitter({});
  const auto add = [&](Bytes element) -> Result<> {
    EXPECT_TRUE(inference.add(element).is_row());
    return {};
  };
  ASSERT_TRUE(splitter.feed(bytes, add).has_value());
  ASSERT_TRUE(splitter.finish(add).has_value());
  EXPECT_EQ(splitter.element_count(), 3280U);
  EXPECT_EQ(inference.type().text(),
            "struct<base_exam_id:string,certification:string,exam_name:string,keen_created_at:string,keen_id:string,keen_timestamp:string,"
            "max_attempts:string,"
            "sequences:struct<attempt:bigint,counts:struct<all_correct:boolean,correct:bigint,incomplete:bigint,incorrect:bigint,submitted:"
            "bigint,total:bigint,"
            "unanswered:bigint>,id:string,questions:array<struct<id:string,options:array<struct<at:string,checked:boolean,correct:boolean,"
            "id:string,"
            "submitted:bigint>>,user_correct:boolean,user_incomplete:boolean,user_result:string,user_submitted:boolean>>>,started_at:"
            "string,user_exam_id:string>");
}

}  // namespace
}  // namespace tripos::json
