// How fast src/json reads: MB of JSON a second on one core, of values of the exam attempts' shape (generated, or a real file's).
//
//   json_bench [FILE]    FILE: a JSON array or NDJSON; values are minified as `load` does
#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "json/canonical.h"
#include "json/infer.h"
#include "json/reader.h"
#include "json/shred.h"
#include "json/split.h"

namespace tripos::json {
namespace {

// Vectors of the engine's kind: 2,048 rows, lists that grow by doubling.
class BenchHost : public ColumnHost {
 public:
  static constexpr std::uint64_t rows = 2048;

  void bind(Column& column, std::uint64_t count) {
    if (column.handle == nullptr) column.handle = memory_.emplace_back(std::make_unique<Memory>()).get();
    auto* memory = static_cast<Memory*>(column.handle);
    if (column.kind != TypeKind::structure) memory->data.resize(std::max<std::size_t>(memory->data.size(), count * 2));
    memory->rows = count;
    column.data = memory->data.data();
    column.validity = nullptr;
    if (column.kind == TypeKind::structure) {
      for (Column& child : column.children) bind(child, count);
    }
  }
  bool grow(Column& list, std::uint64_t capacity) override {
    rebind(list.children.front(), capacity);
    list.capacity = capacity;
    return true;
  }
  void make_validity(Column& column) override {
    auto* memory = static_cast<Memory*>(column.handle);
    memory->validity.assign(memory->rows / 64 + 1, ~std::uint64_t{0});
    column.validity = memory->validity.data();
  }
  void fresh(Column& root) {
    for (Column& child : root.children) bind_all(child, rows);
  }

 private:
  struct Memory {
    std::vector<std::uint64_t> data;
    std::vector<std::uint64_t> validity;
    std::uint64_t rows = 0;
  };
  void bind_all(Column& column, std::uint64_t count) {
    bind(column, count);
    for (Column& child : column.children) bind_all(child, column.kind == TypeKind::array ? 0 : count);
  }
  void rebind(Column& column, std::uint64_t count) {
    auto* memory = static_cast<Memory*>(column.handle);
    if (column.kind != TypeKind::structure) memory->data.resize(std::max<std::size_t>(memory->data.size(), count * 2));
    memory->rows = count;
    column.data = memory->data.data();
    if (column.validity != nullptr) {
      memory->validity.resize(count / 64 + 1, ~std::uint64_t{0});
      column.validity = memory->validity.data();
    }
    if (column.kind == TypeKind::structure) {
      for (Column& child : column.children) rebind(child, count);
    }
  }
  std::vector<std::unique_ptr<Memory>> memory_;
};

std::string hex(std::mt19937_64& random, int digits) {
  std::string text;
  for (int i = 0; i < digits; ++i) text += "0123456789abcdef"[random() % 16];
  return text;
}
std::string id(std::mt19937_64& random) {
  return hex(random, 8) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" + hex(random, 12);
}

std::string generated(std::mt19937_64& random) {
  std::string text = fmt::format(R"({{"keen_timestamp":"1600000000.{}","max_attempts":"1.0","started_at":"2020-09-13T12:26:40.000Z",)"
                                 R"("base_exam_id":"{}","user_exam_id":"{}","sequences":{{"questions":[)",
                                 random() % 1000000, id(random), id(random));
  const std::size_t questions = 3 + random() % 5;
  for (std::size_t q = 0; q < questions; ++q) {
    text += q > 0 ? "," : "";
    text += fmt::format(R"({{"user_incomplete":{},"user_correct":false,"options":[)", random() % 2 == 0);
    for (std::size_t o = 0; o < 4; ++o) {
      text += o > 0 ? "," : "";
      switch (random() % 3) {
        case 0:
          text += fmt::format(R"({{"checked":true,"at":"2020-09-13T12:26:45.000Z","id":"{}","submitted":1,"correct":true}})", id(random));
          break;
        case 1: text += fmt::format(R"({{"checked":false,"correct":true,"id":"{}"}})", id(random)); break;
        default: text += fmt::format(R"({{"checked":false,"id":"{}"}})", id(random));
      }
    }
    text += fmt::format(R"(],"user_submitted":true,"id":"{}","user_result":"missed_some"}})", id(random));
  }
  return text +
         fmt::format(R"(],"attempt":1,"id":"{}","counts":{{"incomplete":1,"submitted":4,"incorrect":1,"all_correct":false,"correct":2,)"
                     R"("total":4,"unanswered":0}}}},"keen_created_at":"1600000000.123456","certification":"false",)"
                     R"("keen_id":"{}","exam_name":"An Exam with a Rather Long Name"}})",
                     id(random), hex(random, 24));
}

struct Values {
  std::string bytes;
  std::vector<Bytes> values;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// The best of several passes, by the thread's CPU time: other work on the machine counts less.
void measure(const char* name, const Values& values, const std::function<void(const Values&)>& pass) {
  double best = 0;
  const double start = cpu_seconds();
  int passes = 0;
  do {
    const double before = cpu_seconds();
    pass(values);
    best = std::max(best, static_cast<double>(values.bytes.size()) / (cpu_seconds() - before) / 1e6);
    ++passes;
  } while (cpu_seconds() - start < 1 || passes < 3);
  fmt::print("{:<44}{:>8.0f} MB/s\n", name, best);
}

void shred_all(const Values& values, const Type& type) {
  BenchHost host;
  Shredder shredder(type, host);
  std::uint64_t row = BenchHost::rows;
  for (const Bytes value : values.values) {
    if (row == BenchHost::rows) {
      shredder.start_chunk();
      host.fresh(shredder.root());
      row = 0;
    }
    if (shredder.shred(value, row).is_row()) ++row;
  }
  if (shredder.mismatches() > 0) fmt::print("{} mismatches\n", shredder.mismatches());
}

int run(int argc, char** argv) {
  std::vector<std::string> elements;
  std::string file_bytes;
  if (argc > 1) {
    std::ifstream file(argv[1], std::ios::binary);
    file_bytes.assign(std::istreambuf_iterator<char>(file), {});
    Splitter splitter({});
    const auto keep = [&](Bytes element) -> Result<> {
      elements.emplace_back(element);
      return {};
    };
    if (!splitter.feed(file_bytes, keep) || !splitter.finish(keep)) {
      fmt::print(stderr, "{}: not readable as JSON\n", argv[1]);
      return 1;
    }
  } else {
    std::mt19937_64 random(1);
    for (int i = 0; i < 3280; ++i) elements.push_back(generated(random));
    for (const std::string& element : elements) file_bytes += element + "\n";
  }
  Values values;
  std::size_t size = 0;
  for (const std::string& element : elements) size += element.size() + 16;
  values.bytes.reserve(size);
  for (const std::string& element : elements) {
    const std::size_t begin = values.bytes.size();
    values.bytes += element;
    values.values.emplace_back(values.bytes.data() + begin, element.size());
  }
  fmt::print("{} values, {} bytes on average\n", values.values.size(),
             values.bytes.size() / std::max<std::size_t>(1, values.values.size()));

  Inference inference;
  for (const Bytes value : values.values) inference.add(value);
  const Type type = inference.type().settled();
  // What a proficiency query asks for.
  const Type narrow = Type::parse("struct<exam_name:string,sequences:struct<counts:struct<all_correct:boolean>>>").value();

  measure("checksum (crc32c)", values, [](const Values& all) {
    constexpr std::size_t batch_bytes = std::size_t{1} << 20;
    for (std::size_t at = 0; at < all.bytes.size(); at += batch_bytes) {
      if (crc32c(Bytes(all.bytes).substr(at, batch_bytes)) == 0) fmt::print("a checksum of 0\n");
    }
  });
  measure("simdjson, first stage only", values, [](const Values& all) {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage1;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(1 << 20, 1, stage1) != simdjson::SUCCESS) return;
    for (const Bytes v : all.values) {
      if (stage1->stage1(reinterpret_cast<const std::uint8_t*>(v.data()), v.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS)
        return;
    }
  });
  measure("simdjson, DOM", values, [](const Values& all) {
    simdjson::dom::parser parser;
    for (const Bytes v : all.values) {
      if (parser.parse(v.data(), v.size(), true).error() != simdjson::SUCCESS) return;
    }
  });
  measure("validate (Reader)", values, [](const Values& all) {
    Reader reader;
    for (const Bytes v : all.values) {
      if (!reader.check(v).is_row()) fmt::print("rejected\n");
    }
  });
  measure("infer (Inference)", values, [](const Values& all) {
    Inference one;
    for (const Bytes v : all.values) one.add(v);
  });
  measure("shred, two leaves (Shredder)", values, [&](const Values& all) { shred_all(all, narrow); });
  measure("shred, all columns (Shredder)", values, [&](const Values& all) { shred_all(all, type); });
  measure("canonical text", values, [](const Values& all) {
    Buffer text;
    for (const Bytes v : all.values) {
      text.clear();
      append_canonical(v, text);
    }
  });
  Values whole;
  whole.bytes = file_bytes;
  measure("split and minify (Splitter)", whole, [](const Values& all) {
    Splitter splitter({});
    std::size_t total = 0;
    const auto count = [&](Bytes element) -> Result<> {
      total += element.size();
      return {};
    };
    for (std::size_t at = 0; at < all.bytes.size(); at += 1 << 16) {
      if (!splitter.feed(Bytes(all.bytes).substr(at, 1 << 16), count)) return;
    }
    if (!splitter.finish(count)) return;
  });
  return 0;
}

}  // namespace
}  // namespace tripos::json

int main(int argc, char** argv) { return tripos::json::run(argc, argv); }
