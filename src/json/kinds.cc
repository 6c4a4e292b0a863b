#include "json/kinds.h"

#include <utility>
#include <vector>

#include "json/cursor.h"
#include "json/key_cursor.h"

namespace tripos::json {
namespace {

enum Kind : std::size_t { object, array, string, integer, number, boolean, null };
constexpr std::string_view kind_names[] = {"object", "array", "string", "integer", "number", "boolean", "null"};

Kind kind_at(const Cursor& cursor) {
  switch (cursor.peek()) {
    case '{': return object;
    case '[': return array;
    case '"': return string;
    case 't':
    case 'f': return boolean;
    case 'n': return null;
    default: break;
  }
  bool whole = false;
  static_cast<void>(scan_number(cursor.at(), whole));  // it is good: it was checked
  return whole ? integer : number;
}

}  // namespace

// A valid value is nothing but tokens between brackets: no descent is needed, and no depth is too deep.
Verdict FieldKinds::read(Bytes value, const std::function<void(std::string_view)>& on_kind) {
  Cursor cursor;
  Verdict verdict = reader_.start(value, cursor);
  if (!verdict.is_row()) return verdict;
  const std::uint32_t* const begin = cursor.next;
  const bool good = cursor.skip_value(depth_max);
  verdict = Reader::finish(cursor, good);
  if (!verdict.is_row()) return verdict;

  ++values_;
  struct Level {
    Path* path;  // nullptr: not told
    bool is_object;
  };
  std::vector<Level> levels = {{&root_, true}};
  const std::uint32_t* const end = cursor.next;
  cursor.go_back(begin + 1);
  for (; cursor.next < end; ++cursor.next) {
    const char c = cursor.peek();
    if (c == ',') continue;
    if (c == '}' || c == ']') {
      levels.pop_back();
      continue;
    }
    const Level level = levels.back();
    Path* path = nullptr;
    if (level.is_object) {
      std::string_view key;
      if (level.path != nullptr && read_key(cursor, scratch_, key)) path = below(level.path, key);
      cursor.next += 2;  // behind the colon
    } else if (level.path != nullptr) {
      path = element_of(level.path);
    }
    const Kind kind = kind_at(cursor);
    if (path != nullptr) tell(path, kind, on_kind);
    if (kind == object || kind == array) levels.push_back({path, kind == object});
  }
  return verdict;
}

FieldKinds::Path* FieldKinds::add(std::string text) {
  if (text.size() > path_size_max || paths_.size() == paths_max) return nullptr;
  return &paths_.emplace_back(Path{.text = std::move(text)});
}

FieldKinds::Path* FieldKinds::below(Path* path, std::string_view key) {
  if (key.size() > path_size_max) return nullptr;
  const auto found = path->fields.find(std::string(key));
  if (found != path->fields.end()) return found->second;
  std::string text = path == &root_ ? std::string() : path->text + ".";
  Path* const made = add(text.append(key));
  if (made != nullptr) path->fields.emplace(key, made);
  return made;
}

FieldKinds::Path* FieldKinds::element_of(Path* path) {
  if (path->element == nullptr) path->element = add(path->text + "[]");
  return path->element;
}

void FieldKinds::tell(Path* path, std::size_t kind, const std::function<void(std::string_view)>& on_kind) {
  if (path->told_in[kind] == values_) return;
  path->told_in[kind] = values_;
  std::string& text = path->told_as[kind];
  if (text.empty()) text.append(kind_names[kind]).append(" ").append(path->text);
  on_kind(text);
}

}  // namespace tripos::json
