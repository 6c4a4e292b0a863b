// Spark as judge (tests/spark): the same statements on the same data, titles, types and rows compared.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "worker/dialect/catalogue.h"
#include "worker/worker_test_server.h"

namespace tripos::worker {
namespace {

namespace dom = simdjson::dom;
const std::filesystem::path corpus = TRIPOS_TEST_SPARK;
const std::vector<std::string> tables = {"exams", "orders", "cities", "visits"};

bool same(dom::element a, dom::element b) {
  double x = 0;
  double y = 0;
  if (a.is_number() && b.is_number()) {
    if (a.is_double() != b.is_double()) {  // 1 is a long, 1.0 a double
      return false;
    }
    if (!a.is_double()) {
      return simdjson::minify(a) == simdjson::minify(b);
    }
    return a.get(x) == simdjson::SUCCESS && b.get(y) == simdjson::SUCCESS && (x == y || std::fabs(x - y) <= 1e-12 * std::fabs(x));
  }
  if (a.is_array() && b.is_array()) {
    const dom::array left = a.get_array().value();
    const dom::array right = b.get_array().value();
    return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(), same);
  }
  if (a.is_object() && b.is_object()) {
    const dom::object left = a.get_object().value();
    const dom::object right = b.get_object().value();
    if (left.size() != right.size()) {
      return false;
    }
    auto other = right.begin();
    for (auto field = left.begin(); field != left.end(); ++field, ++other) {
      if (field.key() != other.key() || !same(field.value(), other.value())) {
        return false;
      }
    }
    return true;
  }
  return simdjson::minify(a) == simdjson::minify(b);
}

std::vector<std::string> texts(dom::array rows) {
  std::vector<std::string> all;
  for (const dom::element row : rows) {
    all.push_back(simdjson::minify(row));
  }
  return all;
}

std::vector<TestRecord> records_of(const std::string& table) {
  std::ifstream file(corpus / "data" / (table + ".ndjson"));
  std::vector<TestRecord> records;
  for (std::string line; std::getline(file, line);) {
    records.push_back({std::nullopt, line});
  }
  EXPECT_FALSE(records.empty()) << table;
  return records;
}

// Empty: as Spark. Otherwise what is different.
std::string difference(dom::element expected, const TestAnswer& answer) {
  if (answer.failed) {
    return "failed: " + answer.failed->message;
  }
  std::string columns;
  std::string expected_columns;
  for (const protocol::Column& column : answer.columns) {
    columns += column.name + " " + column.type + " | ";
  }
  for (const dom::element column : expected["columns"].get_array()) {
    expected_columns += std::string(column["name"].get_string().value()) + " " + std::string(column["type"].get_string().value()) + " | ";
  }
  if (columns != expected_columns) {
    return "columns\n    ours:  " + columns + "\n    Spark: " + expected_columns;
  }
  dom::parser parser;
  dom::element rows;
  if (parser.parse(answer.rows).get(rows) != simdjson::SUCCESS) {
    return "rows are no JSON: " + answer.rows.substr(0, 300);
  }
  const dom::array theirs = expected["rows"].get_array().value();
  std::vector<std::string> ours_text = texts(rows.get_array().value());
  std::vector<std::string> theirs_text = texts(theirs);
  if (!expected["ordered"].get_bool().value()) {
    std::ranges::sort(ours_text);
    std::ranges::sort(theirs_text);
  }
  if (ours_text.size() != theirs_text.size()) {
    return fmt::format("{} rows, Spark {}", ours_text.size(), theirs_text.size());
  }
  for (std::size_t i = 0; i < ours_text.size(); ++i) {
    dom::parser left_parser;
    dom::parser right_parser;
    if (!same(left_parser.parse(ours_text[i]).value(), right_parser.parse(theirs_text[i]).value())) {
      return fmt::format("row {}\n    ours:  {}\n    Spark: {}", i, ours_text[i].substr(0, 600), theirs_text[i].substr(0, 600));
    }
  }
  return {};
}

enum class Layout { live, divided };

class SparkAnswers : public testing::TestWithParam<std::tuple<std::string, Layout>> {};

TEST_P(SparkAnswers, AreEqual) {
  const auto& [file, layout] = GetParam();
  TestServer server;
  for (const std::string& table : tables) {
    TestTable& made = server.add_table(table);
    const std::vector<TestRecord> records = records_of(table);
    if (layout == Layout::live) {
      server.append(made, records);
      continue;
    }
    // Two files of different schemas, then the log.
    const auto third = static_cast<std::ptrdiff_t>(records.size() / 3);
    server.append(made, {records.begin(), records.begin() + third}, Compression::zstd);
    ASSERT_TRUE(server.snapshot(made, third).wrote);
    server.append(made, {records.begin() + third, records.end()});
    ASSERT_TRUE(server.snapshot(made, third * 2).wrote);
  }
  dom::parser parser;
  const dom::element statements = parser.load((corpus / "expected" / (file + ".json")).string());
  int failures = 0;
  for (const dom::element expected : statements.get_array()) {
    const std::string sql(expected["sql"].get_string().value());
    const std::string found = difference(expected, server.ask(sql));
    EXPECT_EQ(found, "") << sql;
    failures += found.empty() ? 0 : 1;
  }
  RecordProperty("failures", failures);
}

// What is not answered says so: never a wrong answer, never a message of DuckDB's.
TEST(SparkCorpus, RefusesByName) {
  TestServer server;
  for (const std::string& table : tables) {
    server.append(server.add_table(table), records_of(table));
  }
  std::ifstream file(corpus / "refused.sql");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    const std::size_t mark = line.find("; -- ");
    if (line.starts_with("--") || mark == std::string::npos) {
      continue;
    }
    ++count;
    const TestAnswer answer = server.ask(line.substr(0, mark));
    ASSERT_TRUE(answer.failed) << line;
    EXPECT_NE(answer.failed->message.find(line.substr(mark + 5)), std::string::npos) << line << "\n" << answer.failed->message;
  }
  EXPECT_GT(count, 20);
}

// docs/reference/sql.md lists the functions that there are.
TEST(SparkCorpus, DocumentationListsEveryFunction) {
  std::ifstream file(corpus / "../../docs/reference/sql.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(page.empty());
  // How the respeller writes literals and operators.
  const std::set<std::string_view> internal = {
      "list_value", "row",  "date_literal", "timestamp_literal", "binary_literal", "like_escape", "regexp_full_match", "long",
      "short",      "byte", "real"};
  const auto check = [&](std::string_view name) {
    EXPECT_TRUE(internal.contains(name) || page.find(fmt::format("`{}`", name)) != std::string::npos) << name;
  };
  for (const auto rules : {text_functions(), number_functions(), time_functions(), collection_functions(), lambda_functions()}) {
    for (const FunctionRule& rule : rules) {
      check(rule.name);
    }
  }
  for (const AggregateRule& rule : aggregate_functions()) {
    check(rule.name);
  }
}

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(corpus / "expected")) {
    names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Spark, SparkAnswers, testing::Combine(testing::ValuesIn(files()), testing::Values(Layout::live, Layout::divided)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + (std::get<1>(test.param) == Layout::live ? "_live" : "_divided");
                         });

}  // namespace
}  // namespace tripos::worker
