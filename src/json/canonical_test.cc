#include "json/canonical.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

#include "json/infer.h"
#include "json/shred.h"
#include "json/test_support.h"

namespace tripos::json {
namespace {

using test::Random;

std::string canonical(std::string_view text) {
  Buffer to;
  EXPECT_TRUE(append_canonical(text, to).is_row()) << text;
  return to;
}

TEST(Canonical, SortsKeysDropsNullsKeepsTheLastDuplicate) {
  EXPECT_EQ(canonical(R"( {"b" : 1, "a": [ null , {"d":null,"c":true} ], "b":2, "e":null} )"), R"({"a":[null,{"c":true}],"b":2})");
  EXPECT_EQ(canonical(R"({"a":1,"a":null})"), "{}");
  EXPECT_EQ(canonical(R"({"\u0062":1,"a":2,"b":3})"), R"({"a":2,"b":3})");
  EXPECT_EQ(canonical(R"({"a":{},"b":[],"c":""})"), R"({"a":{},"b":[],"c":""})");
}

TEST(Canonical, Numbers) {
  struct Case {
    const char *text, *shown;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"1.10", "1.1"},
           {"1e2", "100"},
           {"-0", "0"},
           {"-0.0", "0"},
           {"9007199254740992", "9007199254740992"},
           {"9007199254740993", "9007199254740992"},
           {"12345678901234567890", "12345678901234567000"},
           {"1e22", "1e+22"},
           {"0.1", "0.1"},
           {"1e400", "1e999"},
           {"-1e400", "-1e999"},
           {"1e-400", "0"},
           {"0e99999999999999999999", "0"},
           {"0.0000001", "1e-07"},
       }) {
    const std::string shown = canonical(std::string("{\"a\":") + c.text + "}");
    EXPECT_EQ(shown.substr(0, 5), "{\"a\":");
    if (std::string_view(c.text) != "12345678901234567890") {
      EXPECT_EQ(shown, std::string("{\"a\":") + c.shown + "}");
    } else {
      EXPECT_EQ(std::stod(shown.substr(5)), 12345678901234567890.0);
    }
  }
}

TEST(Canonical, Strings) {
  EXPECT_EQ(canonical(R"({"a":"\u0041\/\u00e9\u0001\u001F\n\"\\"})"), "{\"a\":\"A/\xC3\xA9\\u0001\\u001f\\n\\\"\\\\\"}");
}

TEST(Canonical, RejectsWhatIsNoRow) {
  Buffer to = "before";
  EXPECT_EQ(append_canonical(R"({"a":1,"b":[)", to).outcome, Outcome::rejected);
  EXPECT_EQ(append_canonical("[1]", to).reason, Reason::top_level_array);
  EXPECT_EQ(to, "before");
}

TEST(Canonical, DeepValuesTakeLinearTime) {
  std::string text = "{\"a\":";
  for (int i = 0; i < 900; ++i) text += "{\"z\":0,\"a\":";
  text += "\"" + std::string(100'000, 'x') + "\"" + std::string(900, '}') + "}";
  EXPECT_EQ(canonical(text).size(), text.size());
}

TEST(Canonical, AgreesWithTheNaiveModelAndReadsBack) {
  EXPECT_TRUE(rc::check("canonical = model", [](std::uint64_t seed) {
    Random random(seed);
    simdjson::dom::parser parser;
    for (int i = 0; i < 20; ++i) {
      const std::string text = test::random_document(random);
      const std::string shown = canonical(text);
      RC_ASSERT(shown == test::naive_canonical(parser.parse(text)));
      RC_ASSERT(canonical(shown) == shown);
    }
  }));
}

// Rule 4.2: the text does not depend on whether the value went through typed columns, of whatever type covers it.
TEST(Canonical, OfTypedColumnsIsTheSame) {
  EXPECT_TRUE(rc::check("typed = raw", [](std::uint64_t seed) {
    Random random(seed);
    for (int i = 0; i < 8; ++i) {
      const std::string text = test::random_document(random);
      Inference own;
      own.add(text);
      test::PlainHost host;
      Shredder shredder(own.type(), host);
      shredder.start_chunk();
      for (Column& column : shredder.root().children) host.bind(column, 1);
      RC_ASSERT(shredder.shred(text, 0).is_row());
      Buffer typed;
      append_canonical(shredder.root(), 0, typed);
      // Where unlike elements of one array have joined to string, the column has only texts.
      simdjson::dom::parser parser;
      if (test::shown_as_string(parser.parse(text), own.type())) continue;
      if (typed != canonical(text)) RC_LOG() << text << "\n" << typed << "\n" << canonical(text);
      RC_ASSERT(typed == canonical(text));
    }
  }));
}

}  // namespace
}  // namespace tripos::json
