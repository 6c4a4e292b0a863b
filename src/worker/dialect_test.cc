// The dialect by itself: what is respelled, what is refused and how, which leaves a statement reads.
#include <gtest/gtest.h>

#include "worker/connection.h"
#include "worker/dialect/lexer.h"
#include "worker/dialect/rewriter.h"
#include "worker/dialect/statement.h"
#include "worker/duckdb_library.h"
#include "worker/table_view.h"

namespace tripos::worker {
namespace {

class OneTable : public TableSource {
 public:
  OneTable() {
    const json::Type type = *json::Type::parse(
        "struct<name:string,n:bigint,ok:boolean,s:struct<counts:struct<all:boolean,correct:bigint,total:bigint>,questions:array<struct<id:"
        "string,r:string>>>>");
    const SqlType sql = SqlType::of(type);
    columns_.assign(sql.fields().begin(), sql.fields().end());
  }
  Result<const Tree*> view(const TableReference& reference) override {
    const auto found = views.find(reference.name);
    return found == views.end() ? nullptr : &found->second;
  }
  Result<TableBinding> table(const TableReference& reference) override {
    if (reference.name != "exams") {
      return fail(ErrorCode::not_found, "there is no table {}", reference.name);
    }
    return TableBinding{.sql = "exams", .columns = columns_, .usage = &usage};
  }
  ColumnUsage usage;
  std::map<std::string, Tree> views;

 private:
  std::vector<SqlField> columns_;
};

class Dialect : public testing::Test {
 protected:
  Dialect() {
    EXPECT_TRUE(load_duckdb(TRIPOS_TEST_DUCKDB));
    database_ = std::move(*Database::open({}));
    connection_ = std::move(*database_.connect());
  }
  std::string error(const std::string& sql) {
    const auto parsed = parse_statement(sql);
    if (!parsed) {
      return parsed.error().message;
    }
    const auto tree = parse_query(connection_, parsed->text);
    if (!tree) {
      return tree.error().message;
    }
    Rewriter rewriter(table_);
    const auto query = rewriter.rewrite(tree->root());
    return query ? "" : query.error().message;
  }
  // The paths that are read, in order: "s.counts.all name".
  std::string read_by(const std::string& sql) {
    table_.usage.clear();
    EXPECT_EQ(error(sql), "") << sql;
    std::string text;
    for (const auto& [name, usage] : table_.usage) {
      add(name, usage, text);
    }
    return text;
  }
  static void add(const std::string& path, const Usage& usage, std::string& text) {
    if (usage.whole) {
      text += (text.empty() ? "" : " ") + path;
      return;
    }
    for (const auto& [name, field] : usage.fields) {
      add(path + "." + name, field, text);
    }
  }
  Database database_;
  Connection connection_;
  OneTable table_;
};

TEST_F(Dialect, ReadsOnlyTheLeavesThatAreMentioned) {
  EXPECT_EQ(read_by("SELECT count(*) FROM exams"), "");
  EXPECT_EQ(read_by("SELECT name FROM exams WHERE s.counts.all"), "name s.counts.all");
  EXPECT_EQ(read_by("SELECT * FROM exams"), "n name ok s");
  EXPECT_EQ(read_by("SELECT s FROM exams WHERE s.counts.all"), "s");
  EXPECT_EQ(read_by("SELECT count(s) FROM exams"), "s");
  EXPECT_EQ(read_by("SELECT e.s.counts.correct FROM exams e ORDER BY s.counts.total"), "s.counts.correct s.counts.total");
  EXPECT_EQ(read_by("SELECT s.questions.r FROM exams"), "s.questions");
  EXPECT_EQ(read_by("SELECT a.name FROM exams a JOIN exams b ON a.n = b.s.counts.total"), "n name s.counts.total");
}

TEST_F(Dialect, ReadsThroughSubqueriesNoMoreThanTheyPassOn) {
  EXPECT_EQ(read_by("SELECT s.counts.all FROM (SELECT * FROM exams)"), "s.counts.all");
  EXPECT_EQ(read_by("WITH t AS (SELECT s.counts AS c, name FROM exams) SELECT c.correct FROM t"), "s.counts.correct");
  EXPECT_EQ(read_by("SELECT 1 FROM (SELECT DISTINCT s.counts.all, n FROM exams)"), "n s.counts.all");
  EXPECT_EQ(read_by("SELECT name FROM (SELECT name, n FROM exams UNION ALL SELECT name, n FROM exams)"), "n name");
  EXPECT_EQ(read_by("SELECT n FROM exams WHERE name IN (SELECT name FROM exams)"), "n name");
}

TEST_F(Dialect, RefusesWhatDoesNotRead) {
  EXPECT_NE(error("INSERT INTO exams VALUES (1)").find("INSERT is not understood"), std::string::npos);
  EXPECT_NE(error("DROP TABLE exams").find("DROP TABLE is not supported"), std::string::npos);
  EXPECT_NE(error("CREATE TABLE x AS SELECT 1").find("CREATE TABLE is not supported"), std::string::npos);
  EXPECT_NE(error("SELECT 1; SELECT 2").find("one statement at a time"), std::string::npos);
  EXPECT_NE(error("SET threads = 1").find("SET is not understood"), std::string::npos);
  EXPECT_NE(error("COPY exams TO 'x'").find("COPY is not understood"), std::string::npos);
  EXPECT_NE(error("PRAGMA version").find("PRAGMA is not understood"), std::string::npos);
  EXPECT_NE(error("").find("empty"), std::string::npos);
  EXPECT_EQ(error("SELECT name FROM exams;"), "");
  EXPECT_EQ(error("SELECT ';' FROM exams ; "), "");
}

TEST_F(Dialect, LetsNoFunctionThroughThatItDoesNotKnow) {
  for (const std::string name : {"getenv('HOME')", "read_text('/etc/passwd')", "list_sum([1])", "json_execute_serialized_sql('x')",
                                 "tripos_scan(0)", "current_setting('threads')", "main.getenv('HOME')"}) {
    EXPECT_NE(error("SELECT " + name), "") << name;
  }
  for (const std::string source : {"read_parquet('/etc/passwd')", "glob('*')", "duckdb_settings()", "tripos_scan(0)", "read_csv('x')",
                                   "sniff_csv('x')", "information_schema.tables", "pragma_version()", "query('SELECT 1')"}) {
    EXPECT_NE(error("SELECT * FROM " + source), "") << source;
  }
  EXPECT_NE(error("SELECT colect_list(n) FROM exams").find("there is no function colect_list"), std::string::npos);
  EXPECT_NE(error("SELECT percentile_aprox(n) FROM exams").find("did you mean percentile"), std::string::npos);
}

TEST_F(Dialect, SaysWhatIsWrongAndWhere) {
  EXPECT_NE(error("SELECT exam FROM exams").find("there is no column exam"), std::string::npos);
  EXPECT_NE(error("SELECT nam FROM exams").find("did you mean one of: name"), std::string::npos);
  EXPECT_NE(error("SELECT s.count.all FROM exams").find("has no field count"), std::string::npos);
  EXPECT_NE(error("SELECT n FROM exams a, exams b").find("ambiguous"), std::string::npos);
  EXPECT_NE(error("SELECT name FORM exams WHERE x").find("(line 1, column"), std::string::npos);
  EXPECT_NE(error("SELECT name\nFROM exams WHERE (n > 1").find("syntax error"), std::string::npos);
  EXPECT_NE(error("SELECT 'open FROM exams").find("never closed"), std::string::npos);
  EXPECT_NE(error("SELECT upper(name, n) FROM exams").find("upper takes 1 argument, 2 given"), std::string::npos);
  EXPECT_NE(error("SELECT cast(n AS integr) FROM exams").find("there is no type integr"), std::string::npos);
  EXPECT_NE(error("SELECT * FROM nothing").find("there is no table nothing"), std::string::npos);
}

TEST_F(Dialect, AViewThatNamesItselfIsRefused) {
  table_.views.emplace("a", *parse_query(connection_, "SELECT * FROM b"));
  table_.views.emplace("b", *parse_query(connection_, "SELECT * FROM a"));
  EXPECT_NE(error("SELECT * FROM a").find("is defined by itself"), std::string::npos);
}

TEST_F(Dialect, DeepNestingEndsAsAnError) {
  std::string deep = "n";
  for (int i = 0; i < 600; ++i) {
    deep = "(1 + " + deep + ")";
  }
  EXPECT_NE(error("SELECT " + deep + " FROM exams"), "");
}

TEST(Lexer, FindsTokensAndPlaces) {
  const auto tokens = *tokenize("SELECT `a b`, \"x\" -- note\n, 'it''s' /* … */ <=> 1.5e3L");
  std::string text;
  for (const Token& token : tokens) {
    text += token.text + "|";
  }
  EXPECT_EQ(text, "SELECT|a b|,|x|,|it's|<=>|1.5e3L||");
  EXPECT_EQ(place("a\nbé c", 6), "line 2, column 4");
  EXPECT_FALSE(tokenize("SELECT /* open"));
}

TEST(SqlTypes, CommonTypesAreSparks) {
  EXPECT_EQ(common_type(SqlKind::integer, SqlKind::big_integer), SqlType(SqlKind::big_integer));
  EXPECT_EQ(common_type(SqlKind::big_integer, SqlKind::string), SqlType(SqlKind::string));
  EXPECT_EQ(common_type(SqlType::decimal(10, 2), SqlKind::integer), SqlType::decimal(12, 2));
  EXPECT_EQ(common_type(SqlType::decimal(10, 2), SqlKind::double_float), SqlType(SqlKind::double_float));
  EXPECT_EQ(bounded_decimal(46, 22), SqlType::decimal(38, 14));
  EXPECT_EQ(SqlType::structure({{"a b", SqlKind::string}, {"c", SqlType::array(SqlKind::double_float)}}).ddl(),
            "struct<`a b`:string,c:array<double>>");
}

}  // namespace
}  // namespace tripos::worker
