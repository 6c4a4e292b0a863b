// Inference: the type of a stream of values, as spark.read.json infers it, incrementally.
//
// A value is first checked against what is known already, without changing it: in a steady stream that is all. Only a value that
// does not fit (or is not valid) is read a second time, its type built and joined. So a rejected value leaves no trace, and of
// duplicate keys only the last counts.
//
// What is remembered is bounded (docs/format/json_types.md, "Bounds"): a structure that would need a field beyond the limits becomes a
// string, by its canonical text; at the top level such a field is no column. So the type follows from the values alone as long as the
// limit of fields is not reached; from then on also from their order.
//
// Threads: one at a time; several Inferences over parts of a stream are merged at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "json/reader.h"
#include "json/type.h"
#include "json/verdict.h"

namespace tripos::json {

struct TypeLimits {
  std::size_t fields_max = 5000;      // of a type, at every depth together
  int levels_max = 100;               // of structures and arrays below a row; a Parquet column can't have many more
  int arrays_max = 10;                // of arrays in arrays: each doubles what DuckDB takes to read its Parquet
  std::size_t name_bytes_max = 1024;  // of a field
};

class Inference {
 public:
  explicit Inference(TypeLimits limits = {});
  // `known`: null-so-far or a structure; kept even where it is beyond the limits.
  explicit Inference(const Type& known, TypeLimits limits = {});
  ~Inference();
  Inference(Inference&&) noexcept;
  Inference& operator=(Inference&&) noexcept;

  // Takes notice of one record's value. Only a row changes the type.
  Verdict add(std::optional<Bytes> value);

  // Joins what another inference, or a stored schema, knows; the limits don't apply to it.
  void merge(const Type& other);

  // For values to come; what is known stays.
  void set_limits(TypeLimits limits) noexcept { limits_ = limits; }

  // Null-so-far before the first row; then a structure. As inferred: settled() makes the columns of it.
  // Made anew when it is asked for after a change; good until then.
  [[nodiscard]] const Type& type() const;

  // Grows with each change of type().
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

 private:
  struct Place;
  struct Node;
  struct Growth;
  enum class Fit : std::uint8_t;
  class Descent;

  TypeLimits limits_;
  std::size_t field_count_ = 0;  // of root_, at every depth
  Reader reader_;
  std::unique_ptr<Node> root_;
  Buffer scratch_;  // of an unescaped key
  std::uint64_t version_ = 0;
  mutable Type type_;  // of type_version_
  mutable std::uint64_t type_version_ = 0;
};

}  // namespace tripos::json
