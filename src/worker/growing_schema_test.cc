// Rule 4: the answer does not depend on when snapshots ran. Streams of values whose shape grows and widens, snapshots at
// random moments, compared with the same stream without a snapshot.
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "worker/worker_test_server.h"

namespace tripos::worker {
namespace {

class Stream {
 public:
  explicit Stream(unsigned seed) : random_(seed) {}

  // Later values have more fields and wider kinds.
  TestRecord next(int age) {
    std::string text = "{";
    for (const char name : {'a', 'b', 'c', 'd'}) {
      if (chance(0.7)) {
        text += fmt::format("{}\"{}\":{}", text.size() > 1 ? "," : "", name, value(name, age, 0));
      }
    }
    return {std::nullopt, text + "}"};
  }

 private:
  bool chance(double p) { return std::bernoulli_distribution(p)(random_); }
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

  std::string number(int age) {
    static constexpr std::string_view numbers[] = {"1", "-7", "9007199254740993", "123456789012345678901", "1.10", "-0", "1e3"};
    return std::string(numbers[below(age < 8 ? 2 : age < 16 ? 4 : 7)]);
  }

  // Kinds get mixed up at every depth, also inside of arrays.
  std::string value(char kind, int age, int depth) {
    if (chance(0.15)) {
      return "null";
    }
    if (kind == 'a') {
      return age > 10 && chance(0.05) ? "\"text\"" : number(age);
    }
    if (kind == 'b') {
      std::string list = "[";
      for (int i = 0, count = age < 4 ? 0 : below(4); i < count; ++i) {
        list += (i == 0 ? "" : ",") + (chance(0.2) ? "null" : depth < 2 ? value('c', age, depth + 1) : number(age));
      }
      return list + "]";
    }
    if (age > 14 && chance(0.02)) {
      return number(age);
    }
    if (kind == 'd') {
      return age < 12 ? "{}" : age < 20 ? "{\"x\":null}" : "{\"x\":{\"y\":[]},\"z\":[{}]}";
    }
    std::string object = "{";
    for (const std::string_view name : {"p", "q", "r"}) {
      if (age > 4 * depth && chance(0.1 + 0.02 * age)) {
        const std::string inner = name == "p" ? number(age) : depth > 2 ? "{}" : value(name == "q" ? 'b' : 'c', age, depth + 1);
        object += fmt::format("{}\"{}\":{}", object.size() > 1 ? "," : "", name, inner);
      }
    }
    return object + "}";
  }

  std::mt19937 random_;
};

std::string types(const TestAnswer& answer) {
  std::string text;
  for (const protocol::Column& column : answer.columns) {
    text += column.name + ' ' + column.type + '\n';
  }
  return text;
}

class GrowingSchema : public testing::TestWithParam<unsigned> {};

TEST_P(GrowingSchema, AnswersAreTheSameWheneverSnapshotsRan) {
  TestServer live;
  TestServer divided;
  TestTable& whole = live.add_table("t");
  TestTable& cut = divided.add_table("t");
  Stream stream(GetParam());
  std::mt19937 random(GetParam());
  for (int age = 0; age < 32; ++age) {
    std::vector<TestRecord> records;
    for (int i = 0; i < 3; ++i) {
      records.push_back(stream.next(age));
    }
    live.append(whole, records);
    divided.append(cut, records);
    if (random() % 4 == 0) {
      const TestAnswer wrote = divided.snapshot(cut, cut.end);
      ASSERT_TRUE(wrote.wrote) << wrote.failed->message;
    }
    if (age % 3 != 2) {
      continue;
    }
    for (const std::string sql : {"SELECT * FROM t", "SELECT a IS NULL, size(b), c, CAST(c AS STRING), d IS NULL FROM t"}) {
      const TestAnswer expected = live.ask(sql);
      const TestAnswer answer = divided.ask(sql);
      ASSERT_EQ(expected.failed.has_value(), answer.failed.has_value())
          << sql << (expected.failed ? expected.failed->message : answer.failed->message);
      if (expected.failed) {  // no such column so far
        continue;
      }
      ASSERT_EQ(types(expected), types(answer)) << sql;
      ASSERT_EQ(expected.rows, answer.rows) << sql << " at age " << age;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GrowingSchema, testing::Range(0U, 6U));

TEST(GrowingSchemas, EmptyArraysAndObjectsAreNotNull) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {{std::nullopt, R"({"a":[],"o":{},"n":null,"k":1})"}, {std::nullopt, R"({"a":null,"k":2})"}});
  ASSERT_TRUE(server.snapshot(table, 2).wrote);
  server.append(table, {{std::nullopt, R"({"a":[1],"o":{"x":1},"k":3})"}});
  EXPECT_EQ(server.ask("SELECT a, size(a), o, o IS NULL FROM t ORDER BY k").rows,
            R"([[[],0,{"x":null},false],[null,-1,null,true],[[1],1,{"x":1},false]])");
  server.append(table, {{std::nullopt, R"({"a":"s","o":"s","k":4})"}});
  EXPECT_EQ(server.ask("SELECT a, o FROM t ORDER BY k").rows, R"([["[]","{}"],[null,null],["[1]","{\"x\":1}"],["s","s"]])");
}

TEST(GrowingSchemas, WhatAFilesStringsHadBeenIsNotForgotten) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(
      table,
      {{std::nullopt, R"({"k":1,"a":[1,"1"],"o":{"x":1.10,"l":[{"y":1}]},"s":{"in":["1"]},"z":"a long text of more than twelve bytes"})"},
       {std::nullopt, R"({"k":2,"a":["2"],"o":{"x":"one","l":[{"y":"a long text, longer than twelve bytes"}]},"s":{"in":[1]}})"},
       {std::nullopt, R"({"k":3,"a":null,"o":{"x":null},"a":[true],"o":{"l":null}})"}});
  const std::string typed = server.ask("SELECT * FROM t ORDER BY k").rows;
  ASSERT_TRUE(server.snapshot(table, 3).wrote);
  EXPECT_EQ(table.files.front().lost_count, 3);
  EXPECT_EQ(server.ask("SELECT * FROM t ORDER BY k").rows, typed);
  server.append(table, {{std::nullopt, R"({"k":4,"a":5,"o":{"x":1,"l":[7]},"s":{"in":7}})"}});
  EXPECT_EQ(server.ask("SELECT a, o, s FROM t ORDER BY k").rows,
            R"([["[1,\"1\"]",{"l":["{\"y\":1}"],"x":"1.1"},{"in":"[\"1\"]"}],)"
            R"(["[\"2\"]",{"l":["{\"y\":\"a long text, longer than twelve bytes\"}"],"x":"one"},{"in":"[1]"}],)"
            R"(["[true]",{"l":null,"x":null},null],)"
            R"(["5",{"l":["7"],"x":"1"},{"in":"7"}]])");
  EXPECT_EQ(server.ask("SELECT o.l, s.in FROM t ORDER BY k").rows,
            R"([[["{\"y\":1}"],"[\"1\"]"],[["{\"y\":\"a long text, longer than twelve bytes\"}"],"[1]"],[null,null],[["7"],"7"]])");
  // The same once more, from a file that was written under the wider type.
  const std::string wider = server.ask("SELECT * FROM t ORDER BY k").rows;
  ASSERT_TRUE(server.snapshot(table, 4).wrote);
  EXPECT_EQ(server.ask("SELECT * FROM t ORDER BY k").rows, wider);
}

TEST(DamagedLog, AWrongByteIsAnErrorThatNamesFileAndOffset) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {{std::nullopt, R"({"a":111})"}, {std::nullopt, R"({"a":222})"}}, Compression::none, 1);
  ASSERT_EQ(table.batches.size(), 2U);
  // The last digit of the second value: still JSON, another number.
  std::string bytes(table.bytes, '\0');
  ASSERT_EQ(pread(table.file.number(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  const std::size_t digit = bytes.rfind("222");
  ASSERT_NE(digit, std::string::npos);
  ASSERT_EQ(pwrite(table.file.number(), "9", 1, static_cast<off_t>(digit)), 1);
  for (const std::string sql : {"SELECT sum(a) FROM t", "SELECT count(*) FROM t", "SELECT value FROM t_messages"}) {
    const TestAnswer answer = server.ask(sql);
    ASSERT_TRUE(answer.failed) << sql << answer.rows;
    EXPECT_NE(answer.failed->message.find("topics/t/0/0.log: "), std::string::npos) << answer.failed->message;
    EXPECT_NE(answer.failed->message.find("offset 1"), std::string::npos) << answer.failed->message;
  }
}

}  // namespace
}  // namespace tripos::worker
