#include "load/element_reader.h"

#include <algorithm>
#include <utility>

#include "json/scan_text.h"

namespace tripos::load {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// The first byte that is no white space; 0 if there is none.
char first_byte(Bytes line) {
  const auto found = std::find_if(line.begin(), line.end(), [](char c) { return !json::is_white_space(c); });
  return found == line.end() ? '\0' : *found;
}
bool is_blank(Bytes line) { return std::all_of(line.begin(), line.end(), json::is_white_space); }

Bytes without_line_end(Bytes line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

ElementReader::ElementReader(std::size_t element_size_max, Sink sink)
    : element_size_max_(element_size_max),
      sink_(std::move(sink)),
      splitter_({.element_size_max = element_size_max, .take_too_deep = true}),
      emit_([this](Bytes element) { return emit(element); }),
      hold_([this](Bytes element) -> Result<> {
        hold(element);
        return {};
      }) {}

Result<> ElementReader::emit(Bytes element) {
  if (!splitter_.too_deep()) return sink_.element(element);
  return sink_.rejected(
      element, {ErrorCode::malformed, fmt::format("element {}: more than {} levels deep", splitter_.element_count() + 1, json::depth_max)});
}

void ElementReader::hold(Bytes element) {
  held_bytes_.append(element);
  held_.push_back({.end = held_bytes_.size(), .too_deep = splitter_.too_deep()});
}

void ElementReader::drop_held() {
  held_bytes_.clear();
  held_.clear();
}

Result<> ElementReader::emit_held() {
  std::size_t begin = 0;
  for (const Held& held : held_) {
    const Bytes element = Bytes(held_bytes_).substr(begin, held.end - begin);
    begin = held.end;
    if (held.too_deep) {
      TRIPOS_TRY(sink_.rejected(element, {ErrorCode::malformed, fmt::format("an element of the line at byte {} is more than {} levels deep",
                                                                            position_, json::depth_max)}));
    } else {
      TRIPOS_TRY(sink_.element(element));
    }
  }
  drop_held();
  return {};
}

Result<> ElementReader::reject(Bytes line, Error why) {
  const Bytes kept = without_line_end(line);
  if (kept.size() > element_size_max_) {
    return fail(ErrorCode::too_large, "the line at byte {} is no JSON ({}), and has more than {} bytes, so that it can't be kept either",
                position_, why.message, element_size_max_);
  }
  return sink_.rejected(kept, why);
}

Result<> ElementReader::check_encoding(Bytes& chunk) {
  begun_ = true;
  const bool marked = chunk.starts_with("\xFF\xFE") || chunk.starts_with("\xFE\xFF");
  // RFC 4627, 3: the zeros among the first bytes of a JSON text tell its encoding.
  const bool zeros = chunk.size() >= 2 && (chunk[0] == '\0') != (chunk[1] == '\0') && (chunk[0] | chunk[1]) >= ' ';
  const bool wide = chunk.size() >= 4 && chunk.starts_with(Bytes("\0\0\0", 3));
  if (marked || zeros || wide) {
    return fail(ErrorCode::malformed,
                "byte 0: this is UTF-16 or UTF-32, and JSON is read as UTF-8: convert it, as with `iconv -f UTF-16 -t UTF-8 FILE | tripos "
                "load TOPIC -`");
  }
  if (chunk.starts_with(byte_order_mark)) {
    chunk.remove_prefix(byte_order_mark.size());
    position_ = byte_order_mark.size();
    splitter_.restart(position_, 0);
  }
  return {};
}

Result<> ElementReader::feed(Bytes chunk) {
  if (chunk.empty()) return {};
  if (!begun_) TRIPOS_TRY(check_encoding(chunk));
  while (!chunk.empty()) {
    Result<Bytes> rest = splitter_.in_array() ? in_array(chunk) : long_line_ ? in_long_line(chunk) : take_line(chunk);
    if (!rest) return tl::unexpected(std::move(rest).error());
    chunk = *rest;
  }
  return {};
}

Result<Bytes> ElementReader::in_array(Bytes chunk) {
  TRIPOS_ASSIGN(const std::size_t taken, splitter_.feed_through_array(chunk, emit_));
  position_ += taken;
  return chunk.substr(taken);
}

// Up to the line's end, if no value is open there.
Result<Bytes> ElementReader::in_long_line(Bytes chunk) {
  const std::size_t newline = chunk.find('\n');
  const Bytes part = chunk.substr(0, newline == Bytes::npos ? newline : newline + 1);
  TRIPOS_TRY(splitter_.feed(part, emit_));
  position_ += part.size();
  if (newline != Bytes::npos) {
    long_line_ = false;
    if (!splitter_.at_top() && !splitter_.in_array()) format_ = Format::documents;
  }
  return chunk.substr(part.size());
}

Result<Bytes> ElementReader::take_line(Bytes chunk) {
  const bool in_document = maybe_document_ || !splitter_.at_top();
  // An array may be all of the file in one line: it is not gathered.
  if (!in_document && is_blank(line_) && first_byte(chunk) == '[') {
    splitter_.restart(position_ + line_.size(), splitter_.element_count());
    position_ += line_.size();
    line_.clear();
    return in_array(chunk);
  }
  const std::size_t newline = chunk.find('\n');
  const Bytes part = chunk.substr(0, newline == Bytes::npos ? newline : newline + 1);
  if (newline != Bytes::npos && line_.empty()) {
    TRIPOS_TRY(judge_line(part, false));
  } else {
    line_.append(part);
    const bool too_long = line_.size() > line_bytes_max;
    if (newline != Bytes::npos) {
      const Buffer line = std::exchange(line_, {});
      TRIPOS_TRY(judge_line(line, false));
    } else if (too_long) {
      const Buffer line = std::exchange(line_, {});
      if (maybe_document_) {  // it goes on over more than a line can have: it is a document
        maybe_document_ = false;
        format_ = Format::documents;
        document_.clear();
        TRIPOS_TRY(emit_held());
      } else if (splitter_.at_top()) {
        splitter_.restart(position_, splitter_.element_count());
      }
      long_line_ = true;
      TRIPOS_TRY(splitter_.feed(line, emit_));
      position_ += line.size();
    }
  }
  return chunk.substr(part.size());
}

Result<> ElementReader::judge_line(Bytes line, bool last) {
  if (maybe_document_ || !splitter_.at_top()) {
    TRIPOS_TRY(go_on_with_document(line));
    if (!maybe_document_) position_ = std::max(position_, splitter_.position());
    return {};
  }
  if (!is_blank(line)) {
    TRIPOS_TRY(begin_values(line, last));
    if (maybe_document_) return {};
  }
  position_ += line.size();
  return {};
}

Result<> ElementReader::begin_values(Bytes line, bool last) {
  count_before_held_ = splitter_.element_count();
  splitter_.restart(position_, count_before_held_);
  Result<> fed = splitter_.feed(line, hold_);
  if (fed && last && !splitter_.in_array() && format_ != Format::documents) fed = splitter_.finish(hold_);
  if (fed && (splitter_.at_top() || splitter_.in_array())) {
    if (format_ == Format::unknown && !held_.empty()) format_ = Format::lines;
    return emit_held();
  }
  if (fed && format_ == Format::documents) return emit_held();
  if (fed && format_ == Format::unknown) {
    maybe_document_ = true;
    document_ = line;
    document_position_ = position_;
    return {};
  }
  if (!fed && (fed.error().code == ErrorCode::too_large || format_ == Format::documents)) {
    TRIPOS_TRY(emit_held());
    return fed;
  }
  Error why = fed ? Error{ErrorCode::malformed, fmt::format("the line at byte {} ends within a value", position_)} : fed.error();
  drop_held();
  splitter_.restart(position_ + line.size(), count_before_held_);
  return reject(line, std::move(why));
}

Result<> ElementReader::go_on_with_document(Bytes line) {
  if (!maybe_document_) return splitter_.feed(line, emit_);
  document_.append(line);
  auto fed = splitter_.feed(line, hold_);
  if (!fed) return reconsider(std::move(fed).error());
  if (splitter_.at_top() || splitter_.in_array()) {
    maybe_document_ = false;
    format_ = Format::documents;
    document_.clear();
    return emit_held();
  }
  if (document_.size() > element_size_max_) {
    return reconsider(
        {ErrorCode::too_large, fmt::format("the element at byte {} has more than {} bytes", document_position_, element_size_max_)});
  }
  return {};
}

// What seemed to begin a document was perhaps a broken line.
Result<> ElementReader::reconsider(Error why) {
  maybe_document_ = false;
  drop_held();
  const Buffer lines = std::exchange(document_, {});
  const std::size_t first_end = lines.find('\n') + 1;
  const std::size_t second_end = lines.find('\n', first_end);
  if (first_end == 0 || !is_whole(Bytes(lines).substr(first_end, second_end - first_end))) return tl::unexpected(std::move(why));
  format_ = Format::lines;
  position_ = document_position_;
  TRIPOS_TRY(
      reject(Bytes(lines).substr(0, first_end), {ErrorCode::malformed, fmt::format("the line at byte {} ends within a value", position_)}));
  position_ += first_end;
  splitter_.restart(position_, count_before_held_);
  return feed(Bytes(lines).substr(first_end));
}

bool ElementReader::is_whole(Bytes line) const {
  json::Splitter splitter({.element_size_max = element_size_max_, .take_too_deep = true});
  const auto drop = [](Bytes) -> Result<> { return {}; };
  return splitter.feed(line, drop) && splitter.finish(drop) && splitter.element_count() > 0;
}

Result<> ElementReader::finish() {
  if (!line_.empty()) {
    const Buffer line = std::exchange(line_, {});
    TRIPOS_TRY(judge_line(line, true));
  }
  if (maybe_document_) {
    // The end of the file may be what it lacks, or a line that ended too early stood first.
    auto finished = splitter_.finish(hold_);
    if (finished) return emit_held();
    TRIPOS_TRY(reconsider(std::move(finished).error()));
    return finish();
  }
  return splitter_.finish(emit_);
}

}  // namespace tripos::load
