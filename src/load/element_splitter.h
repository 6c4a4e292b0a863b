// ElementSplitter: cuts a stream of bytes into the JSON elements that it holds, each minified: white space outside of strings goes,
// every other byte stays (numbers, escapes and the order of keys are not touched).
//
//   array   [ element, element, … ]      one JSON array
//   lines   element element …            NDJSON; any white space separates elements, which may span lines
//   detect  array if the first byte that is not white space is '[', else lines
//
// It follows the structure only (brackets, strings, separators); whether an element is valid JSON the sink decides.
// Takes slices of any size; keeps one element, bounded by `element_size_max`. Threads: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos::load {

enum class Framing { detect, array, lines };

class ElementSplitter {
 public:
  // Takes an element, valid until it returns. Its failure ends the feeding.
  using Sink = std::function<Result<>(Bytes element)>;

  ElementSplitter(Framing framing, std::size_t element_size_max) : framing_(framing), element_size_max_(element_size_max) {}

  [[nodiscard]] Result<> feed(Bytes slice, const Sink& sink);
  // The stream has ended: gives out the last element. malformed if it ends inside of one, or before the array does.
  [[nodiscard]] Result<> finish(const Sink& sink);

  [[nodiscard]] std::uint64_t element_count() const noexcept { return element_count_; }
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }  // bytes taken so far

 private:
  enum class Place { start, before_element, in_element, after_element, after_array };

  [[nodiscard]] Result<> take(char c, const Sink& sink);
  [[nodiscard]] Result<> take_separator(char c, const Sink& sink);
  // Takes bytes of the string that is open, up to and with its closing quote; returns how many.
  [[nodiscard]] Result<std::size_t> take_string(Bytes slice, const Sink& sink);
  [[nodiscard]] Result<> begin_element();
  [[nodiscard]] Result<> end_element(const Sink& sink);
  [[nodiscard]] Result<> append(Bytes bytes);
  template <typename... Args>
  [[nodiscard]] tl::unexpected<Error> malformed(fmt::format_string<Args...> text, Args&&... args) const;

  Framing framing_;
  std::size_t element_size_max_;
  Place place_ = Place::start;
  bool array_is_empty_ = true;
  bool in_string_ = false;
  bool escaped_ = false;  // the string's next byte is escaped
  bool gap_ = false;      // white space was dropped behind a byte of a number or a word: `1 2` must not become 12
  std::string closers_;   // of the brackets that are open in the element
  Buffer element_;
  std::uint64_t element_count_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace tripos::load
