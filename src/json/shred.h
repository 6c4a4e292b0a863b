// Shredder: JSON values → columns, driven by a type, in one strict pass over each value.
//
//   MyHost host(...);                                 // binds columns to vectors
//   Shredder shredder(type, host);                    // type: the wanted columns only; other fields are checked and skipped
//   shredder.start_chunk();  host.bind(shredder.root());
//   if (shredder.shred(value, row).is_row()) ++row;   // a rejected value leaves nothing behind: the row number is free again
//
// Strings without escapes point into the value's bytes, which must outlive the chunk; the others live in the shredder until the next
// start_chunk(). All of the value is validated, wanted or not, so that row or rejected never depends on the columns asked for.
//
// A string cell inside of a structure or an array shows a value that isn't a string by its text; of what kind it was can't be told any
// more, so such a column doesn't say how the value would show in a wider type. keep_lost() makes the shredder hand out these values as
// they came: lost().
//
// Values against columns: string ← anything (not a string: canonical JSON, canonical.h); double ← any number, -0.0 as 0.0; decimal ←
// integers that fit. What does not fit its column (the type does not cover the value) is null, and counted in mismatches(). Of duplicate
// keys the last counts.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "json/arena.h"
#include "json/canonical.h"
#include "json/column.h"
#include "json/reader.h"
#include "json/type.h"
#include "json/verdict.h"

namespace tripos::json {

class Shredder {
 public:
  // `type`: a structure. As it is or settled; null-so-far makes a string column, a structure without fields a boolean (column.h).
  Shredder(const Type& type, ColumnHost& host);
  Shredder(const Shredder&) = delete;
  Shredder& operator=(const Shredder&) = delete;

  // The columns: root().children, in the order of the type's fields.
  [[nodiscard]] Column& root() noexcept { return root_; }

  // Every array column among them, outer before inner: after the chunk their vectors take Column::size.
  [[nodiscard]] std::span<Column* const> lists() noexcept { return lists_; }

  // Begins anew: lists are empty, strings of the last chunk are gone. The host then binds the columns to fresh vectors.
  void start_chunk() noexcept;

  // Writes a value's fields to `row` of each column, whose validity bits must be set (fresh or cleared by a rejection).
  [[nodiscard]] Verdict shred(Bytes value, std::uint64_t row);

  void keep_lost() noexcept { keeps_lost_ = true; }
  // Of the value that was shredded last, a row: an object with those of its fields of which a column can't tell the kind of everything.
  // Empty: there is none. Lives until the next start_chunk().
  [[nodiscard]] Bytes lost() const noexcept { return lost_; }

  // Values of rows so far that did not fit their column.
  [[nodiscard]] std::uint64_t mismatches() const noexcept { return mismatches_; }

 private:
  class Descent;
  void collect_lists(Column& column);
  void collect_lost(Cursor cursor);
  void roll_back(std::uint64_t row) noexcept;

  ColumnHost& host_;
  Column root_;
  std::vector<Column*> lists_;
  std::vector<std::uint64_t> list_sizes_;  // theirs, when the row began
  Reader reader_;
  Arena arena_;  // unescaped strings and canonical texts of the chunk
  CanonicalText canonical_;
  std::vector<std::uint64_t> seen_;  // bit sets of structures with more than 64 fields, used as a stack
  Buffer scratch_;
  bool keeps_lost_ = false;
  std::vector<std::uint32_t> lost_at_;  // in the value: where what isn't a string went into a string inside of a column
  Bytes lost_;
  std::uint64_t mismatches_ = 0;
};

}  // namespace tripos::json
