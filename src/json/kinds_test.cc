#include "json/kinds.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace tripos::json {
namespace {

using Told = std::vector<std::string>;

Told told(FieldKinds& kinds, Bytes value) {
  Told all;
  kinds.read(value, [&](std::string_view text) { all.emplace_back(text); });
  return all;
}

TEST(FieldKinds, TellsEachKindOfEachPathOnce) {
  FieldKinds kinds;
  EXPECT_EQ(told(kinds, R"({"a":1,"b":{"c":"x","d":null},"e":[1,2.5,1e3,true,[],[{"c":false}],{"c":-0}],"b":{"c":"y"}})"),
            (Told{"integer a", "object b", "string b.c", "null b.d", "array e", "integer e[]", "number e[]", "boolean e[]", "array e[]",
                  "object e[][]", "boolean e[][].c", "object e[]", "integer e[].c"}));
  EXPECT_EQ(told(kinds, R"({"a":"1"})"), Told{"string a"});
  EXPECT_EQ(told(kinds, R"({"a":2})"), Told{"integer a"});
  EXPECT_EQ(told(kinds, "{}"), Told{});
  EXPECT_EQ(told(kinds, R"( { "" : { "" : 1 } , "a.b" : [ ] , "\u0061" : null } )"), (Told{"object ", "integer .", "array a.b", "null a"}));
}

TEST(FieldKinds, SaysNothingOfWhatIsNoRow) {
  FieldKinds kinds;
  for (const char* value :
       {"", "[1]", "1", "{\"a\":1", "{\"a\":01}", "{\"a\":tru}", "{\"a\":\"\\x\"}", "{\"a\":1}}", "{\"a\" 1}", "{\"a\":1,}"}) {
    EXPECT_EQ(told(kinds, value), Told{}) << value;
    EXPECT_FALSE(kinds.read(value, [](std::string_view) {}).is_row()) << value;
  }
}

TEST(FieldKinds, LongPathsAndManyOfThemAreNotTold) {
  FieldKinds kinds;
  std::string deep;
  for (int level = 0; level < 900; ++level) deep += R"({"key":)";
  deep.append("1").append(900, '}');
  const Told paths = told(kinds, deep);
  EXPECT_EQ(paths.size(), (FieldKinds::path_size_max + 1) / 4);
  EXPECT_EQ(told(kinds, "{\"" + std::string(5000, 'k') + "\":1,\"a\":1}"), Told{"integer a"});

  std::string wide = "{\"k0\":0";
  for (std::size_t i = 1; i < FieldKinds::paths_max + 500; ++i) wide += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_LE(told(kinds, wide + "}").size(), FieldKinds::paths_max);
  EXPECT_EQ(told(kinds, R"({"new":1,"a":true})"), Told{"boolean a"});
}

}  // namespace
}  // namespace tripos::json
