// Inference: the type of a stream of values, as spark.read.json infers it, incrementally.
//
// A value is first checked against what is known already, without changing it: in a steady stream that is all. Only a value that
// does not fit (or is not valid) is read a second time, its type built and joined. So a rejected value leaves no trace, and of
// duplicate keys only the last counts.
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

class Inference {
 public:
  Inference();
  explicit Inference(const Type& known);  // null-so-far or a structure
  ~Inference();
  Inference(Inference&&) noexcept;
  Inference& operator=(Inference&&) noexcept;

  // Takes notice of one record's value. Only a row changes the type.
  Verdict add(std::optional<Bytes> value);

  // Joins what another inference, or a stored schema, knows.
  void merge(const Type& other);

  // Null-so-far before the first row; then a structure. As inferred: settled() makes the columns of it.
  // Made anew when it is asked for after a change; good until then.
  [[nodiscard]] const Type& type() const;

  // Grows with each change of type().
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

 private:
  struct Node;
  enum class Fit : std::uint8_t;
  class Descent;

  Reader reader_;
  std::unique_ptr<Node> root_;
  Buffer scratch_;  // of an unescaped key
  std::uint64_t version_ = 0;
  mutable Type type_;  // of type_version_
  mutable std::uint64_t type_version_ = 0;
};

}  // namespace tripos::json
