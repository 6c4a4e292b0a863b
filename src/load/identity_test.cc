#include "load/identity.h"

#include <gtest/gtest.h>

#include <set>

namespace tripos::load {
namespace {

std::string minified(std::string_view text) {
  Buffer to;
  return std::string(without_white_space(text, to));
}

TEST(Identity, WhiteSpaceOutsideOfStringsDoesNotCount) {
  struct Case {
    const char *text, *minified;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"", ""},
           {" \t\r\n", ""},
           {"{\"a\":1}", "{\"a\":1}"},
           {" { \"a\" : [ 1 , 2 ] }\r\n", "{\"a\":[1,2]}"},
           {"{\"a b\": \" x \\\" y \"}", "{\"a b\":\" x \\\" y \"}"},
           {"\"\\\\\" 1", "\"\\\\\"1"},
           {"tr  ue", "tr ue"},
           {"hello world", "hello world"},
           {"1 2", "1 2"},
           {"{\"a\": \"not closed  ", "{\"a\":\"not closed  "},
           {"\"ends in a backslash \\", "\"ends in a backslash \\"},
       }) {
    EXPECT_EQ(minified(c.text), c.minified) << c.text;
    EXPECT_EQ(minified(minified(c.text)), c.minified) << c.text;
  }
}

TEST(Identity, ContentIsBytesNotMeaning) {
  Identity content;
  const auto same = [&](std::string_view a, std::string_view b) { return content.hash(a, 7) == content.hash(b, 7); };
  EXPECT_TRUE(same("{\"a\":1}", "{ \"a\": 1 }\n"));
  EXPECT_FALSE(same("{\"a\":1.0}", "{\"a\":1.00}"));
  EXPECT_FALSE(same("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"));
  EXPECT_FALSE(same("{\"a\":\"x y\"}", "{\"a\":\"xy\"}"));
  EXPECT_FALSE(same("\"\\u00e9\"", "\"\xc3\xa9\""));
  EXPECT_FALSE(same("tr ue", "true"));
  EXPECT_FALSE(content.hash("{}", 7) == content.hash("{}", 8));
}

TEST(Identity, FindsTheMemberOfTheTopLevel) {
  struct Case {
    const char* text;
    std::optional<std::string> found;
  };
  for (const Case& c : std::initializer_list<Case>{
           {R"({"id":"x"})", R"("x")"},
           {R"({"a":{"id":1},"b":["id",{"id":2}],"id":[3,{"id":4}]})", R"([3,{"id":4}])"},
           {R"({"id":1,"id":2})", "2"},
           {R"({"i\u0064":5})", "5"},
           {R"({"a":"}","id":"a\"b,}"})", R"("a\"b,}")"},
           {R"({"a":{"id":1}})", std::nullopt},
           {R"(["id",1])", std::nullopt},
           {"{}", std::nullopt},
           {"", std::nullopt},
           {R"({"id")", std::nullopt},
           {R"({"id":)", ""},
       }) {
    Buffer scratch;
    const auto found = find_member(c.text, "id", scratch);
    EXPECT_EQ(found ? std::optional(std::string(*found)) : std::nullopt, c.found) << c.text;
  }
}

TEST(Identity, IdsAreComparedByValue) {
  Identity id("id");
  const auto same = [&](std::string_view a, std::string_view b) { return id.hash(a, 7) == id.hash(b, 7); };
  EXPECT_TRUE(same(R"({"id":"x","a":1})", R"({"a": 2, "id": "\u0078"})"));
  EXPECT_FALSE(same(R"({"id":"1"})", R"({"id":1})"));
  // Without an id the content counts; null is none.
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":2})"));
  EXPECT_FALSE(same(R"({"id":null,"a":1})", R"({"id":null,"a":2})"));
  EXPECT_TRUE(same(R"({"id":null,"a":1})", R"({"id": null, "a": 1})"));
  // No content is taken for an id, whatever its bytes.
  EXPECT_FALSE(same(R"({"id":"x"})", "x"));
  EXPECT_FALSE(same(R"({"id":17})", "17"));
}

TEST(Identity, EachHasADirectoryOfItsOwn) {
  std::set<std::string> names{Identity().directory_name(), Identity("a").directory_name(), Identity("b").directory_name(),
                              Identity("content").directory_name(), Identity("../x").directory_name()};
  EXPECT_EQ(names.size(), 5U);
  for (const std::string& name : names) EXPECT_EQ(name.find('/'), std::string::npos);
  EXPECT_EQ(Identity("a\"\n").text(), R"(id "a\"\n")");
}

}  // namespace
}  // namespace tripos::load
