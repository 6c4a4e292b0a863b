// What the tests of this folder share: random JSON documents and types, a host of plain columns, and naive models that say the same as
// the code under test in the slowest, plainest way, on simdjson's DOM.
#pragma once

#include <simdjson.h>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "json/column.h"
#include "json/type.h"

namespace tripos::json::test {

using Random = std::mt19937_64;

inline std::size_t pick(Random& random, std::size_t count) { return static_cast<std::size_t>(random() % count); }

struct DocumentOptions {
  int depth_max = 4;
  int members_max = 5;
  bool duplicates = true;  // some keys twice in an object
  bool spaces = true;
  bool escapes = true;
  bool lone_surrogates = false;  // simdjson's DOM refuses them
};

// A valid document whose top level is an object. Keys come from a small set, so that documents overlap; numbers fit 64 bits or doubles.
[[nodiscard]] std::string random_document(Random& random, const DocumentOptions& options = {});
// The same with a few bytes changed, removed or added: mostly not JSON any more.
[[nodiscard]] std::string mutate(Random& random, std::string document);
[[nodiscard]] Type random_type(Random& random, int depth_max = 3);

// Objects of the DOM as they count: of duplicate keys the last; a NUL in a key as U+FFFD.
[[nodiscard]] std::map<std::string, simdjson::dom::element> members(simdjson::dom::object object);
[[nodiscard]] Type naive_type(simdjson::dom::element value);
[[nodiscard]] std::string naive_canonical(simdjson::dom::element value);
// Some part of the value that isn't a string is shown by `type` as one: its kind can't be told from the column any more.
[[nodiscard]] bool shown_as_string(simdjson::dom::element value, const Type& type);
// What a column of `type` holds of `value`, in the notation of show().
[[nodiscard]] std::string naive_show(simdjson::dom::element value, const Type& type);

// Columns in plain memory. Every reallocation moves them, and what isn't written is garbage, so that stale pointers show.
class PlainHost : public ColumnHost {
 public:
  bool grow(Column& list, std::uint64_t capacity) override;
  void make_validity(Column& column) override;
  // Binds a column and its descendants to fresh memory for `rows` rows.
  void bind(Column& column, std::uint64_t rows);
  void release();

  bool fail_to_grow = false;

 private:
  void resize(Column& column, std::uint64_t old_rows, std::uint64_t rows);

  struct Memory {
    std::vector<std::uint64_t> data;
    std::vector<std::uint64_t> validity;
    std::uint64_t rows = 0;
  };
  std::map<const Column*, Memory> memory_;
};

// A row of a column as text that tells types and nulls apart: 5L, 1.5F, 12D, true, "x", null, [..], {name:..}. A null structure or list
// whose descendants aren't null shows as "BROKEN".
[[nodiscard]] std::string show(const Column& column, std::uint64_t row);

}  // namespace tripos::json::test
