#include "json/split.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "json/scan_text.h"

namespace tripos::json {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

enum Class : std::uint8_t { plain, space, open, close, quote, comma_or_colon };

constexpr std::array<Class, 256> classes = [] {
  std::array<Class, 256> table{};
  for (const char c : {' ', '\t', '\n', '\r'}) table[static_cast<unsigned char>(c)] = space;
  table['{'] = table['['] = open;
  table['}'] = table[']'] = close;
  table['"'] = quote;
  table[','] = table[':'] = comma_or_colon;
  return table;
}();

Class class_of(char c) { return classes[static_cast<unsigned char>(c)]; }

}  // namespace

tl::unexpected<Error> Splitter::unexpected(const char* at, std::string_view wanted) const {
  return fail(ErrorCode::malformed, "byte {}: {} expected, not '{}' (after {} elements)", position_of(at), wanted, std::string_view(at, 1),
              element_count_);
}

Result<> Splitter::append(const char* begin, const char* end) {
  if (static_cast<std::size_t>(end - begin) > options_.element_size_max - element_.size()) {
    return fail(ErrorCode::too_large, "element {} (starts at byte {}) has more than {} bytes", element_count_ + 1, element_start_,
                options_.element_size_max);
  }
  element_.append(begin, end);
  return {};
}

Result<> Splitter::complete(const Emit& emit) {
  const Verdict verdict = reader_.check(element_);
  too_deep_ = verdict.reason == Reason::too_deep && options_.take_too_deep;
  const bool valid =
      verdict.is_row() || too_deep_ || verdict.reason == Reason::top_level_array || verdict.reason == Reason::top_level_scalar;
  if (!valid) {
    const auto gap =
        std::upper_bound(gaps_.begin(), gaps_.end(), verdict.byte, [](std::size_t byte, const Gap& g) { return byte < g.minified; });
    const std::uint64_t removed = gap == gaps_.begin() ? 0 : std::prev(gap)->removed;
    return fail(ErrorCode::malformed, "element {} (starts at byte {}): {} at byte {}", element_count_ + 1, element_start_,
                to_string(verdict.reason), element_start_ + verdict.byte + removed);
  }
  TRIPOS_TRY(emit(element_));
  ++element_count_;
  element_.clear();
  gaps_.clear();
  removed_ = 0;
  state_ = in_array_ ? State::separator : State::top;
  return {};
}

// Between elements: up to the first byte of the next, which `state_` then names.
Result<const char*> Splitter::outside(const char* at, const char* end) {
  for (; at < end; ++at) {
    const Class kind = class_of(*at);
    if (kind == space) continue;
    if (state_ == State::separator) {
      if (*at == ']') {
        in_array_ = false;
        state_ = State::top;
        return at + 1;
      } else if (*at == ',') {
        state_ = State::element;
      } else {
        return unexpected(at, "',' or ']' of the array");
      }
      continue;
    }
    if (state_ == State::top && *at == '[') {
      in_array_ = true;
      array_start_ = position_of(at);
      state_ = State::first_element;
      return at + 1;
    }
    if (state_ == State::first_element && *at == ']') {
      in_array_ = false;
      state_ = State::top;
      return at + 1;
    }
    if (kind == close || kind == comma_or_colon) return unexpected(at, "a JSON value");
    element_start_ = position_of(at);
    depth_ = 0;
    space_ = false;
    state_ = kind == open ? State::nested : kind == quote ? State::string : State::scalar;
    if (state_ == State::string) {
      TRIPOS_TRY(append(at, at + 1));
      ++at;
    }
    break;
  }
  return at;
}

Result<const char*> Splitter::in_nested(const char* at, const char* end, const Emit& emit) {
  // [run, at) goes into the element in one piece.
  const char* run = at;
  while (at < end) {
    const Class kind = class_of(*at);
    if (kind == space) {
      TRIPOS_TRY(append(run, at));
      const char* const begin = at;
      while (at < end && class_of(*at) == space) ++at;
      removed_ += static_cast<std::uint64_t>(at - begin);
      if (!gaps_.empty() && gaps_.back().minified == element_.size()) gaps_.pop_back();
      gaps_.push_back({element_.size(), removed_});
      space_ = true;
      run = at;
      continue;
    }
    if (space_) {
      // Two numbers or literals must not grow together.
      space_ = false;
      if (kind == plain && class_of(element_.back()) == plain) return unexpected(at, "',', ':' or a bracket");
    }
    ++at;
    if (kind == open) {
      ++depth_;
    } else if (kind == close) {
      if (--depth_ == 0) {
        TRIPOS_TRY(append(run, at));
        TRIPOS_TRY(complete(emit));
        return at;
      }
    } else if (kind == quote) {
      at = find_quote_or_backslash(at, end);
      if (at < end && *at == '"') {  // no escape: the common case
        ++at;
        continue;
      }
      TRIPOS_TRY(append(run, at));
      state_ = State::nested_string;
      return at;
    }
  }
  TRIPOS_TRY(append(run, at));
  return at;
}

// In a string, behind its opening quote.
Result<const char*> Splitter::in_string(const char* at, const char* end, const Emit& emit) {
  const bool nested = state_ == State::nested_string || state_ == State::nested_escape;
  const char* const run = at;
  bool escape = state_ == State::escape || state_ == State::nested_escape;
  while (at < end) {
    if (escape) {
      ++at;
      escape = false;
      continue;
    }
    at = find_quote_or_backslash(at, end);
    if (at == end) break;
    escape = *at == '\\';
    if (*at++ == '"') {
      TRIPOS_TRY(append(run, at));
      state_ = State::nested;
      if (!nested) {
        TRIPOS_TRY(complete(emit));
      }
      return at;
    }
  }
  TRIPOS_TRY(append(run, at));
  state_ = nested ? (escape ? State::nested_escape : State::nested_string) : (escape ? State::escape : State::string);
  return at;
}

Result<const char*> Splitter::in_scalar(const char* at, const char* end, const Emit& emit) {
  const char* const run = at;
  while (at < end && class_of(*at) == plain) ++at;
  TRIPOS_TRY(append(run, at));
  if (at < end) {
    TRIPOS_TRY(complete(emit));
  }
  return at;
}

Result<> Splitter::feed(Bytes chunk, const Emit& emit) {
  TRIPOS_TRY(run(chunk, emit, false));
  return {};
}

Result<std::size_t> Splitter::feed_through_array(Bytes chunk, const Emit& emit) { return run(chunk, emit, true); }

void Splitter::restart(std::uint64_t position, std::uint64_t element_count) {
  state_ = State::top;
  in_array_ = false;
  element_.clear();
  gaps_.clear();
  removed_ = 0;
  element_count_ = element_count;
  position_ = position;
  mark_bytes_ = 0;
}

Result<std::size_t> Splitter::run(Bytes chunk, const Emit& emit, bool through_array) {
  chunk_ = chunk.data();
  const char* at = chunk.data();
  const char* const end = at + chunk.size();
  while (mark_bytes_ == position_of(at) && mark_bytes_ < byte_order_mark.size() && at < end && *at == byte_order_mark[mark_bytes_]) {
    ++at;
    ++mark_bytes_;
  }
  if (mark_bytes_ > 0 && mark_bytes_ < byte_order_mark.size() && at < end) return unexpected(at, "a JSON value");
  bool was_in_array = in_array_;
  while (at < end) {
    Result<const char*> went = at;
    switch (state_) {
      case State::top:
      case State::first_element:
      case State::element:
      case State::separator: went = outside(at, end); break;
      case State::nested: went = in_nested(at, end, emit); break;
      case State::nested_string:
      case State::nested_escape:
      case State::string:
      case State::escape: went = in_string(at, end, emit); break;
      case State::scalar: went = in_scalar(at, end, emit); break;
    }
    TRIPOS_ASSIGN(at, went);
    if (through_array && was_in_array && !in_array_) break;
    was_in_array = in_array_;
  }
  const auto taken = static_cast<std::size_t>(at - chunk.data());
  position_ += taken;
  chunk_ = nullptr;
  return taken;
}

Result<> Splitter::finish(const Emit& emit) {
  // In an array it may be the half of a number.
  if (state_ == State::scalar && !in_array_) {
    TRIPOS_TRY(complete(emit));
  }
  if (mark_bytes_ > 0 && mark_bytes_ < byte_order_mark.size()) return fail(ErrorCode::malformed, "byte 0: half a byte order mark");
  const bool between = state_ == State::top || state_ == State::first_element || state_ == State::element || state_ == State::separator;
  if (!between) {
    return fail(ErrorCode::malformed, "ends at byte {} in element {}, which starts at byte {}", position_, element_count_ + 1,
                element_start_);
  }
  if (in_array_) {
    return fail(ErrorCode::malformed, "ends at byte {} in the array that starts at byte {} (after {} elements)", position_, array_start_,
                element_count_);
  }
  return {};
}

}  // namespace tripos::json
