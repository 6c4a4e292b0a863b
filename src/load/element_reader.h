// ElementReader: a file's bytes → its elements, each valid JSON without white space, and the lines that are no JSON.
//
//   format     how it begins                                     a fault
//   array      '[' first on a line; its members are the elements  ends the reading, with the byte
//   lines      a line that is one or more whole values (NDJSON)   rejects the line, and reading goes on with the next
//   documents  a value that goes on over several lines            ends the reading, with the byte
//
// Lines and documents exclude each other in a file: its first value decides (a first line that ends within a value is a broken line if the
// next line is whole by itself, else it begins a document). Arrays may come between either. A line counts whole or not at all, unless it is
// longer than line_bytes_max: then its elements are taken as they come, and a fault ends the reading. Elements that nest deeper than
// json::depth_max are kept as rejected: nothing is wrong with the rest. A byte order mark at the start is passed over; UTF-16 is refused.
//
// Memory: an element or a line. Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "json/split.h"

namespace tripos::load {

class ElementReader {
 public:
  static constexpr std::size_t line_bytes_max = std::size_t{1} << 20;

  struct Sink {
    std::function<Result<>(Bytes element)> element;
    // Without the end of the line. `why` names the byte.
    std::function<Result<>(Bytes line, const Error& why)> rejected;
  };

  // `element_size_max`: of an element without white space, and of a rejected line.
  ElementReader(std::size_t element_size_max, Sink sink);

  // After an error nothing more can be fed.
  [[nodiscard]] Result<> feed(Bytes chunk);
  [[nodiscard]] Result<> finish();

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }  // bytes that were fed and judged

 private:
  enum class Format : std::uint8_t { unknown, lines, documents };

  [[nodiscard]] Result<> check_encoding(Bytes& chunk);
  [[nodiscard]] Result<Bytes> in_array(Bytes chunk);
  [[nodiscard]] Result<Bytes> in_long_line(Bytes chunk);
  [[nodiscard]] Result<Bytes> take_line(Bytes chunk);
  [[nodiscard]] Result<> judge_line(Bytes line, bool last);
  [[nodiscard]] Result<> begin_values(Bytes line, bool last);
  [[nodiscard]] Result<> go_on_with_document(Bytes line);
  [[nodiscard]] Result<> reconsider(Error why);
  [[nodiscard]] Result<> reject(Bytes line, Error why);
  [[nodiscard]] Result<> emit(Bytes element);
  [[nodiscard]] Result<> emit_held();
  void hold(Bytes element);
  void drop_held();
  [[nodiscard]] bool is_whole(Bytes line) const;

  std::size_t element_size_max_;
  Sink sink_;
  json::Splitter splitter_;
  json::Splitter::Emit emit_;  // into the sink
  json::Splitter::Emit hold_;  // into held_
  Format format_ = Format::unknown;
  bool begun_ = false;
  bool long_line_ = false;
  std::uint64_t position_ = 0;
  Buffer line_;  // the part of a line that has come so far

  // Elements of a line, or of a document of which it is not yet known whether it is one.
  struct Held {
    std::size_t end;  // in held_bytes_
    bool too_deep;
  };
  Buffer held_bytes_;
  std::vector<Held> held_;
  std::uint64_t count_before_held_ = 0;

  bool maybe_document_ = false;
  Buffer document_;  // its lines
  std::uint64_t document_position_ = 0;
};

}  // namespace tripos::load
