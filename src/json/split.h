// Splitter: a stream of JSON → its elements, one by one, minified: what `load` makes messages of.
//
// The stream, in chunks of any size, holds values one after the other: NDJSON, one big array, documents with or without white space
// between them, any mixture. A top-level array is a container: its elements count, not it (as Spark reads it). A byte order mark at
// the very start is passed over.
//
// An element comes out valid (RFC 8259, by Reader; objects or not) and byte for byte as it was, numbers and escapes too, without
// insignificant white space. Memory: one element, at most element_size_max. Errors name the byte in the stream; nothing after the
// first error can be fed.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "json/reader.h"

namespace tripos::json {

class Splitter {
 public:
  struct Options {
    std::size_t element_size_max = std::size_t{64} << 20;  // minified
    bool take_too_deep = false;                            // what only nests deeper than Reader follows comes out, too: see too_deep()
  };
  // Takes an element; its bytes are good for the call. A failure ends the splitting and is handed on.
  using Emit = std::function<Result<>(Bytes element)>;

  explicit Splitter(Options options) : options_(options) {}

  // Emits every element that ends in `chunk`.
  [[nodiscard]] Result<> feed(Bytes chunk, const Emit& emit);
  // The same, but stops behind the array that the bytes are in, or begin; how many were taken. All of them: it goes on.
  [[nodiscard]] Result<std::size_t> feed_through_array(Bytes chunk, const Emit& emit);
  // The stream is over: emits a last scalar; malformed if something is unfinished.
  [[nodiscard]] Result<> finish(const Emit& emit);

  // Drops what is unfinished, errors too, and begins anew at a position of the stream, outside of arrays.
  void restart(std::uint64_t position, std::uint64_t element_count);

  [[nodiscard]] bool in_array() const noexcept { return in_array_; }
  // Outside of arrays and of elements.
  [[nodiscard]] bool at_top() const noexcept { return state_ == State::top; }
  // Of the element that is emitted: it may be broken below Reader's depth_max.
  [[nodiscard]] bool too_deep() const noexcept { return too_deep_; }

  [[nodiscard]] std::uint64_t element_count() const noexcept { return element_count_; }
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }  // bytes fed so far

 private:
  enum class State : std::uint8_t {
    top,            // outside of an array: a value, or '[' of a container
    first_element,  // behind '[': an element or ']'
    element,        // behind ',': an element
    separator,      // behind an element: ',' or ']'
    nested,         // in an element that is an object or array
    nested_string,
    nested_escape,  // behind a backslash in a string
    string,         // an element that is a string
    escape,
    scalar,  // an element that is a number or literal
  };
  // Of an element: from `minified` on, bytes stand `removed` further behind in the stream.
  struct Gap {
    std::size_t minified;
    std::uint64_t removed;
  };

  Result<std::size_t> run(Bytes chunk, const Emit& emit, bool through_array);
  Result<const char*> outside(const char* at, const char* end);
  Result<const char*> in_nested(const char* at, const char* end, const Emit& emit);
  Result<const char*> in_string(const char* at, const char* end, const Emit& emit);
  Result<const char*> in_scalar(const char* at, const char* end, const Emit& emit);
  Result<> append(const char* begin, const char* end);
  Result<> complete(const Emit& emit);
  [[nodiscard]] std::uint64_t position_of(const char* at) const noexcept { return position_ + static_cast<std::uint64_t>(at - chunk_); }
  [[nodiscard]] tl::unexpected<Error> unexpected(const char* at, std::string_view wanted) const;

  Options options_;
  Reader reader_;
  State state_ = State::top;
  bool in_array_ = false;
  bool too_deep_ = false;
  bool space_ = false;     // white space since the last byte of a nested element
  std::size_t depth_ = 0;  // brackets that are open in the element
  Buffer element_;
  std::vector<Gap> gaps_;
  std::uint64_t removed_ = 0;        // bytes of white space in the element so far
  std::uint64_t element_start_ = 0;  // its position
  std::uint64_t array_start_ = 0;
  std::uint64_t element_count_ = 0;
  std::uint64_t position_ = 0;  // of the chunk
  const char* chunk_ = nullptr;
  std::size_t mark_bytes_ = 0;  // of a byte order mark, seen so far
};

}  // namespace tripos::json
