#include "json/split.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "json/canonical.h"
#include "json/test_support.h"

namespace tripos::json {
namespace {

using test::Random;

struct Split {
  std::vector<std::string> elements;
  std::string error;
};

// Feeds `text` in chunks of `chunk_size`, each in memory of its own.
Split split(std::string_view text, std::size_t chunk_size = 1 << 20, std::size_t element_size_max = 1 << 20) {
  Split result;
  Splitter splitter({.element_size_max = element_size_max});
  const auto keep = [&](Bytes element) -> Result<> {
    result.elements.emplace_back(element);
    return {};
  };
  for (std::size_t at = 0; at < text.size(); at += chunk_size) {
    const std::string chunk(text.substr(at, chunk_size));
    if (auto fed = splitter.feed(chunk, keep); !fed) {
      result.error = fed.error().message;
      return result;
    }
  }
  if (auto finished = splitter.finish(keep); !finished) result.error = finished.error().message;
  EXPECT_EQ(splitter.element_count(), result.elements.size());
  return result;
}

using Elements = std::vector<std::string>;

TEST(Splitter, TakesArraysLinesAndDocuments) {
  const Elements expected{R"({"a":1.10})", R"({"b":[1,2]})"};
  for (const char* text : {"[{\"a\" : 1.10}, {\"b\":[1, 2]}]", "{\"a\":1.10}\n{\"b\":[1,2]}\n", "{\"a\":1.10}{\"b\":[1,2]}",
                           " [ {\"a\":1.10} ] \r\n[{\"b\":[1,2]\n}]\n", "\xEF\xBB\xBF{\"a\":1.10} {\"b\":[ 1 ,2]}"}) {
    for (std::size_t chunk = 1; chunk < 50; ++chunk) {
      const Split got = split(text, chunk);
      EXPECT_EQ(got.elements, expected) << text;
      EXPECT_EQ(got.error, "") << text;
    }
  }
}

TEST(Splitter, TakesEveryKindOfElement) {
  for (std::size_t chunk = 1; chunk < 9; ++chunk) {
    EXPECT_EQ(split(R"([1, "a b", null ,true,[ [ ] ],{},-0.50e+1,"\"\\ \u0041"])", chunk).elements,
              (Elements{"1", "\"a b\"", "null", "true", "[[]]", "{}", "-0.50e+1", R"("\"\\ \u0041")"}));
    EXPECT_EQ(split("1 2\n3", chunk).elements, (Elements{"1", "2", "3"}));
  }
  EXPECT_EQ(split("").elements, Elements{});
  EXPECT_EQ(split("[]").elements, Elements{});
  EXPECT_EQ(split(" \n").error, "");
}

TEST(Splitter, KeepsEveryByteButWhiteSpace) {
  const std::string element = R"({"a":1.10,"b":"x  y\n\u00e9é","c":12345678901234567890123,"a":[1E5,-0]})";
  EXPECT_EQ(split("[ " + element + " ]").elements, Elements{element});
}

TEST(Splitter, ErrorsNameTheByteInTheStream) {
  struct Case {
    const char *text, *part;
    std::size_t elements;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"[{\"a\":1},{\"a\": 01}]", "element 2 (starts at byte 9): bad number at byte 15", 1},
           {"{\"a\":1}\n{ \"a\" : [ 1 , tru ] }", "element 2 (starts at byte 8): neither true, false nor null at byte 22", 1},
           {"{\"a\":1 2}", "byte 7: ',', ':' or a bracket expected, not '2'", 0},
           {"{\"a\":tr ue}", "byte 8", 0},
           {"[1 2]", "byte 3: ',' or ']' of the array expected, not '2'", 1},
           {"[1,]", "byte 3: a JSON value expected, not ']'", 1},
           {"[,1]", "byte 1: a JSON value expected, not ','", 0},
           {"{},{}", "byte 2: a JSON value expected, not ','", 1},
           {"]", "byte 0: a JSON value expected", 0},
           {"[1", "ends at byte 2 in element 1, which starts at byte 1", 0},
           {"[1 ", "ends at byte 3 in the array that starts at byte 0", 1},
           {"[{\"a\":1}", "ends at byte 8 in the array", 1},
           {"[{\"a\":", "ends at byte 6 in element 1, which starts at byte 1", 0},
           {"\"abc", "ends at byte 4 in element 1", 0},
           {"{\"a\":[}]", "unexpected character at byte 6", 0},
           {"nul", "neither true, false nor null at byte 0", 0},
           {"{\"a\":\"\x01\"}", "control character in a string at byte 6", 0},
           {"\xEF\xBB{}", "byte 2", 0},
           {"{}\xEF\xBB\xBF{}", "byte order mark at byte 2", 1},
       }) {
    for (const std::size_t chunk : std::initializer_list<std::size_t>{1, 2, 3, 1000}) {
      const Split got = split(c.text, chunk);
      EXPECT_NE(got.error.find(c.part), std::string::npos) << c.text << "\n" << got.error;
      EXPECT_EQ(got.elements.size(), c.elements) << c.text;
    }
  }
}

TEST(Splitter, BoundsAnElement) {
  for (const std::size_t chunk : std::initializer_list<std::size_t>{1, 7, 1000}) {
    EXPECT_EQ(split("{\"a\":   123}", chunk, 9).elements.size(), 1U);
    EXPECT_NE(split("{\"a\":1234}", chunk, 9).error.find("more than 9 bytes"), std::string::npos);
    EXPECT_NE(split("\"12345678901", chunk, 9).error.find("more than 9 bytes"), std::string::npos);
    EXPECT_NE(split("12345678901", chunk, 9).error.find("more than 9 bytes"), std::string::npos);
  }
}

TEST(Splitter, HandsTheTakersFailureOn) {
  Splitter splitter({});
  const auto fed = splitter.feed("{}", [](Bytes) -> Result<> { return fail(ErrorCode::no_space, "full"); });
  ASSERT_FALSE(fed.has_value());
  EXPECT_EQ(fed.error().code, ErrorCode::no_space);
}

// However the documents are framed and cut: they come out, the same values, without white space outside of strings.
TEST(Splitter, AnyFramingAnyChunks) {
  EXPECT_TRUE(rc::check("split", [](std::uint64_t seed) {
    Random random(seed);
    std::vector<std::string> documents;
    for (std::size_t count = test::pick(random, 6); count > 0; --count) documents.push_back(test::random_document(random));
    const bool array = test::pick(random, 2) == 0;
    std::string text = array ? "[" : "";
    for (std::size_t i = 0; i < documents.size(); ++i) text += (i == 0 ? "" : array ? "," : "\n") + documents[i];
    if (array) text += "]";
    const Split got = split(text, 1 + test::pick(random, 40));
    RC_ASSERT(got.error == "");
    RC_ASSERT(got.elements.size() == documents.size());
    simdjson::dom::parser parser;
    for (std::size_t i = 0; i < documents.size(); ++i) {
      std::string minified(documents[i].size(), '\0');
      std::size_t size = 0;
      RC_ASSERT(simdjson::minify(documents[i].data(), documents[i].size(), minified.data(), size) == simdjson::SUCCESS);
      minified.resize(size);
      RC_ASSERT(got.elements[i] == minified);
    }
  }));
}

}  // namespace
}  // namespace tripos::json
