// src/json over any bytes: everything that reads a value judges it alike; what is canonical stays as it is; a schema made of values fits
// them; types read back. First byte: which; then the bytes (of a stream: split into values by newlines).
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "base/check.h"
#include "json/canonical.h"
#include "json/infer.h"
#include "json/kinds.h"
#include "json/reader.h"
#include "json/shred.h"
#include "json/split.h"
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

}  // namespace
}  // namespace tripos::json

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const tripos::Bytes bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0: tripos::json::fuzz_values(bytes); break;
    case 1: tripos::json::fuzz_canonical(bytes); break;
    case 2: tripos::json::fuzz_split(bytes); break;
    default: tripos::json::fuzz_type(bytes);
  }
  return 0;
}
