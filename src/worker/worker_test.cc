// A worker as the server sees it: tables, views, limits, snapshots.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "worker/worker_test_server.h"

namespace tripos::worker {
namespace {

TestRecord json(const std::string& value) { return {std::nullopt, value}; }
TestRecord keyed(const std::string& key, std::optional<std::string> value) { return {key, std::move(value)}; }

TEST(Worker, AnswersWithColumnsAndRows) {
  TestServer server;
  server.append(server.add_table("t"), {json(R"({"a":1,"b":"x\"y","c":[1.5,null],"d":{"e":true}})"), json(R"({"a":null,"d":null})")});
  const TestAnswer answer = server.ask("SELECT * FROM t");
  ASSERT_FALSE(answer.failed) << answer.failed->message;
  std::string columns;
  for (const auto& column : answer.columns) {
    columns += column.name + ":" + column.type + " ";
  }
  EXPECT_EQ(columns, "a:bigint b:string c:array<double> d:struct<e:boolean> ");
  EXPECT_EQ(answer.rows, R"([[1,"x\"y",[1.5,null],{"e":true}],[null,null,null,null]])");
}

TEST(Worker, NamesOfTablesKeepTheirQualifierAndViewsWin) {
  TestServer server;
  server.append(server.add_table("t"), {json(R"({"a":1})")});
  EXPECT_EQ(server.ask(R"(SELECT a FROM topics."t")").rows, "[[1]]");
  EXPECT_EQ(server.asked_for, std::vector<std::string>{"topics.t"});
  ASSERT_FALSE(server.ask("CREATE VIEW t AS SELECT a + 1 AS a FROM topics.`t`").failed);
  EXPECT_EQ(server.ask("SELECT a FROM T").rows, "[[2]]");
  EXPECT_EQ(server.ask("SELECT a FROM topics.t").rows, "[[1]]");
  EXPECT_EQ(server.ask("SHOW TABLES").rows, R"([["","t",true]])");
}

TEST(Worker, MessagesAndRejectedRecords) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {keyed("k1", R"({"a":1})"), keyed("k2", "no json"), keyed("k3", std::nullopt), json("[1]"), json(R"({"a":2})")},
                Compression::lz4, 2);
  EXPECT_EQ(server.ask("SELECT count(*) FROM t").rows, "[[2]]");
  EXPECT_EQ(server.ask("SELECT a FROM t").rows, "[[1],[2]]");
  EXPECT_EQ(
      server.ask("SELECT CAST(key AS STRING), CAST(value AS STRING), topic, partition, offset, timestamp, timestampType FROM t_messages")
          .rows,
      R"([["k1","{\"a\":1}","t",0,0,"2018-01-28T12:10:51.123000Z",0],["k2","no json","t",0,1,"2018-01-28T12:10:51.123000Z",0],)"
      R"(["k3",null,"t",0,2,"2018-01-28T12:10:51.123000Z",0],[null,"[1]","t",0,3,"2018-01-28T12:10:51.123000Z",0],)"
      R"([null,"{\"a\":2}","t",0,4,"2018-01-28T12:10:51.123000Z",0]])");
  EXPECT_EQ(server.ask("SELECT value FROM t_messages LIMIT 1").rows, R"([["eyJhIjoxfQ=="]])");
  EXPECT_EQ(server.ask("SELECT offset, reason, string(value) FROM t_rejected").rows,
            R"([[1,"neither true, false nor null at byte 0","no json"],[3,"top level is an array at byte 0","[1]"]])");
}

TEST(Worker, EveryCodecAndManyBatches) {
  TestServer server;
  TestTable& table = server.add_table("t");
  std::int64_t n = 0;
  for (const Compression codec : {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    std::vector<TestRecord> records;
    for (int i = 0; i < 3000; ++i, ++n) {
      records.push_back(
          json(fmt::format(R"({{"n":{},"text":"a text that is longer than twelve bytes {}","list":[{{"x":{}}},{{"x":2}}]}})", n, n, n)));
    }
    server.append(table, records, codec, 100);
  }
  EXPECT_EQ(server.ask("SELECT count(*), sum(n), count(DISTINCT text), sum(list[0].x), max(text) FROM t").rows,
            R"([[15000,112492500,15000,112492500,"a text that is longer than twelve bytes 9999"]])");
  EXPECT_EQ(server.ask("SELECT n, text FROM t LIMIT 2").rows,
            R"([[0,"a text that is longer than twelve bytes 0"],[1,"a text that is longer than twelve bytes 1"]])");
  EXPECT_EQ(server.ask("SELECT count(*) FROM t WHERE text <> concat('a text that is longer than twelve bytes ', n)").rows, "[[0]]");
}

TEST(Worker, OneTableOfFilesAndLogWhateverTheSchemaWas) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {json(R"({"a":1,"s":{"x":1,"gone":null},"l":[{"p":1}],"w":{"k":1.10,"b":[1,null]}})"), json(R"({"a":null})")});
  ASSERT_TRUE(server.snapshot(table, 2).wrote);
  server.append(table, {json(R"({"a":2.5,"s":{"x":2,"y":"new"},"l":[{"p":2,"q":"n"}],"w":"text","z":true})")});
  ASSERT_TRUE(server.snapshot(table, 3).wrote);
  server.append(table, {json(R"({"a":3,"s":{"y":"live"},"w":{"b":[2],"k":1.10}})")});
  EXPECT_EQ(server.ask("SELECT * FROM t").rows,
            R"([[1.0,[{"p":1,"q":null}],{"gone":null,"x":1,"y":null},"{\"b\":[1,null],\"k\":1.1}",null],)"
            R"([null,null,null,null,null],)"
            R"([2.5,[{"p":2,"q":"n"}],{"gone":null,"x":2,"y":"new"},"text",true],)"
            R"([3.0,null,{"gone":null,"x":null,"y":"live"},"{\"b\":[2],\"k\":1.1}",null]])");
  EXPECT_EQ(server.ask("SELECT s.y, a FROM t").rows, R"([[null,1.0],[null,null],["new",2.5],["live",3.0]])");
  EXPECT_EQ(server.ask("SELECT count(*) FROM t WHERE s IS NULL").rows, "[[1]]");
}

TEST(Worker, NamesThatDifferByCaseOnly) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {json(R"({"name":"first"})")});
  ASSERT_TRUE(server.snapshot(table, 1).wrote);
  server.append(table, {json(R"({"name":"low","Name":"High"})")});
  const TestAnswer answer = server.ask("SELECT * FROM t");
  EXPECT_EQ(answer.columns.at(0).name, "Name");
  EXPECT_EQ(answer.columns.at(1).name, "name_1");
  EXPECT_EQ(answer.rows, R"([[null,"first"],["High","low"]])");
}

TEST(Worker, RowsKnowWhereTheirRecordIsIfTheyAreAsked) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {keyed("k0", R"({"a":"x","s":{"b":1}})"), json("no json"), json(R"({"a":"y"})")});
  ASSERT_TRUE(server.snapshot(table, 2).wrote);
  server.append(table, {json(R"({"a":"z"})")});
  EXPECT_EQ(server.ask("SELECT __tripos_partition, __tripos_offset, a, __tripos_timestamp, string(__TRIPOS_KEY) FROM t").rows,
            R"([[0,0,"x","2018-01-28T12:10:51.123000Z","k0"],[0,2,"y","2018-01-28T12:10:51.123000Z",null],)"
            R"([0,3,"z","2018-01-28T12:10:51.123000Z",null]])");
  EXPECT_EQ(server.ask("SELECT * FROM t").columns.size(), 2U);
  EXPECT_EQ(server.ask("SELECT t.* FROM t").columns.size(), 2U);
  EXPECT_EQ(server.ask("SELECT SUM(x.__tripos_offset) FROM t AS x WHERE __tripos_offset > 0").rows, "[[5]]");
  EXPECT_EQ(server.ask("SELECT l.a FROM t l JOIN t r ON l.__tripos_offset = r.__tripos_offset + 1").rows, R"([["z"]])");
  EXPECT_EQ(server.ask("SELECT __tripos_offset FROM t LATERAL VIEW explode(array(1, 2)) v AS e WHERE e = 2 ORDER BY 1").rows,
            "[[0],[2],[3]]");
  EXPECT_NE(server.ask("SELECT __tripos_offset FROM t l JOIN t r ON l.a = r.a").failed->message.find("ambiguous"), std::string::npos);
  EXPECT_TRUE(server.ask("SELECT __tripos_offset FROM (SELECT a FROM t) AS inner_query").failed);
  EXPECT_TRUE(server.ask("SELECT __tripos_offset FROM t_messages").failed);
}

TEST(Worker, AFieldThatIsNamedAsARecordsColumnGetsANumber) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {json(R"({"a":1,"__tripos_offset":"mine"})")});
  ASSERT_TRUE(server.snapshot(table, 1).wrote);
  server.append(table, {json(R"({"a":2,"__tripos_offset":"live"})")});
  EXPECT_EQ(server.ask("SELECT __tripos_offset, a, __tripos_offset_1 FROM t").rows, R"([[0,1,"mine"],[1,2,"live"]])");
  EXPECT_EQ(server.ask("SELECT * FROM t").rows, R"([["mine",1],["live",2]])");
}

TEST(Worker, RowsThatWereDeletedAreNotShownThoughTheirFileHoldsThem) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {json(R"({"a":1})"), json(R"({"a":2})"), json(R"({"a":3})")});
  ASSERT_TRUE(server.snapshot(table, 3).wrote);
  server.append(table, {json(R"({"a":4,"b":"x"})"), json(R"({"a":5})")});
  ASSERT_TRUE(server.snapshot(table, 5).wrote);
  server.append(table, {json(R"({"a":6})")});
  table.files[0].begin = Offset(2);
  table.files[0].holds_more = true;
  EXPECT_EQ(server.ask("SELECT a FROM t").rows, "[[3],[4],[5],[6]]");
  EXPECT_EQ(server.ask("SELECT count(*), min(a), min(__tripos_offset) FROM t").rows, "[[4,3,2]]");
}

TEST(Worker, ACompactedTopicShowsTheLastValueOfEachKey) {
  TestServer server;
  TestTable& table = server.add_table("t");
  table.compacted = true;
  server.append(table, {keyed("a", R"({"v":1})"), keyed("b", R"({"v":2})"), keyed("a", R"({"v":3})"), keyed("b", std::nullopt),
                        keyed("c", R"({"v":4})")});
  EXPECT_EQ(server.ask("SELECT v FROM t").rows, "[[3],[4]]");
}

TEST(Worker, ASnapshotCountsWhatItLeavesOutAndHidesItsOwnColumns) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {json(R"({"a":1,"only_null":null})"), json("x"), keyed("k", std::nullopt), json(R"({"a":2})")});
  const TestAnswer answer = server.snapshot(table, 4);
  ASSERT_TRUE(answer.wrote) << answer.failed->message;
  EXPECT_EQ(answer.wrote->row_count, 2);
  EXPECT_EQ(answer.wrote->rejected_count, 1);
  EXPECT_EQ(answer.wrote->tombstone_count, 1);
  EXPECT_EQ(server.ask("SELECT * FROM t").rows, "[[1,null],[2,null]]");
}

TEST(Worker, TheAnswerAsParquetIsReadBackOnlyWhereTheOperatorAllows) {
  TestServer server;
  server.append(server.add_table("t"), {json(R"({"a":1,"s":{"x":"y"}})"), json(R"({"a":2})")});
  const TestAnswer answer = server.ask("SELECT a, s, count(*) OVER () AS n FROM t", protocol::Output::parquet);
  ASSERT_FALSE(answer.failed) << answer.failed->message;
  EXPECT_TRUE(answer.parquet.starts_with("PAR1"));
  for (const std::string folder : {"/allowed", ""}) {
    std::ofstream(server.directory + folder + "/answer.parquet", std::ios::binary) << answer.parquet;
  }
  EXPECT_EQ(server.ask("SELECT * FROM '" + server.directory + "/allowed/answer.parquet'").rows, R"([[1,{"x":"y"},2],[2,null,2]])");
  EXPECT_EQ(server.ask("SELECT a FROM parquet.`" + server.directory + "/allowed/answer.parquet`").rows, "[[1],[2]]");
  ASSERT_FALSE(server.ask("CREATE VIEW v AS SELECT a FROM '" + server.directory + "/allowed/answer.parquet'").failed);
  EXPECT_EQ(server.ask("SELECT sum(a) FROM v").rows, "[[3]]");
  for (const std::string& path :
       {server.directory + "/answer.parquet", server.directory + "/allowed/../answer.parquet", std::string("/etc/passwd")}) {
    const TestAnswer refused = server.ask("SELECT * FROM '" + path + "'");
    ASSERT_TRUE(refused.failed) << path;
    EXPECT_EQ(refused.failed->code, ErrorCode::permission);
  }
}

TEST(Worker, LimitsRowsAndEndsWhenInterrupted) {
  TestServer server(10);
  EXPECT_FALSE(server.ask("SELECT id FROM range(10)").failed);
  const TestAnswer many = server.ask("SELECT id FROM range(11)");
  ASSERT_TRUE(many.failed);
  EXPECT_EQ(many.failed->code, ErrorCode::too_large);
  const auto start = std::chrono::steady_clock::now();
  const TestAnswer endless = server.ask_and_interrupt("SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.id + b.id = 7",
                                                      std::chrono::milliseconds(100));
  ASSERT_TRUE(endless.failed);
  EXPECT_EQ(endless.failed->code, ErrorCode::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(server.ask("SELECT 1 AS still_alive").rows, "[[1]]");
}

TEST(Worker, ErrorsSpeakOfTheStatementNotOfOurHelpers) {
  TestServer server;
  server.append(server.add_table("t"), {json(R"({"a":1,"b":"x"})")});
  for (const std::string sql :
       {"SELECT nothing FROM t", "SELECT a FROM missing", "SELECT sum(b), a FROM t", "SELECT a FROM t GROUP BY b", "SELECT foo(a) FROM t",
        "SELECT a FROM t WHERE", "SELECT (SELECT a, b FROM t)", "SELECT a FROM t UNION SELECT a, b FROM t"}) {
    const TestAnswer answer = server.ask(sql);
    ASSERT_TRUE(answer.failed) << sql;
    EXPECT_EQ(answer.failed->message.find("tripos_"), std::string::npos) << answer.failed->message;
    EXPECT_EQ(answer.failed->message.find("LINE 1"), std::string::npos) << answer.failed->message;
  }
  EXPECT_EQ(server.ask("SELECT a FROM missing").failed->message, "there is no table missing");
}

TEST(Worker, ALogThatIsNoLogIsReported) {
  TestServer server;
  TestTable& table = server.add_table("t");
  server.append(table, {json(R"({"a":1})"), json(R"({"a":2})")}, Compression::none, 1);
  const char garbage = '\x7f';
  ASSERT_EQ(pwrite(table.file.number(), &garbage, 1, 8), 1);  // the first batch's length
  EXPECT_TRUE(server.ask("SELECT count(*) FROM t").failed);
}

TEST(Worker, ExplainsAndDescribes) {
  TestServer server;
  server.append(server.add_table("t"), {json(R"({"a":1,"s":{"x":1}})")});
  EXPECT_EQ(server.ask("DESCRIBE t").rows, R"([["a","bigint",null],["s","struct<x:bigint>",null]])");
  const TestAnswer plan = server.ask("EXPLAIN SELECT a FROM t");
  ASSERT_FALSE(plan.failed) << plan.failed->message;
  EXPECT_EQ(plan.columns.at(0).name, "plan");
  EXPECT_NE(plan.rows.find("TRIPOS_SCAN"), std::string::npos) << plan.rows;
  EXPECT_EQ(plan.rows.find(R"(\n)"), std::string::npos) << "a row is a line";
  const TestAnswer analyzed = server.ask("EXPLAIN ANALYZE SELECT sum(s.x) FROM t");
  ASSERT_FALSE(analyzed.failed) << analyzed.failed->message;
  EXPECT_NE(analyzed.rows.find("Total Time"), std::string::npos) << analyzed.rows;
}

}  // namespace
}  // namespace tripos::worker
