#include "load/element_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tripos::load {
namespace {

struct Read {
  std::vector<std::string> elements;
  std::vector<std::string> rejected;
  std::string error;
};

Read read(std::string_view text, std::size_t chunk_size = 1 << 20, std::size_t element_size_max = 1 << 20) {
  Read result;
  ElementReader reader(element_size_max, {.element = [&](Bytes element) -> Result<> {
                                            result.elements.emplace_back(element);
                                            return {};
                                          },
                                          .rejected = [&](Bytes line, const Error&) -> Result<> {
                                            result.rejected.emplace_back(line);
                                            return {};
                                          }});
  for (std::size_t at = 0; at < text.size(); at += chunk_size) {
    const std::string chunk(text.substr(at, chunk_size));
    if (auto fed = reader.feed(chunk); !fed) {
      result.error = fed.error().message;
      return result;
    }
  }
  if (auto finished = reader.finish(); !finished) result.error = finished.error().message;
  return result;
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> elements;
  std::vector<std::string> rejected;
  std::string error;  // a part of it; empty: none
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    for (const std::size_t chunk : std::initializer_list<std::size_t>{4, 5, 7, 64, 1 << 20}) {
      const Read got = read(c.text, chunk);
      EXPECT_EQ(got.elements, c.elements) << c.name << ", chunks of " << chunk;
      EXPECT_EQ(got.rejected, c.rejected) << c.name << ", chunks of " << chunk;
      if (c.error.empty())
        EXPECT_EQ(got.error, "") << c.name << ", chunks of " << chunk;
      else
        EXPECT_NE(got.error.find(c.error), std::string::npos) << c.name << ": " << got.error;
    }
  }
}

TEST(ElementReader, TakesWhatFilesHold) {
  check({
      {"nothing", "", {}, {}, ""},
      {"blank lines", "\n \r\n\t\n", {}, {}, ""},
      {"an array", "[{\"a\": 1}, {\"b\":[2 ]}]\n", {"{\"a\":1}", "{\"b\":[2]}"}, {}, ""},
      {"an array over lines", "[\n  {\n    \"a\": 1\n  },\n  2\n]", {"{\"a\":1}", "2"}, {}, ""},
      {"an empty array", "[ ]", {}, {}, ""},
      {"lines", "{\"a\":1}\n{\"a\":2}\n", {"{\"a\":1}", "{\"a\":2}"}, {}, ""},
      {"no newline at the end", "{\"a\":1}\n{\"a\":2}", {"{\"a\":1}", "{\"a\":2}"}, {}, ""},
      {"CRLF", "{\"a\":1}\r\n{\"a\": 2}\r\n", {"{\"a\":1}", "{\"a\":2}"}, {}, ""},
      {"scalars", "1\n\"x\"\nnull", {"1", "\"x\"", "null"}, {}, ""},
      {"concatenated", "{\"a\":1}{\"a\":2} {\"a\":3}", {"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"}, {}, ""},
      {"documents", "{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n", {"{\"a\":1}", "{\"a\":2}"}, {}, ""},
      {"documents, the second begins where the first ends", "{\n \"a\": 1\n} {\n \"a\": 2\n}", {"{\"a\":1}", "{\"a\":2}"}, {}, ""},
      {"an array behind lines",
       "{\"a\":1}\n[{\"a\":2},\n{\"a\":3}]\n{\"a\":4}",
       {"{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"},
       {},
       ""},
      {"arrays, one behind the other", "[1] [2]\n[3]", {"1", "2", "3"}, {}, ""},
      {"a byte order mark", "\xEF\xBB\xBF{\"a\":1}\n", {"{\"a\":1}"}, {}, ""},
      {"a byte order mark before an array", "\xEF\xBB\xBF[1]", {"1"}, {}, ""},
  });
}

TEST(ElementReader, LinesThatAreNoJsonAreKeptAndTheRestGoesOn) {
  check({
      {"text", "{\"a\":1}\nhello world\r\n{\"a\":2}\n", {"{\"a\":1}", "{\"a\":2}"}, {"hello world"}, ""},
      {"text first", "hello\n{\"a\":2}\n", {"{\"a\":2}"}, {"hello"}, ""},
      {"a line counts whole or not at all", "{\"a\":1} {\"a\":2} x\n{\"a\":3}", {"{\"a\":3}"}, {"{\"a\":1} {\"a\":2} x"}, ""},
      {"a comma behind each", "{\"a\":1},\n{\"a\":2},\n", {}, {"{\"a\":1},", "{\"a\":2},"}, ""},
      {"cut short", "{\"a\":1}\n{\"a\": [1\n{\"a\":3}\n", {"{\"a\":1}", "{\"a\":3}"}, {"{\"a\": [1"}, ""},
      {"cut short in a string", "{\"a\":1}\n{\"a\": \"x\n{\"a\":\"y\"}\n", {"{\"a\":1}", "{\"a\":\"y\"}"}, {"{\"a\": \"x"}, ""},
      {"the first is cut short", "{\"a\": [1\n{\"a\":2}\n{\"a\":3}\n", {"{\"a\":2}", "{\"a\":3}"}, {"{\"a\": [1"}, ""},
      {"the first is cut short, then nothing else fits", "{\"a\": {\n{\"a\":2}\n", {"{\"a\":2}"}, {"{\"a\": {"}, ""},
      {"the last is cut short", "{\"a\":1}\n{\"a\":", {"{\"a\":1}"}, {"{\"a\":"}, ""},
      {"only a part of one", "{\"a\":", {}, {"{\"a\":"}, ""},
      {"bytes that are no UTF-8", "{\"a\":\"\xff\"}\n{}\n", {"{}"}, {"{\"a\":\"\xff\"}"}, ""},
      {"a NUL", std::string("{\"a\":\"\0\"}\n{}\n\0\n", 15), {"{}"}, {std::string("{\"a\":\"\0\"}", 9), std::string("\0", 1)}, ""},
      {"a bad number", "{\"a\":01}\n{}", {"{}"}, {"{\"a\":01}"}, ""},
      {"a bracket too many", "{}}\n]\n{}", {"{}"}, {"{}}", "]"}, ""},
  });
}

TEST(ElementReader, ABrokenArrayOrDocumentEndsTheReading) {
  check({
      {"cut short", "[{\"a\":1},{\"a\":", {"{\"a\":1}"}, {}, "ends at byte 14 in element 2, which starts at byte 9"},
      {"not closed", "[1,2", {"1"}, {}, "ends at byte 4"},
      {"a comma behind the last", "[{\"a\":1},]\n{}", {"{\"a\":1}"}, {}, "byte 9: a JSON value expected, not ']'"},
      {"a broken element", "[1,tru,3]\n{}", {"1"}, {}, "byte 3"},
      {"no comma", "{}\n[1 2]", {"{}", "1"}, {}, "byte 6"},
      {"NUL", std::string("[1,\0]", 5), {"1"}, {}, "byte 3"},
      {"a document", "{\n\"a\":1\n}\n{\n\"a\":01\n}\n", {"{\"a\":1}"}, {}, "byte 16"},
      {"a document cut short", "{\n\"a\":\n", {}, {}, "ends at byte 7"},
      {"a broken line between documents", "{\n\"a\":1\n}\nhello\n{}", {"{\"a\":1}"}, {}, "byte 10"},
      {"UTF-16 with a mark", std::string("\xFF\xFE{\0}\0", 6), {}, {}, "UTF-16"},
      {"UTF-16 without one", std::string("\0{\0}", 4), {}, {}, "UTF-16"},
      {"UTF-16, little-endian", std::string("[\0]\0", 4), {}, {}, "iconv"},
  });
}

std::string nested(int depth) {
  return "{\"a\":" + std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']') + "}";
}

TEST(ElementReader, WhatNestsTooDeepIsKeptAsRejected) {
  const std::string deep = nested(10'000);
  check({
      {"100 levels", nested(100) + "\n", {nested(100)}, {}, ""},
      {"in a line", "{}\n" + deep + "\n{}", {"{}", "{}"}, {deep}, ""},
      {"in an array", "[1," + deep + ",3]", {"1", "3"}, {deep}, ""},
  });
}

TEST(ElementReader, BoundsAnElement) {
  const std::string large = "{\"a\":\"" + std::string(2000, 'x') + "\"}";
  for (const std::size_t chunk : std::initializer_list<std::size_t>{100, 1 << 20}) {
    for (const std::string& text : {"[{},\n" + large + "]", "{}\n" + large + "\n", "{\n}\n{\n\"b\":" + large + "}"}) {
      const Read got = read(text, chunk, 1000);
      EXPECT_EQ(got.elements, (std::vector<std::string>{"{}"})) << text.substr(0, 20);
      EXPECT_NE(got.error.find("element 2 (starts at byte"), std::string::npos) << got.error;
      EXPECT_NE(got.error.find("more than 1000 bytes"), std::string::npos) << got.error;
    }
    EXPECT_NE(read("hello " + large, chunk, 1000).error.find("more than 1000 bytes"), std::string::npos);
  }
}

// Longer than a line that is gathered: its elements come as they are found, and a fault ends the reading.
TEST(ElementReader, LongLines) {
  std::string text;
  std::vector<std::string> elements;
  for (int i = 0; text.size() < 3 * ElementReader::line_bytes_max; ++i) {
    elements.push_back("{\"number\":" + std::to_string(i) + "}");
    text += elements.back();
  }
  for (const std::size_t chunk : std::initializer_list<std::size_t>{1000, 100'000}) {
    EXPECT_EQ(read(text + "\n", chunk).elements, elements);
    EXPECT_EQ(read(text, chunk).elements, elements);
    const Read followed = read(text + "\nx\n{}\n", chunk);
    EXPECT_EQ(followed.elements.size(), elements.size() + 1);
    EXPECT_EQ(followed.rejected, std::vector<std::string>{"x"});
    const Read broken = read(text + "x\n{}\n", chunk);
    EXPECT_EQ(broken.elements, elements);
    EXPECT_NE(broken.error.find("byte " + std::to_string(text.size())), std::string::npos) << broken.error;
  }
  const std::string wide = "{\"a\":\"" + std::string(2 * ElementReader::line_bytes_max, 'x') + "\"}";
  EXPECT_EQ(read("{}\n" + wide + "\n{}", 50'000, 4 << 20).elements, (std::vector<std::string>{"{}", wide, "{}"}));
}

TEST(ElementReader, HandsTheTakersFailureOn) {
  ElementReader reader(1000, {.element = [](Bytes) -> Result<> { return fail(ErrorCode::no_space, "full"); },
                              .rejected = [](Bytes, const Error&) -> Result<> { return {}; }});
  const auto fed = reader.feed("{}\n");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, ErrorCode::no_space);
}

}  // namespace
}  // namespace tripos::load
