#include "json/type.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "json/test_support.h"

namespace tripos::json {
namespace {

using test::Random;
using test::random_type;

Type type(std::string_view text) {
  auto parsed = Type::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Type());
}

TEST(Type, JoinIsCommutativeAssociativeIdempotent) {
  EXPECT_TRUE(rc::check("join", [](std::uint64_t seed) {
    Random random(seed);
    const Type a = random_type(random);
    const Type b = random_type(random);
    const Type c = random_type(random);
    RC_ASSERT(join(a, b) == join(b, a));
    RC_ASSERT(join(join(a, b), c) == join(a, join(b, c)));
    RC_ASSERT(join(a, a) == a);
    RC_ASSERT(join(a, Type()) == a);
    RC_ASSERT(join(join(a, b), b) == join(a, b));
  }));
}

TEST(Type, CoversIsJoinChangingNothing) {
  EXPECT_TRUE(rc::check("covers", [](std::uint64_t seed) {
    Random random(seed);
    const Type a = random_type(random, 2);
    const Type b = random_type(random, 2);
    RC_ASSERT(covers(a, b) == (join(a, b) == a));
    RC_ASSERT(covers(join(a, b), a) && covers(join(a, b), b));
  }));
}

TEST(Type, TextReadsBack) {
  EXPECT_TRUE(rc::check("text", [](std::uint64_t seed) {
    Random random(seed);
    const Type a = random_type(random);
    const auto back = Type::parse(a.text());
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == a);
  }));
}

TEST(Type, Joins) {
  struct Case {
    const char *a, *b, *joined;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"void", "bigint", "bigint"},
           {"bigint", "double", "double"},
           {"bigint", "decimal(19,0)", "decimal(20,0)"},
           {"decimal(19,0)", "decimal(25,0)", "decimal(25,0)"},
           {"decimal(38,0)", "double", "double"},
           {"boolean", "bigint", "string"},
           {"string", "array<bigint>", "string"},
           {"struct<a:bigint>", "array<bigint>", "string"},
           {"array<void>", "array<bigint>", "array<bigint>"},
           {"array<bigint>", "array<string>", "array<string>"},
           {"struct<a:bigint,c:void>", "struct<a:double,b:boolean>", "struct<a:double,b:boolean,c:void>"},
       }) {
    EXPECT_EQ(join(type(c.a), type(c.b)).text(), c.joined) << c.a << " and " << c.b;
  }
}

TEST(Type, FieldsAreSortedByBytesAndQuotedWhereNeeded) {
  const Type t = Type::structure({{"b", Type::string()},
                                  {"B", Type::boolean()},
                                  {"a b", Type::double_float()},
                                  {"e`f", Type()},
                                  {"\xEF\xBD\x9E", Type()},
                                  {"\xF0\x9F\x98\x80", Type()}});
  EXPECT_EQ(t.text(), "struct<B:boolean,`a b`:double,b:string,`e``f`:void,`\xEF\xBD\x9E`:void,`\xF0\x9F\x98\x80`:void>");
  ASSERT_NE(t.field("a b"), nullptr);
  EXPECT_EQ(t.field("a b")->type, Type::double_float());
  EXPECT_EQ(t.field("a"), nullptr);
}

TEST(Type, ParseIsLiberalInSpacesAndCase) {
  EXPECT_EQ(type(" STRUCT < a : Long , b: array< Decimal( 20 , 0 ) > > ").text(), "struct<a:bigint,b:array<decimal(20,0)>>");
  EXPECT_EQ(type("decimal(20)").text(), "decimal(20,0)");
}

TEST(Type, ParseSaysWhereItFails) {
  for (const char* text : {"", "int", "struct<a>", "struct<a:bigint", "array<>", "decimal(39,0)", "decimal(10,2)",
                           "struct<a:bigint,a:double>", "bigint x", "struct<`a:bigint>", "decimal(99999999999,0)"}) {
    const auto parsed = Type::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::malformed);
    EXPECT_NE(parsed.error().message.find("byte"), std::string::npos) << parsed.error().message;
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "array<";
  EXPECT_FALSE(Type::parse(deep).has_value());
}

TEST(Type, TreeIsSparksPrintSchema) {
  EXPECT_EQ(type("struct<a:bigint,b:struct<c:array<struct<d:double>>,e:boolean>,f:array<array<string>>,g:decimal(20,0)>").tree(),
            "root\n"
            " |-- a: long (nullable = true)\n"
            " |-- b: struct (nullable = true)\n"
            " |    |-- c: array (nullable = true)\n"
            " |    |    |-- element: struct (containsNull = true)\n"
            " |    |    |    |-- d: double (nullable = true)\n"
            " |    |-- e: boolean (nullable = true)\n"
            " |-- f: array (nullable = true)\n"
            " |    |-- element: array (containsNull = true)\n"
            " |    |    |-- element: string (containsNull = true)\n"
            " |-- g: decimal(20,0) (nullable = true)\n");
}

TEST(Type, SettledShowsNullAsStringAndDropsEmptyStructures) {
  EXPECT_EQ(type("struct<a:void,b:array<void>,c:struct<>,d:array<array<struct<>>>,e:struct<x:struct<>,y:void>,``:bigint>").settled().text(),
            "struct<a:string,b:array<string>,e:struct<y:string>>");
  EXPECT_EQ(type("struct<a:struct<>>").settled().text(), "struct<>");
}

TEST(Type, SqlNamesOfCollidingKeysAreNumbered) {
  EXPECT_EQ(sql_names(type("struct<NAME:bigint,Name:bigint,name:bigint,other:bigint>")),
            (std::vector<std::string>{"NAME", "Name_1", "name_2", "other"}));
  // A number that some key has already is passed over.
  EXPECT_EQ(sql_names(type("struct<A:bigint,a:bigint,a_1:bigint>")), (std::vector<std::string>{"A", "a_2", "a_1"}));
}

}  // namespace
}  // namespace tripos::json
