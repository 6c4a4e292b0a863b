// Type: what is known of a JSON value's type after some values were seen, and the SQL type of a column.
//
//   void < boolean | bigint < decimal(19…38) < double | string | struct<…> | array<…>
//
// "void" is null-so-far: only nulls were seen. Unlike kinds join to string. Structs join field by field, arrays element by
// element. Joining is commutative, associative and idempotent, so that the order of the values does not matter.
// The kinds and the joins are those of Spark's JSON reader (spark.read.json); the names in text form are Spark's DDL.
//
// Invariants: a struct's fields are sorted by name in byte order, each name once; a decimal has scale 0 and precision 1 to 38.
// A value type: copies are deep.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tripos::json {

enum class TypeKind : std::uint8_t {
  null_so_far,  // DDL: void
  boolean,
  long_integer,  // DDL: bigint; printSchema: long
  decimal,       // integers beyond 64 bits, of up to 38 digits
  double_float,  // DDL: double
  string,
  structure,
  array,
};

inline constexpr int decimal_precision_max = 38;
// Every bigint is a decimal of this precision (Spark's DecimalType.forType(LongType)).
inline constexpr int decimal_precision_of_long = 20;
// Levels of nesting that a type may have; as of a JSON value (reader.h).
inline constexpr int type_depth_max = 1000;

struct Field;

class Type {
 public:
  Type() noexcept;  // null so far
  Type(const Type&);
  Type(Type&&) noexcept;
  Type& operator=(const Type&);
  Type& operator=(Type&&) noexcept;
  ~Type();

  [[nodiscard]] static Type null_so_far() noexcept;
  [[nodiscard]] static Type boolean() noexcept;
  [[nodiscard]] static Type long_integer() noexcept;
  [[nodiscard]] static Type decimal(int precision);
  [[nodiscard]] static Type double_float() noexcept;
  [[nodiscard]] static Type string() noexcept;
  // Sorts the fields; of fields with the same name the last stays (as of duplicate keys).
  [[nodiscard]] static Type structure(std::vector<Field> fields);
  [[nodiscard]] static Type array(Type element);

  [[nodiscard]] TypeKind kind() const noexcept { return kind_; }
  [[nodiscard]] int precision() const noexcept { return precision_; }      // of a decimal
  [[nodiscard]] std::span<const Field> fields() const noexcept;            // of a structure
  [[nodiscard]] const Field* field(std::string_view name) const noexcept;  // of a structure; nullptr: none
  [[nodiscard]] const Type& element() const noexcept;                      // of an array

  friend bool operator==(const Type& a, const Type& b) noexcept;

  // Spark's DDL: "struct<a:bigint,`b c`:array<string>>", "void".
  [[nodiscard]] std::string text() const;
  // Reads text(); spaces and letters' case in type names are free, "long" means bigint. malformed says where.
  [[nodiscard]] static Result<Type> parse(std::string_view text);

  // What Spark's printSchema prints for this structure: "root\n |-- a: long (nullable = true)\n…".
  [[nodiscard]] std::string tree() const;

  // The type that a table shows, as Spark decides once all values were seen: null-so-far becomes string; structures without a
  // field are left out (a field, or an array, of them too; a top level that is left empty stays an empty structure), and so are
  // fields with an empty name.
  [[nodiscard]] Type settled() const;

 private:
  explicit Type(TypeKind kind) noexcept;

  TypeKind kind_ = TypeKind::null_so_far;
  std::int8_t precision_ = 0;
  std::vector<Field> children_;  // a structure's fields; an array's element, its name empty
};

struct Field {
  std::string name;
  Type type;

  friend bool operator==(const Field&, const Field&) noexcept = default;
};

[[nodiscard]] Type join(const Type& a, const Type& b);

// Every value of `narrow` is one of `wide`: join(wide, narrow) == wide.
[[nodiscard]] bool covers(const Type& wide, const Type& narrow) noexcept;

// The SQL names of a structure's fields, in the order of fields(). SQL identifiers ignore the case of ASCII letters, JSON keys do
// not: of names that collide the first in byte order keeps its name, the next get _1, _2 … (numbers that collide are passed over).
[[nodiscard]] std::vector<std::string> sql_names(const Type& structure);

}  // namespace tripos::json
