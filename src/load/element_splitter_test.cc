#include "load/element_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tripos::load {
namespace {

struct Split {
  std::vector<std::string> elements;
  std::string error;
};

Split split(Bytes input, Framing framing = Framing::detect, std::size_t slice_size = 1 << 20, std::size_t element_size_max = 1000) {
  Split result;
  ElementSplitter splitter(framing, element_size_max);
  const ElementSplitter::Sink sink = [&](Bytes element) -> Result<> {
    result.elements.emplace_back(element);
    return {};
  };
  for (Bytes rest = input; !rest.empty();) {
    const Bytes slice = rest.substr(0, slice_size);
    rest.remove_prefix(slice.size());
    if (const auto fed = splitter.feed(slice, sink); !fed) {
      result.error = fed.error().message;
      return result;
    }
  }
  if (const auto finished = splitter.finish(sink); !finished) result.error = finished.error().message;
  return result;
}

using Elements = std::vector<std::string>;

TEST(ElementSplitter, CutsAndMinifies) {
  struct Case {
    const char* input;
    Elements elements;
  };
  const Case cases[] = {
      {"", {}},
      {" \n ", {}},
      {"[]", {}},
      {"[ ]\n", {}},
      {R"([{"a": 1}, {"b":  [1, 2 ,3]}])", {R"({"a":1})", R"({"b":[1,2,3]})"}},
      {"[1, true,null ,\"x y\",[ ] ]", {"1", "true", "null", "\"x y\"", "[]"}},
      {"{\"a\": 1}\n{\"a\": 2}\n", {R"({"a":1})", R"({"a":2})"}},
      {"{\"a\": 1}{\"a\": 2}", {R"({"a":1})", R"({"a":2})"}},
      {"{\n  \"a\": 1\n}\n\n{ }", {R"({"a":1})", "{}"}},
      {"17 \"x\" true", {"17", "\"x\"", "true"}},
      {R"({"a": "say \"hi\" \\", "b" : "[{,"})", {R"({"a":"say \"hi\" \\","b":"[{,"})"}},
      {R"([{"n": 1.10e+05, "u": "\u00e9é"}])", {R"({"n":1.10e+05,"u":"\u00e9é"})"}},  // numbers and escapes stay as they are
      {"[[1], [2]]", {"[1]", "[2]"}},
  };
  for (const Case& c : cases) {
    for (const std::size_t slice_size : {1, 2, 3, 7, 1000}) {
      const Split result = split(c.input, Framing::detect, slice_size);
      EXPECT_EQ(result.elements, c.elements) << c.input << " in slices of " << slice_size;
      EXPECT_EQ(result.error, "") << c.input << " in slices of " << slice_size;
    }
  }
}

TEST(ElementSplitter, RefusesBrokenStructure) {
  for (const char* input : {"[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[1] 2", "{\"a\":1", "{\"a", "[{]}", "}", "]", "1,2", "[1}", "{\"a\":1}}",
                            "{\"a\": 1 2}", "[{\"a\": tr ue}]", "[\"a\" \"b\"]", "[{} {}]"}) {
    for (const std::size_t slice_size : {1, 1000}) EXPECT_NE(split(input, Framing::detect, slice_size).error, "") << input;
  }
}

TEST(ElementSplitter, FramingCanBeStated) {
  EXPECT_EQ(split("[1, 2]\n[3]", Framing::lines).elements, (Elements{"[1,2]", "[3]"}));
  EXPECT_NE(split("{}", Framing::array).error, "");
}

TEST(ElementSplitter, SizeIsBounded) {
  const std::string long_string = "[\"" + std::string(2000, 'x') + "\"]";
  EXPECT_NE(split(long_string).error.find("more than 1000 bytes"), std::string::npos);
  EXPECT_EQ(split(long_string, Framing::detect, 10, 3000).elements.size(), 1U);
}

TEST(ElementSplitter, SaysWhere) {
  EXPECT_EQ(split("[{}, {}, }").error, "element 3, byte 10: '}' outside of an element");
}

TEST(ElementSplitter, AFailingSinkEndsTheFeeding) {
  ElementSplitter splitter(Framing::detect, 100);
  int calls = 0;
  const auto fed = splitter.feed("[1,2,3]", [&](Bytes) -> Result<> { return ++calls == 2 ? fail(ErrorCode::io, "full") : Result<>(); });
  EXPECT_FALSE(fed.has_value());
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace tripos::load
