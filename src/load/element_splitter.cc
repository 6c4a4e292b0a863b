#include "load/element_splitter.h"

#include <cstring>
#include <utility>

namespace tripos::load {
namespace {

constexpr std::size_t depth_max = 100'000;  // of open brackets; what judges the element has a far lower limit

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// A byte of a number or of true, false, null: two of them with white space between are not one.
constexpr bool is_scalar(char c) noexcept { return !is_space(c) && std::strchr("{}[]:,\"", c) == nullptr; }

}  // namespace

template <typename... Args>
tl::unexpected<Error> ElementSplitter::malformed(fmt::format_string<Args...> text, Args&&... args) const {
  return tl::unexpected<Error>(Error{ErrorCode::malformed, fmt::format("element {}, byte {}: {}", element_count_ + 1, position_,
                                                                        fmt::format(text, std::forward<Args>(args)...))});
}

Result<> ElementSplitter::feed(Bytes slice, const Sink& sink) {
  while (!slice.empty()) {
    std::size_t taken = 1;
    if (in_string_) {
      TRIPOS_ASSIGN(taken, take_string(slice, sink));
      position_ += taken;
    } else {
      ++position_;
      TRIPOS_TRY(take(slice.front(), sink));
    }
    slice.remove_prefix(taken);
  }
  return {};
}

Result<> ElementSplitter::take(char c, const Sink& sink) {
  if (is_space(c)) {
    if (place_ != Place::in_element) return {};
    if (closers_.empty()) return end_element(sink);
    gap_ = is_scalar(element_.back());
    return {};
  }
  if (place_ == Place::start) {
    if (framing_ == Framing::detect) framing_ = c == '[' ? Framing::array : Framing::lines;
    place_ = Place::before_element;
    if (framing_ == Framing::array) {
      if (c != '[') return malformed("a JSON array begins with '[', not '{}'", c);
      return {};
    }
  }
  if (closers_.empty() && (c == ',' || c == ']' || c == '}' || c == ':')) return take_separator(c, sink);
  if (place_ != Place::in_element) TRIPOS_TRY(begin_element());
  if (std::exchange(gap_, false) && is_scalar(c)) return malformed("white space within a number or a word");
  switch (c) {
    case '{': closers_.push_back('}'); break;
    case '[': closers_.push_back(']'); break;
    case '}':
    case ']':
      if (closers_.back() != c) return malformed("'{}' where '{}' must close", c, closers_.back());
      closers_.pop_back();
      TRIPOS_TRY(append(Bytes(&c, 1)));
      return closers_.empty() ? end_element(sink) : Result<>();
    case '"': in_string_ = true; break;
    default: break;
  }
  if (closers_.size() > depth_max) return malformed("brackets more than {} deep", depth_max);
  return append(Bytes(&c, 1));
}

// What stands between elements: the comma and the end of the array.
Result<> ElementSplitter::take_separator(char c, const Sink& sink) {
  if (framing_ != Framing::array || c == '}' || c == ':') return malformed("'{}' outside of an element", c);
  if (place_ == Place::in_element) TRIPOS_TRY(end_element(sink));
  const bool array_ends_empty = c == ']' && place_ == Place::before_element && array_is_empty_;
  if (place_ != Place::after_element && !array_ends_empty) return malformed("'{}' where an element must stand", c);
  place_ = c == ',' ? Place::before_element : Place::after_array;
  return {};
}

Result<std::size_t> ElementSplitter::take_string(Bytes slice, const Sink& sink) {
  std::size_t end = 0;
  while (true) {
    if (escaped_) {
      if (end == slice.size()) break;
      escaped_ = false;
      ++end;
      continue;
    }
    // A backslash is rare, a quote is near: look for the quote, then whether a backslash stands before it.
    const Bytes rest = slice.substr(end);
    const std::size_t quote = rest.find('"');
    const std::size_t backslash = rest.substr(0, quote).find('\\');
    if (backslash != Bytes::npos) {
      escaped_ = true;
      end += backslash + 1;
      continue;
    }
    in_string_ = quote == Bytes::npos;
    end = in_string_ ? slice.size() : end + quote + 1;
    break;
  }
  TRIPOS_TRY(append(slice.substr(0, end)));
  if (!in_string_ && closers_.empty()) TRIPOS_TRY(end_element(sink));
  return end;
}

Result<> ElementSplitter::begin_element() {
  if (place_ == Place::after_array) return malformed("something follows the end of the array");
  if (place_ == Place::after_element && framing_ == Framing::array) return malformed("',' or ']' must follow an element");
  place_ = Place::in_element;
  return {};
}

Result<> ElementSplitter::end_element(const Sink& sink) {
  TRIPOS_TRY(sink(element_));
  ++element_count_;
  element_.clear();
  gap_ = false;
  array_is_empty_ = false;
  place_ = Place::after_element;
  return {};
}

Result<> ElementSplitter::append(Bytes bytes) {
  if (element_.size() + bytes.size() > element_size_max_) {
    return fail(ErrorCode::too_large, "element {}, byte {}: an element of more than {} bytes", element_count_ + 1, position_, element_size_max_);
  }
  element_.append(bytes);
  return {};
}

Result<> ElementSplitter::finish(const Sink& sink) {
  if (in_string_ || !closers_.empty()) return malformed("the input ends inside of an element");
  if (place_ == Place::in_element) TRIPOS_TRY(end_element(sink));
  if (framing_ == Framing::array && place_ != Place::after_array) return malformed("the input ends before the array does");
  return {};
}

}  // namespace tripos::load
