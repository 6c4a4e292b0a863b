// Column: where the shredder puts the values of one field. Its layout is that of the engine's vectors (DuckDB's C API), so that
// values go straight into them; but it knows no engine: pointers come from whoever owns the vectors, the ColumnHost.
//
//   kind           data points at, per row
//   boolean        bool
//   long_integer   std::int64_t
//   decimal        Int128 (two's complement; a DECIMAL of more than 18 digits is stored so)
//   double_float   double
//   string         StringCell (null_so_far too: a column of nulls)
//   structure      nothing; children hold the fields. Without fields: bool, true where the object is there
//   array          ListCell; children[0] holds the elements of all rows, one after the other
//
// validity: one bit per row, 1 = valid, 64 to a word; nullptr: all rows valid. A null structure's descendants are all null.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "json/key_table.h"
#include "json/type.h"

namespace tripos::json {

__extension__ using Int128 = __int128;

// 16 bytes: a length, then up to 12 bytes in place (the rest of them zero), or the first 4 and a pointer.
struct StringCell {
  static constexpr std::uint32_t inlined_max = 12;

  std::uint32_t length;
  union {
    char inlined[inlined_max];
    struct {
      char prefix[4];
      char pointer[sizeof(const char*)];  // unaligned view of the pointer at byte 8; use view()
    } outside;
  };

  [[nodiscard]] std::string_view view() const noexcept {
    if (length <= inlined_max) return {inlined, length};
    const char* at;
    std::memcpy(&at, outside.pointer, sizeof at);
    return {at, length};
  }
};
static_assert(sizeof(StringCell) == 16 && offsetof(StringCell, inlined) == 4 && offsetof(StringCell, outside.pointer) == 8);

struct ListCell {
  std::uint64_t offset;  // of the first element in children[0]
  std::uint64_t length;
};
static_assert(sizeof(ListCell) == 16 && offsetof(ListCell, length) == 8);

struct Column {
  TypeKind kind = TypeKind::string;
  std::uint8_t precision = 0;  // of a decimal

  // Set by the owner of the vectors: after Shredder::start_chunk(), and in grow() for the element and its descendants.
  void* data = nullptr;
  std::uint64_t* validity = nullptr;
  void* handle = nullptr;  // the owner's own (its vector)

  // Of an array: elements that are in use, and for which there is room.
  std::uint64_t size = 0;
  std::uint64_t capacity = 0;
  std::uint64_t expected = 0;  // elements of the fullest chunk so far: what to reserve at first

  std::vector<Column> children;  // the fields in the order of the type, or the element
  KeyTable keys;                 // of a structure: which key is which child

  Column() = default;
  explicit Column(const Type& type);

  [[nodiscard]] bool is_valid(std::uint64_t row) const noexcept {
    return validity == nullptr || (validity[row >> 6] >> (row & 63) & 1) != 0;
  }
  template <typename Cell>
  [[nodiscard]] Cell& cell(std::uint64_t row) const noexcept {
    return static_cast<Cell*>(data)[row];
  }

  // All rows of [begin, end) valid again, of a structure's descendants too (not of a list's elements).
  void set_valid(std::uint64_t begin, std::uint64_t end) noexcept;
  // Drops the list's elements from `new_size` on, and theirs. Their rows are valid again.
  void truncate(std::uint64_t new_size) noexcept;
  // Takes back the value that was written to `row`, the last of this column.
  void take_back(std::uint64_t row) noexcept;
};

// The owner of the vectors behind the columns.
class ColumnHost {
 public:
  virtual ~ColumnHost() = default;
  // Makes room for at least `capacity` elements in list.children[0], keeping the list.size that are there; sets list.capacity and
  // data and validity of the element and of all its descendants (new rows valid). False: out of memory; the shredder then fails
  // the row as too_large.
  [[nodiscard]] virtual bool grow(Column& list, std::uint64_t capacity) = 0;
  // The first null of a column: sets its validity to a bitmap with all rows valid.
  virtual void make_validity(Column& column) = 0;
};

}  // namespace tripos::json
