// src/json over any bytes: everything that reads a value judges it alike; what is canonical stays as it is; a schema made of values fits
// them; types read back; and everything is as simdjson's DOM has it, value by value. First byte: which; then the bytes (of a stream: split
// into values by newlines).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "base/check.h"
#include "json/canonical.h"
#include "json/infer.h"
#include "json/kinds.h"
#include "json/reader.h"
#include "json/shred.h"
#include "json/split.h"
#include "json/test_support.h"
#include "json/type.h"

namespace tripos::json {
namespace {

bool same(const Verdict& a, const Verdict& b) { return a.outcome == b.outcome && a.reason == b.reason && a.byte == b.byte; }

// Columns in memory of exactly the size that was asked for.
class FuzzHost : public ColumnHost {
 public:
  void bind(Column& column, std::uint64_t rows) {
    Memory& memory = memory_[&column];
    memory.data.resize(rows * 2);
    memory.rows = rows;
    column.data = memory.data.data();
    if (column.validity != nullptr) extend_validity(column, memory);
    if (column.kind == TypeKind::structure) {
      for (Column& child : column.children) bind(child, rows);
    }
  }
  bool grow(Column& list, std::uint64_t /*capacity*/) override {
    list.capacity = list.size + 1;
    bind(list.children.front(), list.capacity);
    return true;
  }
  void make_validity(Column& column) override { extend_validity(column, memory_[&column]); }

 private:
  struct Memory {
    std::vector<std::uint64_t> data;
    std::vector<std::uint64_t> validity;
    std::uint64_t rows = 0;
  };
  static void extend_validity(Column& column, Memory& memory) {
    memory.validity.resize((memory.rows + 63) / 64, ~std::uint64_t{0});
    column.validity = memory.validity.data();
  }
  std::map<const Column*, Memory> memory_;
};

std::vector<Bytes> lines(Bytes bytes) {
  std::vector<Bytes> all;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    all.push_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return all;
}

void fuzz_values(Bytes bytes) {
  const std::vector<Bytes> values = lines(bytes);
  Reader reader;
  Inference inference;
  FieldKinds kinds;
  for (const Bytes value : values) {
    const Verdict verdict = reader.check(value);
    CHECK(same(inference.add(value), verdict));
    CHECK(same(kinds.read(value, [](std::string_view) {}), verdict));
  }
  const auto back = Type::parse(inference.type().text());
  CHECK(back.has_value() && *back == inference.type());
  if (inference.type().kind() != TypeKind::structure) return;
  for (const Type& type : {inference.type(), inference.type().settled(), Type::structure({})}) {
    FuzzHost host;
    Shredder shredder(type, host);
    shredder.start_chunk();
    for (Column& column : shredder.root().children) host.bind(column, values.size());
    std::uint64_t row = 0;
    for (const Bytes value : values) {
      const Verdict verdict = shredder.shred(value, row);
      CHECK(same(verdict, reader.check(value)));
      if (!verdict.is_row()) continue;
      Buffer typed;
      append_canonical(shredder.root(), row, typed);
      CHECK(reader.check(typed).is_row());
      ++row;
    }
  }
}

void fuzz_canonical(Bytes bytes) {
  Buffer once;
  Reader reader;
  CHECK(same(append_canonical(bytes, once), reader.check(bytes)));
  if (once.empty()) return;
  Buffer twice;
  CHECK(append_canonical(once, twice).is_row());
  CHECK(once == twice);
}

// The same elements and the same error whatever the chunks.
void fuzz_split(Bytes bytes) {
  const auto split = [&](std::size_t chunk) {
    std::vector<Buffer> elements;
    Splitter splitter({.element_size_max = 1000});
    const auto keep = [&](Bytes element) -> Result<> {
      elements.emplace_back(element);
      return {};
    };
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      if (auto fed = splitter.feed(bytes.substr(at, chunk), keep); !fed) {
        elements.push_back(fed.error().message);
        return elements;
      }
    }
    if (auto finished = splitter.finish(keep); !finished) elements.push_back(finished.error().message);
    return elements;
  };
  CHECK(split(1) == split(bytes.size() + 1));
}

void fuzz_type(Bytes bytes) {
  const auto type = Type::parse(bytes);
  if (!type) return;
  CHECK(Type::parse(type->text()).value() == *type);
  CHECK(join(*type, *type) == *type);
}

namespace dom = simdjson::dom;

bool is_valid(const Verdict& verdict) {
  return verdict.is_row() || verdict.reason == Reason::top_level_array || verdict.reason == Reason::top_level_scalar;
}

// The DOM refuses some of what is JSON, and takes a byte order mark and a few levels more.
void check_verdict(Bytes bytes, const Verdict& verdict, simdjson::error_code error) {
  const bool valid = is_valid(verdict);
  switch (error) {
    case simdjson::SUCCESS: CHECK(valid || verdict.reason == Reason::too_deep || verdict.reason == Reason::byte_order_mark); return;
    case simdjson::NUMBER_ERROR: return;  // beyond its range: valid here
    case simdjson::STRING_ERROR: CHECK(!valid || bytes.find("\\uD") != Bytes::npos || bytes.find("\\ud") != Bytes::npos); return;
    default: CHECK(!valid);
  }
}

// A row's columns of a type that covers it.
void check_shown(Bytes value, dom::element row, const Type& type) {
  FuzzHost host;
  Shredder shredder(type, host);
  shredder.start_chunk();
  for (Column& column : shredder.root().children) host.bind(column, 1);
  CHECK(shredder.shred(value, 0).is_row());
  CHECK(test::show(shredder.root(), 0) == test::naive_show(row, type));
}

// What a file has of a row: columns of a type as inferred, and what keep_lost() gives beside them.
void check_kept(Bytes value, dom::object row, const Type& type) {
  FuzzHost host;
  Shredder shredder(type, host);
  shredder.keep_lost();
  shredder.start_chunk();
  for (Column& column : shredder.root().children) host.bind(column, 1);
  CHECK(shredder.shred(value, 0).is_row());
  dom::parser parser;
  std::map<std::string, dom::element> lost;
  if (!shredder.lost().empty()) lost = test::members(dom::object(parser.parse(simdjson::padded_string(shredder.lost()))));
  for (const auto& [key, element] : test::members(row)) {
    const Field* const field = type.field(key);
    if (field == nullptr || field->type.kind() == TypeKind::string) continue;
    Buffer text;
    append_canonical(shredder.root().children[static_cast<std::size_t>(field - type.fields().data())], 0, text);
    const bool is_lost = lost.contains(key);
    CHECK((is_lost ? test::naive_canonical(lost.at(key)) : text) == test::naive_canonical(element));
  }
}

// Each line: its verdict, type, canonical text and columns; these also under the wider type of all lines.
void fuzz_dom(Bytes bytes) {
  constexpr TypeLimits limits{.arrays_max = 100, .name_bytes_max = std::numeric_limits<std::size_t>::max()};
  Reader reader;
  Inference all(limits);
  Type naive_all;
  std::vector<std::pair<Bytes, std::unique_ptr<dom::parser>>> rows;
  for (const Bytes value : lines(bytes)) {
    auto parser = std::make_unique<dom::parser>();
    dom::element root;
    const auto error = parser->parse(simdjson::padded_string(value)).get(root);
    const Verdict verdict = reader.check(value);
    check_verdict(value, verdict, error);
    if (error != simdjson::SUCCESS || !verdict.is_row()) continue;
    if (std::count_if(value.begin(), value.end(), [](char c) { return c == '[' || c == '{'; }) > limits.levels_max) continue;
    Inference own(limits);
    CHECK(own.add(value).is_row() && all.add(value).is_row());
    CHECK(own.type() == test::naive_type(root));
    naive_all = join(naive_all, own.type());
    Buffer text;
    CHECK(append_canonical(value, text).is_row() && text == test::naive_canonical(root));
    check_shown(value, root, own.type());
    check_shown(value, root, own.type().settled());
    check_kept(value, dom::object(root), own.type());
    rows.emplace_back(value, std::move(parser));
  }
  CHECK(all.type() == naive_all);
  for (const auto& [value, parser] : rows) {
    const dom::element row = parser->doc.root();
    check_shown(value, row, all.type());
    check_kept(value, dom::object(row), all.type());
  }
}

}  // namespace
}  // namespace tripos::json

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const tripos::Bytes bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: tripos::json::fuzz_values(bytes); break;
    case 1: tripos::json::fuzz_canonical(bytes); break;
    case 2: tripos::json::fuzz_split(bytes); break;
    case 3: tripos::json::fuzz_type(bytes); break;
    default: tripos::json::fuzz_dom(bytes);
  }
  return 0;
}
