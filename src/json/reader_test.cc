#include "json/reader.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <memory>

#include "json/test_support.h"

namespace tripos::json {
namespace {

using test::Random;

// The value in memory of exactly its size, so that the address sanitizer sees a byte read too far.
Verdict check(std::string_view text) {
  const auto exact = std::make_unique<char[]>(text.size());
  std::copy(text.begin(), text.end(), exact.get());
  Reader reader;
  return reader.check(Bytes(exact.get(), text.size()));
}

TEST(Reader, Rows) {
  for (const char* text :
       {"{}", " { } ", R"({"a":1})", R"({"a":-0.0e+10,"b":[],"c":[1,[2,{}]],"d":null,"e":true,"f":false,"g":"x"})",
        "\t{\r\n\"a\"\n:\t[ 1 , 2 ] } \n", R"({"a":"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"})", R"({"a":"\ud800"})", R"({"a":1,"a":2})",
        R"({"":0})", R"({"a":1e999999})", R"({"a":123456789012345678901234567890123456789012345678901234567890})", "{\"a\":\"\x7f\"}"}) {
    EXPECT_TRUE(check(text).is_row()) << text << ": " << check(text).text();
  }
}

// Every beginning of a value is judged alike, whether it ends in memory or the rest of the value follows.
TEST(Reader, WhatIsBehindAValueDoesNotCount) {
  const std::string_view whole = R"({"a":{"b":[{},[],{"c":[true,false,null,-1.5e3,"x\u0041"]}],"d":{}},"e":[[]],"f":{"g":{}}})";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Reader reader;
    const Verdict inside = reader.check(whole.substr(0, size));
    const Verdict alone = check(whole.substr(0, size));
    EXPECT_EQ(inside.is_row(), size == whole.size()) << whole.substr(0, size);
    EXPECT_EQ(inside.text(), alone.text()) << whole.substr(0, size);
  }
}

TEST(Reader, RejectsWithReasonAndByte) {
  struct Case {
    std::string_view text;
    Reason reason;
    std::size_t byte;
  };
  using enum Reason;
  for (const Case& c : std::initializer_list<Case>{
           {"", empty, 0},
           {" \n ", empty, 0},
           {"\xEF\xBB\xBF{}", byte_order_mark, 0},
           {"{\"a\":\"\xff\"}", not_utf8, 6},
           {"{\"a\":\"\xed\xa0\x80\"}", not_utf8, 6},
           {"{\"a\":\"\xc0\x80\"}", not_utf8, 6},
           {"{\"a\":\"\n\"}", control_character, 6},
           {std::string_view("{\"a\":\"\0\"}", 9), control_character, 6},
           {R"({"a":"x)", unclosed_string, 5},
           {R"({"a":"\x"})", bad_escape, 6},
           {R"({"a":"\u12g4"})", bad_escape, 6},
           {R"({"a\q":1})", bad_escape, 3},
           {R"({"a":"\u12"})", bad_escape, 6},
           {R"({"a":01})", bad_number, 5},
           {R"({"a":-})", bad_number, 5},
           {R"({"a":1.})", bad_number, 5},
           {R"({"a":1e})", bad_number, 5},
           {R"({"a":1x})", bad_number, 5},
           {"{\"a\":1\x0c}", bad_number, 5},
           {R"({"a":+1})", unexpected_character, 5},
           {R"({"a":.5})", unexpected_character, 5},
           {R"({"a":NaN})", unexpected_character, 5},
           {R"({"a":nul})", bad_literal, 5},
           {R"({"a":nulll})", bad_literal, 5},
           {R"({"a":truE})", bad_literal, 5},
           {R"({"a":1,})", unexpected_character, 7},
           {R"({"a":[1,]})", unexpected_character, 8},
           {R"({"a":[,1]})", unexpected_character, 6},
           {R"({"a" 1})", unexpected_character, 5},
           {R"({"a"})", unexpected_character, 4},
           {R"({a:1})", unexpected_character, 1},
           {R"({'a':1})", unexpected_character, 1},
           {R"({"a":1 "b":2})", unexpected_character, 7},
           {R"({"a":"x" "y"})", unexpected_character, 9},
           {R"({"a":"x"y})", unexpected_character, 8},
           {R"({"a":1 2})", unexpected_character, 7},
           {R"({"a":[1}})", unexpected_character, 7},
           {R"({"a":{"b":1])", unexpected_character, 11},
           {R"({"a":1)", ends_early, 6},
           {R"({"a":{"b":1})", ends_early, 12},
           {R"({"a":)", ends_early, 5},
           {R"({)", ends_early, 1},
           {R"({"a")", ends_early, 4},
           {R"({"a":1} x)", trailing_bytes, 8},
           {R"({"a":1}{"b":2})", trailing_bytes, 7},
           {R"({}})", trailing_bytes, 2},
           {"{}\n{}", trailing_bytes, 3},
           {"[1,2]", top_level_array, 0},
           {" []", top_level_array, 1},
           {"\"x\"", top_level_scalar, 0},
           {"1", top_level_scalar, 0},
           {" -12.5e3 ", top_level_scalar, 1},
           {"null", top_level_scalar, 0},
           {"true", top_level_scalar, 0},
           {"nul", bad_literal, 0},
           {"1 2", trailing_bytes, 2},
           {"x", unexpected_character, 0},
           {"]", unexpected_character, 0},
           {"[1", ends_early, 2},
           {"\"\\x\"", bad_escape, 1},
       }) {
    const Verdict verdict = check(c.text);
    EXPECT_EQ(verdict.outcome, Outcome::rejected) << c.text;
    EXPECT_EQ(to_string(verdict.reason), to_string(c.reason)) << c.text;
    EXPECT_EQ(verdict.byte, c.byte) << c.text;
  }
}

TEST(Reader, NoValueIsATombstone) {
  Reader reader;
  EXPECT_EQ(reader.check(std::optional<Bytes>()).outcome, Outcome::tombstone);
  EXPECT_EQ(reader.check(std::optional<Bytes>("{}")).outcome, Outcome::row);
  EXPECT_EQ(reader.check(std::optional<Bytes>("")).outcome, Outcome::rejected);
}

TEST(Reader, DepthHasALimit) {
  const auto nested = [](int levels) {
    std::string text = "{\"a\":";
    for (int i = 1; i < levels; ++i) text += i % 2 == 0 ? "{\"b\":" : "[";
    text += "1";
    for (int i = levels - 1; i >= 1; --i) text += i % 2 == 0 ? "}" : "]";
    return text + "}";
  };
  EXPECT_TRUE(check(nested(depth_max)).is_row());
  EXPECT_EQ(check(nested(depth_max + 1)).reason, Reason::too_deep);
  EXPECT_EQ(check(std::string(1'000'000, '[')).reason, Reason::too_deep);
  EXPECT_EQ(check("{\"a\":" + std::string(1'000'000, '[') + "}").reason, Reason::too_deep);
}

TEST(Reader, GivesMemoryBackAfterALargeValue) {
  Reader reader;
  EXPECT_TRUE(reader.check("{\"a\":\"" + std::string(20 << 20, 'x') + "\"}").is_row());
  EXPECT_TRUE(reader.check("{}").is_row());
  EXPECT_TRUE(reader.check("{\"a\":\"" + std::string(20 << 20, 'x') + "\"}").is_row());
}

// Two implementations of one grammar: accept the same. simdjson's DOM refuses numbers beyond doubles and lone surrogates; its depth limit
// is its own.
TEST(Reader, AgreesWithSimdjsonsDom) {
  const bool agreed = rc::check("reader = DOM", [](std::uint64_t seed) {
    Random random(seed);
    simdjson::dom::parser parser;
    for (int i = 0; i < 50; ++i) {
      std::string text = test::random_document(random, {.lone_surrogates = i % 2 == 0});
      if (i % 5 != 0) text = test::mutate(random, std::move(text));
      simdjson::dom::element element;
      const simdjson::error_code error = parser.parse(text).get(element);
      const Verdict ours = check(text);
      const bool valid = ours.is_row() || ours.reason == Reason::top_level_array || ours.reason == Reason::top_level_scalar;
      if (error == simdjson::NUMBER_ERROR && valid) continue;
      const bool surrogates = text.find("\\ud") != std::string::npos || text.find("\\uD") != std::string::npos;
      if (error == simdjson::STRING_ERROR && valid && surrogates) continue;
      if (error == simdjson::SUCCESS) {
        if (!valid) RC_LOG() << text << "\n" << ours.text();
        RC_ASSERT(valid);
        RC_ASSERT(element.is_object() == ours.is_row());
      } else {
        if (valid) RC_LOG() << text << "\n" << simdjson::error_message(error);
        RC_ASSERT(!valid);
      }
    }
  });
  EXPECT_TRUE(agreed);
}

}  // namespace
}  // namespace tripos::json
