#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "app/render/cell.h"
#include "app/render/column_type.h"
#include "app/render/result_reader.h"
#include "app/render/show.h"

namespace tripos::app {
namespace {

// What Spark 4 prints, noted from its show().
TEST(Show, AlignsRightAndCutsAtTwenty) {
  const std::vector<TextRow> rows = {{"A name that is far too long", "394"}, {"short", "NULL"}};
  EXPECT_EQ(show_table({"exam_name", "n"}, rows, {}),
            "+--------------------+----+\n"
            "|           exam_name|   n|\n"
            "+--------------------+----+\n"
            "|A name that is fa...| 394|\n"
            "|               short|NULL|\n"
            "+--------------------+----+\n"
            "\n");
  EXPECT_EQ(show_table({"exam_name", "n"}, rows, {.cell_length_max = 0}),
            "+---------------------------+----+\n"
            "|exam_name                  |n   |\n"
            "+---------------------------+----+\n"
            "|A name that is far too long|394 |\n"
            "|short                      |NULL|\n"
            "+---------------------------+----+\n"
            "\n");
}

TEST(Show, SaysThatThereIsMore) {
  const std::vector<TextRow> rows = {{"1"}, {"2"}, {"3"}};
  EXPECT_EQ(show_table({"a"}, rows, {.row_count_max = 2}), "+---+\n|  a|\n+---+\n|  1|\n|  2|\n+---+\nonly showing top 2 rows\n\n");
  EXPECT_EQ(show_table({"a"}, rows, {.row_count_max = 1}), "+---+\n|  a|\n+---+\n|  1|\n+---+\nonly showing top 1 row\n\n");
  EXPECT_EQ(show_table({"a"}, rows, {.row_count_max = 3}), "+---+\n|  a|\n+---+\n|  1|\n|  2|\n|  3|\n+---+\n\n");
  EXPECT_EQ(show_table({"a"}, {}, {}), "+---+\n|  a|\n+---+\n+---+\n\n");
}

TEST(Show, CountsWideCharactersTwiceAndUtf16Units) {
  EXPECT_EQ(text_width("abc"), 3U);
  EXPECT_EQ(text_width("試験"), 4U);
  EXPECT_EQ(text_width("é"), 1U);
  EXPECT_EQ(text_width("🎓"), 2U);  // a surrogate pair
  EXPECT_EQ(show_table({"名前"}, {{"試験"}, {"a"}}, {}), "+----+\n|名前|\n+----+\n|試験|\n|   a|\n+----+\n\n");
  EXPECT_EQ(shorten("一二三四五六七八九十一二三四五六七八九十一", 20), "一二三四五六七八九十一二三四五六七...");
  EXPECT_EQ(shorten("abcdefghijklmnop🎓qrstuvw", 20), "abcdefghijklmnop?...");  // cut within the pair
  EXPECT_EQ(shorten("abcdef", 3), "abc");
}

TEST(Show, EscapesWhatWouldBreakTheTable) { EXPECT_EQ(escape_meta_characters("a\nb\tc\rd\v"), "a\\nb\\tc\\rd\\v"); }

ColumnType type_of(std::string_view text) {
  auto type = ColumnType::parse(text);
  EXPECT_TRUE(type.has_value()) << text;
  return type ? *type : ColumnType{};
}

TEST(ColumnType, RefusesWhatIsNone) {
  for (const char* text : {"", "struct<a>", "struct<a:bigint", "array<>", "array<bigint", "bigint>", "map<string>", "struct<`a:bigint>"}) {
    EXPECT_FALSE(ColumnType::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(ColumnType::parse([] {
                 std::string deep;
                 for (int i = 0; i < 100'000; ++i) deep.append("array<");
                 return deep;
               }())
                   .has_value());
}

TEST(ColumnType, PrintsSparksTree) {
  const std::vector<Column> columns = {
      {"exam_name", type_of("string")},
      {"sequences",
       type_of("struct<attempt:bigint,counts:struct<all_correct:boolean>,questions:array<struct<id:string,`odd name`:array<double>>>>")},
      {"n", type_of("decimal(20, 0)")},
      {"at", type_of("timestamp")},
  };
  EXPECT_EQ(schema_tree(columns),
            "root\n"
            " |-- exam_name: string (nullable = true)\n"
            " |-- sequences: struct (nullable = true)\n"
            " |    |-- attempt: long (nullable = true)\n"
            " |    |-- counts: struct (nullable = true)\n"
            " |    |    |-- all_correct: boolean (nullable = true)\n"
            " |    |-- questions: array (nullable = true)\n"
            " |    |    |-- element: struct (containsNull = true)\n"
            " |    |    |    |-- id: string (nullable = true)\n"
            " |    |    |    |-- odd name: array (nullable = true)\n"
            " |    |    |    |    |-- element: double (containsNull = true)\n"
            " |-- n: decimal(20,0) (nullable = true)\n"
            " |-- at: timestamp (nullable = true)\n"
            "\n");
}

TEST(Cell, PrettyAsSparkDoes) {
  struct Case {
    const char* type;
    const char* json;
    const char* text;
  };
  const Case cases[] = {
      {"string", "null", "NULL"},
      {"string", R"("say \"hi\" \u00e9 \ud83c\udf93\n")", "say \"hi\" é 🎓\n"},
      {"bigint", "9007199254740993", "9007199254740993"},
      {"boolean", "true", "true"},
      {"double", "0.33", "0.33"},
      {"double", "1", "1.0"},
      {"double", "10000000", "1.0E7"},
      {"double", "9999999", "9999999.0"},
      {"double", "0.001", "0.001"},
      {"double", "0.00099", "9.9E-4"},
      {"double", "-123456789.5", "-1.234567895E8"},
      {"double", "\"NaN\"", "NaN"},
      {"float", "0.1", "0.1"},
      {"decimal(38,0)", "\"12345678901234567890123456789012345678\"", "12345678901234567890123456789012345678"},
      {"binary", "\"eyJh\"", "[7B 22 61]"},
      {"binary", "\"eyI=\"", "[7B 22]"},
      {"binary", "\"\"", "[]"},
      {"timestamp", "\"2018-01-28T12:10:51.123000Z\"", "2018-01-28 12:10:51.123"},
      {"timestamp", "\"2018-01-28T12:10:00.000000Z\"", "2018-01-28 12:10:00"},
      {"struct<a:bigint,b:string>", R"({"a":1,"b":null})", "{1, NULL}"},
      {"array<string>", R"(["a",null,"c"])", "[a, NULL, c]"},
      {"array<struct<x:double>>", R"([{"x":1},{"x":2.5}])", "[{1.0}, {2.5}]"},
      {"array<bigint>", "[]", "[]"},
      {"map<string,bigint>", R"({"a":1,"b":2})", "{a -> 1, b -> 2}"},
  };
  for (const Case& c : cases) {
    const auto text = pretty_cell(c.json, type_of(c.type));
    ASSERT_TRUE(text.has_value()) << c.json;
    EXPECT_EQ(*text, c.text) << c.type << " " << c.json;
  }
  for (const char* broken : {"{", "[1", "{\"a\"}", "", "\"", "[}", "]"}) {
    EXPECT_FALSE(pretty_cell(broken, type_of("struct<a:bigint>")).has_value()) << broken;
  }
}

TEST(Cell, Csv) {
  EXPECT_EQ(*csv_cell("null"), "");
  EXPECT_EQ(*csv_cell("\"\""), "\"\"");
  EXPECT_EQ(*csv_cell(R"("a, \"b\"")"), "\"a, \"\"b\"\"\"");
  EXPECT_EQ(*csv_cell("17"), "17");
  EXPECT_EQ(*csv_cell(R"({"a":1})"), R"("{""a"":1}")");
}

struct ReadResult {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;
  std::string as_of;
  std::string error;
};

ReadResult read(std::string_view body, std::size_t slice_size) {
  ReadResult result;
  ResultReader reader(
      [&](const std::vector<Column>& columns) -> Result<> {
        for (const Column& column : columns) result.titles.push_back(column.name);
        return {};
      },
      [&](const std::vector<std::string_view>& cells) -> Result<> {
        result.rows.emplace_back(cells.begin(), cells.end());
        return {};
      });
  Result<> outcome;
  for (std::string_view rest = body; !rest.empty() && outcome; rest.remove_prefix(std::min(slice_size, rest.size()))) {
    outcome = reader.feed(rest.substr(0, slice_size));
  }
  if (outcome) outcome = reader.finish();
  if (!outcome) result.error = outcome.error().message;
  result.as_of = reader.as_of();
  return result;
}

TEST(ResultReader, ReadsSlicesOfAnySize) {
  const std::string body = R"({"columns":[{"name":"a \"b\"","type":"bigint"},{"name":"s","type":"struct<x:string>"}],)"
                           R"("rows":[[1,{"x":"],["}],[2,null]],"as_of":{"exams":1}})";
  for (std::size_t slice_size = 1; slice_size < body.size() + 1; ++slice_size) {
    const ReadResult result = read(body, slice_size);
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.titles, (std::vector<std::string>{"a \"b\"", "s"}));
    EXPECT_EQ(result.rows, (std::vector<std::vector<std::string>>{{"1", R"({"x":"],["})"}, {"2", "null"}}));
    EXPECT_EQ(result.as_of, R"({"exams":1})");
  }
}

TEST(ResultReader, TellsFailuresBeforeWithinAndAfterTheRows) {
  EXPECT_EQ(read(R"({"error":{"code":"query","message":"no table x"}})", 7).error, "no table x");
  EXPECT_EQ(read(R"({"columns":[{"name":"a","type":"bigint"}],"rows":[[1],[2)", 5).error, "the server's answer was cut short after 1 rows");
  EXPECT_EQ(read(R"({"columns":[{"name":"a","type":"bigint"}],"rows":[[1]],"error":{"code":"query","message":"too late"}})", 5).error,
            "too late");
  EXPECT_NE(read(R"({"columns":[{"name":"a","type":"bigint"}],"rows":[[1,2]],"as_of":{}})", 5).error, "");
  EXPECT_NE(read("", 5).error.size() + 1, 0U);
}

}  // namespace
}  // namespace tripos::app
