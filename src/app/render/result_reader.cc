#include "app/render/result_reader.h"

#include <utility>

#include "app/render/cell.h"

namespace tripos::app {
namespace {

// What separates head and rows. It can't stand inside of a string, where its quotes would be escaped.
constexpr std::string_view rows_mark = ",\"rows\":[";
constexpr std::size_t head_size_max = 64U << 20;

Result<std::string> string_member(const std::vector<JsonMember>& members, std::string_view key) {
  for (const JsonMember& member : members) {
    if (member.key == key) return json_string_value(member.value);
  }
  return fail(ErrorCode::malformed, "the server's answer lacks '{}'", key);
}

}  // namespace

Error server_error(std::string_view json) {
  const auto members = json_members(json);
  if (!members) return {ErrorCode::query, std::string(json.substr(0, 1000))};
  for (const JsonMember& member : *members) {
    if (member.key == "error") return server_error(member.value);
  }
  const auto message = string_member(*members, "message");
  const auto code = string_member(*members, "code");
  Error error{ErrorCode::query, message ? *message : std::string(json.substr(0, 1000))};
  for (const ErrorCode known : {ErrorCode::not_found, ErrorCode::conflict, ErrorCode::timed_out, ErrorCode::unavailable,
                                ErrorCode::cancelled, ErrorCode::unsupported}) {
    if (code && *code == to_string(known)) error.code = known;
  }
  return error;
}

Result<> ResultReader::feed(Bytes slice) {
  while (!slice.empty()) {
    if (part_ == Part::rows) {
      TRIPOS_ASSIGN(const std::size_t taken, take_rows(slice));
      slice.remove_prefix(taken);
      continue;
    }
    if (text_.size() + slice.size() > head_size_max + slice.size())
      return fail(ErrorCode::too_large, "the answer's head is above {} bytes", head_size_max);
    const std::size_t search_from = text_.size() < rows_mark.size() ? 0 : text_.size() - rows_mark.size();
    text_.append(slice);
    slice = {};
    if (part_ == Part::tail) continue;
    const std::size_t mark = text_.find(rows_mark, search_from);
    if (mark == Buffer::npos) continue;
    const Buffer behind = text_.substr(mark + rows_mark.size());
    text_.resize(mark);
    TRIPOS_TRY(read_head());
    TRIPOS_TRY(feed(behind));
  }
  return {};
}

Result<> ResultReader::read_head() {
  text_.push_back('}');
  TRIPOS_ASSIGN(const std::vector<JsonMember> head, json_members(text_));
  for (const JsonMember& member : head) {
    if (member.key != "columns") continue;
    TRIPOS_ASSIGN(const std::vector<std::string_view> columns, json_elements(member.value));
    for (const std::string_view column : columns) {
      TRIPOS_ASSIGN(const std::vector<JsonMember> fields, json_members(column));
      TRIPOS_ASSIGN(std::string name, string_member(fields, "name"));
      TRIPOS_ASSIGN(const std::string type_text, string_member(fields, "type"));
      TRIPOS_ASSIGN(ColumnType type, ColumnType::parse(type_text));
      columns_.push_back({std::move(name), std::move(type)});
    }
  }
  text_.clear();
  part_ = Part::rows;
  return on_columns_(columns_);
}

Result<std::size_t> ResultReader::take_rows(Bytes slice) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < slice.size(); ++i) {
    const char c = slice[i];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '[' || c == '{') {
      if (depth_++ == 0) begin = i;
    } else if (c == ']' || c == '}') {
      if (depth_ == 0) {  // the end of all rows
        part_ = Part::tail;
        text_.clear();
        return i + 1;
      }
      if (--depth_ == 0) {
        text_.append(slice.substr(begin, i + 1 - begin));
        TRIPOS_TRY(give_row());
        begin = i + 1;
      }
    }
  }
  if (depth_ > 0) text_.append(slice.substr(begin));
  return slice.size();
}

Result<> ResultReader::give_row() {
  TRIPOS_ASSIGN(const std::vector<std::string_view> cells, json_elements(text_));
  if (cells.size() != columns_.size()) {
    return fail(ErrorCode::malformed, "row {} has {} cells for {} columns", row_count_ + 1, cells.size(), columns_.size());
  }
  ++row_count_;
  TRIPOS_TRY(on_row_(cells));
  text_.clear();
  return {};
}

Result<> ResultReader::finish() {
  if (part_ == Part::head) return tl::unexpected(server_error(text_));
  if (part_ == Part::rows) return fail(ErrorCode::io, "the server's answer was cut short after {} rows", row_count_);
  // The tail is `,"as_of":{…}}`: an object but for its first byte.
  if (text_.empty() || (text_.front() != ',' && text_.front() != '}'))
    return fail(ErrorCode::malformed, "the server's answer ends in what is no JSON");
  const Buffer rest = std::exchange(text_, {});
  Buffer tail = "{";
  tail.append(rest, rest.front() == ',' ? 1 : 0);
  TRIPOS_ASSIGN(const std::vector<JsonMember> members, json_members(tail));
  for (const JsonMember& member : members) {
    if (member.key == "error") return tl::unexpected(server_error(member.value));
    if (member.key == "as_of") as_of_ = std::string(member.value);
  }
  return {};
}

}  // namespace tripos::app
