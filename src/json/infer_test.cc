#include "json/infer.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

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

Type inferred(std::initializer_list<std::string> values, TypeLimits limits) {
  Inference inference(limits);
  for (const std::string& value : values) EXPECT_TRUE(inference.add(value).is_row()) << value;
  return inference.type();
}

TEST(Bounds, AnObjectThatNeedsMoreFieldsBecomesText) {
  const TypeLimits limits{.fields_max = 4};
  EXPECT_EQ(inferred({R"({"id":1,"o":{"a":1,"b":2}})"}, limits).text(), "struct<id:bigint,o:struct<a:bigint,b:bigint>>");
  EXPECT_EQ(inferred({R"({"id":1,"o":{"a":1,"b":2,"c":3}})"}, limits).text(), "struct<id:bigint,o:string>");
  // Its fields are free again.
  EXPECT_EQ(inferred({R"({"o":{"a":1,"b":2,"c":3,"d":4}})", R"({"p":{"x":1}})", R"({"q":2})"}, limits).text(),
            "struct<o:string,p:struct<x:bigint>,q:bigint>");
  EXPECT_EQ(inferred({R"({"l":[{"a":1},{"b":1},{"c":1},{"d":1}]})"}, limits).text(), "struct<l:array<string>>");
}

TEST(Bounds, FieldsOfARowBeyondTheLimitAreNoColumns) {
  const TypeLimits limits{.fields_max = 2};
  EXPECT_EQ(inferred({R"({"a":1})", R"({"b":1,"c":1})", R"({"d":1,"a":1.5})"}, limits).text(), "struct<a:double,b:bigint>");
  // One value alone: the first by name of those that are new.
  EXPECT_EQ(inferred({R"({"z":1,"y":{"q":1},"x":1})"}, limits).text(), "struct<x:bigint,y:string>");
  Inference known(Type::parse("struct<a:bigint,b:struct<c:bigint>>").value(), limits);  // stored before the limit was lowered
  EXPECT_TRUE(known.add(R"({"a":1,"b":{"c":2.5},"n":1})").is_row());
  EXPECT_EQ(known.type().text(), "struct<a:bigint,b:struct<c:double>>");
}

TEST(Bounds, EverNewKeysCostNoMemoryAndNoTime) {
  Inference inference({.fields_max = 100});
  for (int i = 0; i < 20'000; ++i) {
    EXPECT_TRUE(
        inference.add(R"({"key )" + std::to_string(i) + R"(":1,"by_key":{"k)" + std::to_string(i) + R"(":{"x":1}},"id":7})").is_row());
  }
  const Type& type = inference.type();
  EXPECT_EQ(type.fields().size(), 100U);
  EXPECT_EQ(type.field("by_key")->type, Type::string());
  EXPECT_EQ(type.field("id")->type, Type::long_integer());
  // Once full it is looked at once only: nothing changes any more.
  const auto version = inference.version();
  EXPECT_TRUE(inference.add(R"({"new":1,"id":2})").is_row());
  EXPECT_EQ(inference.version(), version);
}

TEST(Bounds, OneValueOfManyKeys) {
  std::string value = R"({"o":{)";
  for (int i = 0; i < 50'000; ++i) value += "\"" + std::to_string(i) + "\":1,";
  value += R"("z":1},"p":{"x":1}})";
  EXPECT_EQ(inferred({value}, {.fields_max = 1000}).text(), "struct<o:string,p:struct<x:bigint>>");
  std::string row = "{";
  for (int i = 0; i < 50'000; ++i) row += "\"" + std::to_string(i) + "\":1,";
  row += R"("z":1})";
  EXPECT_EQ(inferred({R"({"z":null})", row}, {.fields_max = 1000}).fields().size(), 1000U);
  EXPECT_EQ(inferred({R"({"z":null})", row}, {.fields_max = 1000}).field("z")->type, Type::long_integer());
}

TEST(Bounds, LevelsAndNames) {
  const auto nested = [](int levels, bool arrays) {
    std::string text = "1";
    for (int i = 0; i < levels; ++i) text = arrays ? "[" + text + "]" : R"({"a":)" + text + "}";
    return R"({"v":)" + text + "}";
  };
  const auto depth = [](const Type& type) {
    int levels = 0;
    const Type* at = &type.field("v")->type;
    for (; at->kind() == TypeKind::array || at->kind() == TypeKind::structure; ++levels) {
      at = at->kind() == TypeKind::array ? &at->element() : &at->fields().front().type;
    }
    return std::pair(levels, at->kind());
  };
  for (const auto& [arrays, max] : {std::pair(false, 100), std::pair(true, 10)}) {
    const std::string deepest = nested(max, arrays);
    const std::string deeper = nested(max + 1, arrays);
    EXPECT_EQ(depth(inferred({deepest}, {})), std::pair(max, TypeKind::long_integer));
    EXPECT_EQ(depth(inferred({deeper}, {})), std::pair(max, TypeKind::string));
    EXPECT_EQ(depth(inferred({deepest, deeper}, {})), std::pair(max, TypeKind::string));
    EXPECT_EQ(depth(inferred({nested(999, arrays), deepest}, {})), std::pair(max, TypeKind::string));
  }
  // Arrays count through the structures between them; next to each other they don't.
  EXPECT_EQ(inferred({R"({"v":[{"w":[1],"x":[2]}]})"}, {.arrays_max = 1}).text(), "struct<v:array<struct<w:string,x:string>>>");
  EXPECT_EQ(inferred({R"({"v":[{"w":[1],"x":[2]}],"y":[3]})"}, {.arrays_max = 2}).text(),
            "struct<v:array<struct<w:array<bigint>,x:array<bigint>>>,y:array<bigint>>");
  const std::string long_name(1025, 'k');
  EXPECT_EQ(inferred({R"({"a":1,"o":{")" + long_name + R"(":1},")" + long_name + R"(":1})"}, {}).text(), "struct<a:bigint,o:string>");
}

// Bounded or not: what was learned in one go, and what was learned after a stop (from the stored type), is the same.
TEST(Bounds, GoOnFromAStoredType) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const TypeLimits limits{.fields_max = 1 + test::pick(random, 12)};
    Inference whole(limits);
    auto resumed = std::make_unique<Inference>(limits);
    for (int i = 0; i < 30; ++i) {
      const std::string value = test::random_document(random);
      EXPECT_TRUE(whole.add(value).is_row());
      EXPECT_TRUE(resumed->add(value).is_row());
      if (test::pick(random, 4) == 0) resumed = std::make_unique<Inference>(Type::parse(resumed->type().text()).value(), limits);
    }
    EXPECT_EQ(whole.type().text(), resumed->type().text()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tripos::json
