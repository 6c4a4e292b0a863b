#include "json/shred.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "json/infer.h"
#include "json/test_support.h"

namespace tripos::json {
namespace {

using test::PlainHost;
using test::Random;

constexpr std::uint64_t rows_max = 200;

struct Table {
  explicit Table(const Type& type) : shredder(type, host) { start(); }
  explicit Table(std::string_view type) : Table(Type::parse(type).value()) {}

  void start() {
    host.release();
    shredder.start_chunk();
    for (Column& column : shredder.root().children) host.bind(column, rows_max);
    row = 0;
  }
  // Copies the value to memory of exactly its size, which lives as long as the table.
  Verdict add(std::string_view text) {
    values.push_back(std::make_unique<char[]>(text.size()));
    std::copy(text.begin(), text.end(), values.back().get());
    const Verdict verdict = shredder.shred(Bytes(values.back().get(), text.size()), row);
    if (verdict.is_row()) ++row;
    return verdict;
  }
  std::string last() { return test::show(shredder.root(), row - 1); }
  std::string show(std::string_view text) {
    EXPECT_TRUE(add(text).is_row()) << text;
    return last();
  }

  PlainHost host;
  Shredder shredder;
  std::uint64_t row = 0;
  std::vector<std::unique_ptr<char[]>> values;
};

TEST(Shredder, FillsColumnsOfEveryKind) {
  Table table(
      "struct<a:bigint,b:boolean,c:double,d:string,e:decimal(20,0),f:struct<x:bigint,y:struct<>>,g:array<struct<x:bigint>>,h:void>");
  EXPECT_EQ(
      table.show(R"({"a":1,"b":true,"c":1.5,"d":"text","e":12345678901234567890,"f":{"x":-2,"y":{}},"g":[{"x":3},null,{}],"h":null})"),
      R"({a:1L,b:true,c:1.5F,d:"text",e:12345678901234567890D,f:{x:-2L,y:{}},g:[{x:3L},null,{x:null}],h:null})");
  EXPECT_EQ(table.show("{}"), "{a:null,b:null,c:null,d:null,e:null,f:null,g:null,h:null}");
  EXPECT_EQ(table.show(R"({"g":[],"f":{"z":1},"c":2,"e":-7,"a":-9223372036854775808})"),
            "{a:-9223372036854775808L,b:null,c:2F,d:null,e:-7D,f:{x:null,y:null},g:[],h:null}");
  EXPECT_EQ(table.shredder.mismatches(), 0U);
}

TEST(Shredder, ShowsOtherValuesInStringColumnsAsCanonicalText) {
  Table table("struct<a:string>");
  EXPECT_EQ(table.show(R"({"a": {"c" : 1.10, "b":[1, null , "x"],"d":null} })"), R"({a:"{\"b\":[1,null,\"x\"],\"c\":1.1}"})");
  EXPECT_EQ(table.show(R"({"a":1e2})"), R"({a:"100"})");
  EXPECT_EQ(table.show(R"({"a":true})"), R"({a:"true"})");
  EXPECT_EQ(table.show(R"({"a":null})"), R"({a:null})");
}

TEST(Shredder, ReadsEscapesIntoItsOwnMemory) {
  Table table("struct<a:string>");
  EXPECT_EQ(table.show(R"({"a":"\u0041\n\ud83d\ude00 and more than twelve bytes"})"),
            "{a:\"A\\n\xF0\x9F\x98\x80 and more than twelve bytes\"}");
  EXPECT_EQ(table.show(R"({"a":"\ud800"})"), "{a:\"\xEF\xBF\xBD\"}");
  EXPECT_EQ(table.show(R"({"\u0061":"exactly12byt"})"), R"({a:"exactly12byt"})");
  EXPECT_EQ(table.show(R"({"a":"exactly13byte"})"), R"({a:"exactly13byte"})");
  EXPECT_EQ(table.show(R"({"a":""})"), R"({a:""})");
}

TEST(Shredder, OfDuplicateKeysTheLastCounts) {
  Table table("struct<a:bigint,b:array<struct<c:array<bigint>>>>");
  EXPECT_EQ(table.show(R"({"a":1,"a":null})"), "{a:null,b:null}");
  EXPECT_EQ(table.show(R"({"a":null,"a":1})"), "{a:1L,b:null}");
  EXPECT_EQ(table.show(R"({"b":[{"c":[1,2]},null,{"c":null}],"b":[{"c":[3],"c":[4,5]}]})"), "{a:null,b:[{c:[4L,5L]}]}");
  // Nothing of what was overwritten stays in the lists.
  EXPECT_EQ(table.shredder.lists()[0]->size, 1U);
  EXPECT_EQ(table.shredder.lists()[1]->size, 2U);
}

TEST(Shredder, WhatDoesNotFitIsNullAndCounted) {
  Table table("struct<a:bigint,b:array<bigint>,c:struct<x:bigint>,d:boolean,e:decimal(19,0)>");
  EXPECT_EQ(table.show(R"({"a":1.5,"b":{"x":[1]},"c":[1],"d":"true","e":12345678901234567890})"), "{a:null,b:null,c:null,d:null,e:null}");
  EXPECT_EQ(table.shredder.mismatches(), 5U);
  EXPECT_EQ(table.show(R"({"a":9223372036854775808})"), "{a:null,b:null,c:null,d:null,e:null}");
  EXPECT_EQ(table.shredder.mismatches(), 6U);
}

TEST(Shredder, ValidatesWhatNobodyAskedFor) {
  Table table("struct<a:bigint>");
  EXPECT_EQ(table.add(R"({"a":1,"b":[1,{"c":01}]})").reason, Reason::bad_number);
  EXPECT_EQ(table.add(R"({"a":1,"b":"\x"})").reason, Reason::bad_escape);
  Table none("struct<>");
  EXPECT_TRUE(none.add(R"({"a":1})").is_row());
  EXPECT_EQ(none.add(R"({"a":1,})").outcome, Outcome::rejected);
}

TEST(Shredder, ARejectedValueLeavesNothingBehind) {
  Table table("struct<a:bigint,b:array<array<bigint>>,c:struct<d:array<string>>>");
  EXPECT_EQ(table.show(R"({"a":1,"b":[[1,null]],"c":{"d":["x"]}})"), R"({a:1L,b:[[1L,null]],c:{d:["x"]}})");
  EXPECT_EQ(table.add(R"({"b":[[null,2],null,[3,null]],"c":null,"a":nil})").outcome, Outcome::rejected);
  EXPECT_EQ(table.add(R"({"c":{"d":[null,null]},"b":[[null,null],[)").outcome, Outcome::rejected);
  EXPECT_EQ(table.shredder.lists()[0]->size, 1U);
  EXPECT_EQ(table.show(R"({"a":5,"b":[[6,7],[8]],"c":{"d":["y","z"]}})"), R"({a:5L,b:[[6L,7L],[8L]],c:{d:["y","z"]}})");
  EXPECT_EQ(test::show(table.shredder.root(), 0), R"({a:1L,b:[[1L,null]],c:{d:["x"]}})");
}

TEST(Shredder, AHostWithoutMemoryFailsTheRow) {
  Table table("struct<a:array<bigint>>");
  table.host.fail_to_grow = true;
  EXPECT_EQ(table.add(R"({"a":[1]})").reason, Reason::too_large);
  EXPECT_TRUE(table.add(R"({"a":[]})").is_row());
}

TEST(Shredder, HandlesMoreThan64Fields) {
  std::vector<Field> fields;
  std::string all = "{";
  std::string odd = "{";
  for (int i = 0; i < 200; ++i) {
    const std::string name = "f" + std::to_string(1000 + i);
    fields.push_back({name, Type::long_integer()});
    all += (i > 0 ? ",\"" : "\"") + name + "\":" + std::to_string(i);
    if (i % 2 == 1) odd += (odd.size() > 1 ? ",\"" : "\"") + name + "\":" + std::to_string(i);
  }
  const Type wide = Type::structure(fields);
  Table table(Type::structure({{"list", Type::array(wide)}, {"top", wide}}));
  EXPECT_TRUE(table.add("{\"list\":[" + odd + "}," + all + "},{}],\"top\":" + odd + ",\"f1199\":null}}").is_row());
  const Column& top = table.shredder.root().children[1];
  const Column& element = table.shredder.root().children[0].children[0];
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(test::show(top.children[i], 0), i % 2 == 1 && i != 199 ? std::to_string(i) + "L" : "null") << i;
    EXPECT_EQ(test::show(element.children[i], 0), i % 2 == 1 ? std::to_string(i) + "L" : "null") << i;
    EXPECT_EQ(test::show(element.children[i], 1), std::to_string(i) + "L") << i;
    EXPECT_EQ(test::show(element.children[i], 2), "null") << i;
  }
}

TEST(Shredder, ManyUnwantedKeysAreNoHarm) {
  Table table("struct<a:bigint>");
  for (int i = 0; i < 150; ++i) {
    std::string text = "{";
    for (int k = 0; k < 10; ++k) text += "\"key" + std::to_string(i * 10 + k) + "\":{},";
    EXPECT_EQ(table.show(text + "\"a\":" + std::to_string(i) + "}"), "{a:" + std::to_string(i) + "L}");
  }
}

// Any values under any type, in any mixture with values that are rejected, chunk after chunk: as the naive model.
TEST(Shredder, AgreesWithTheNaiveModel) {
  EXPECT_TRUE(rc::check("shredder = model", [](std::uint64_t seed) {
    Random random(seed);
    simdjson::dom::parser parser;
    Reader reader;
    std::vector<std::string> texts;
    Inference inference;
    for (int i = 0; i < 20; ++i) {
      texts.push_back(test::random_document(random));
      if (test::pick(random, 3) == 0) inference.add(texts.back());
    }
    // The inferred type of some of them (others don't fit), or any type.
    Type type = test::pick(random, 2) == 0 ? inference.type() : test::random_type(random);
    if (type.kind() != TypeKind::structure) type = Type::structure({{"a", type}, {"id", Type::string()}});
    if (test::pick(random, 2) == 0) type = type.settled();
    Table table(type);
    for (int chunk = 0; chunk < 3; ++chunk) {
      table.start();
      std::vector<std::string> expected;
      for (const std::string& original : texts) {
        const std::string text = test::pick(random, 3) == 0 ? test::mutate(random, original) : original;
        const Verdict verdict = table.add(text);
        const Verdict judged = reader.check(text);
        RC_ASSERT(verdict.outcome == judged.outcome);
        RC_ASSERT(verdict.reason == judged.reason);
        RC_ASSERT(verdict.byte == judged.byte);
        simdjson::dom::element value;
        if (verdict.is_row()) {
          // A number that only the DOM refuses: no model for that row.
          expected.push_back(parser.parse(text).get(value) == simdjson::SUCCESS ? test::naive_show(value, type) : "");
        }
      }
      for (std::uint64_t row = 0; row < expected.size(); ++row) {
        if (expected[row].empty()) continue;
        const std::string shown = test::show(table.shredder.root(), row);
        if (shown != expected[row]) RC_LOG() << type.text() << "\n" << shown << "\n" << expected[row];
        RC_ASSERT(shown == expected[row]);
      }
    }
  }));
}

// The type that was inferred of values fits all of them.
TEST(Shredder, NothingMismatchesItsInferredType) {
  EXPECT_TRUE(rc::check("inferred types cover", [](std::uint64_t seed) {
    Random random(seed);
    std::vector<std::string> texts;
    Inference inference;
    for (int i = 0; i < 10; ++i) {
      texts.push_back(test::random_document(random));
      inference.add(texts.back());
    }
    for (const Type& type : {inference.type(), inference.type().settled()}) {
      // Duplicate keys: the overwritten value may be of another kind.
      Table table(type);
      for (const std::string& text : texts) RC_ASSERT(table.add(text).is_row());
    }
  }));
}

std::string lost(std::string_view type, std::string_view value) {
  Table table(type);
  table.shredder.keep_lost();
  EXPECT_TRUE(table.add(value).is_row()) << value;
  return std::string(table.shredder.lost());
}

TEST(Lost, IsWhatANestedStringDoesNotTell) {
  EXPECT_EQ(lost("struct<a:array<string>,b:bigint>", R"({"b":1,"a":["1",null]})"), "");
  EXPECT_EQ(lost("struct<a:array<string>,b:bigint>", R"({"b":1,"a":["1", 1.10]})"), R"({"a":["1", 1.10]})");
  EXPECT_EQ(lost("struct<a:string>", R"({"a":1})"), "");  // nothing is wider than a string
  EXPECT_EQ(lost("struct<a:struct<x:string,y:bigint>,b:struct<x:string>,c:array<string>>",
                 R"({"c":[{}],"a":{"y":1,"x":[]},"other":[1,"1"],"b":{"x":"s"}})"),
            R"({"c":[{}],"a":{"y":1,"x":[]}})");
  // Of duplicate keys the last counts, here as there.
  EXPECT_EQ(lost("struct<a:array<string>>", R"({"a":[1],"a":["s"]})"), R"({"a":[1],"a":["s"]})");
  EXPECT_EQ(lost("struct<`k\\`:array<string>>", R"({"k\\":[true ] })"), R"({"k\\":[true ] })");
  Table table("struct<a:array<string>>");
  table.shredder.keep_lost();
  EXPECT_TRUE(table.add(R"({"a":[1]})").is_row());
  EXPECT_TRUE(table.add(R"({"a":["s"]})").is_row());
  EXPECT_EQ(table.shredder.lost(), "");
  EXPECT_FALSE(table.add(R"({"a":[1],})").is_row());
  EXPECT_EQ(table.shredder.lost(), "");
}

// A field is in lost(), or its column's text is the value's: whatever type covers the value.
TEST(Lost, IsEverythingThatColumnsDoNotTell) {
  EXPECT_TRUE(rc::check("typed = raw, or lost", [](std::uint64_t seed) {
    Random random(seed);
    Inference inference;
    std::vector<std::string> documents;
    for (int i = 0; i < 12; ++i) {
      documents.push_back(test::random_document(random));
      inference.add(documents.back());
    }
    Table table(inference.type());
    table.shredder.keep_lost();
    simdjson::dom::parser parser;
    simdjson::dom::parser lost_parser;
    for (const std::string& document : documents) {
      RC_ASSERT(table.add(document).is_row());
      const std::string kept(table.shredder.lost());
      const auto values = test::members(simdjson::dom::object(parser.parse(document)));
      const auto lost_values =
          kept.empty() ? std::map<std::string, simdjson::dom::element>() : test::members(simdjson::dom::object(lost_parser.parse(kept)));
      for (std::size_t i = 0; i < inference.type().fields().size(); ++i) {
        const Field& field = inference.type().fields()[i];
        if (!values.contains(field.name)) continue;
        const std::string expected = test::naive_canonical(values.at(field.name));
        if (lost_values.contains(field.name)) {
          RC_ASSERT(test::naive_canonical(lost_values.at(field.name)) == expected);
        } else if (field.type.kind() != TypeKind::string) {
          Buffer text;
          append_canonical(table.shredder.root().children[i], table.row - 1, text);
          RC_ASSERT(text == expected);
        }
      }
    }
  }));
}

}  // namespace
}  // namespace tripos::json
