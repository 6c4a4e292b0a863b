#include "json/column.h"

namespace tripos::json {

Column::Column(const Type& type) : kind(type.kind()), precision(static_cast<std::uint8_t>(type.precision())) {
  if (kind == TypeKind::array) children.emplace_back(type.element());
  if (kind == TypeKind::structure) {
    children.reserve(type.fields().size());
    for (const Field& field : type.fields()) {
      keys.add(field.name);
      children.emplace_back(field.type);
    }
  }
}

void Column::set_valid(std::uint64_t begin, std::uint64_t end) noexcept {
  if (validity != nullptr) {
    for (std::uint64_t row = begin; row < end; ++row) validity[row >> 6] |= std::uint64_t{1} << (row & 63);
  }
  if (kind == TypeKind::structure) {
    for (Column& child : children) child.set_valid(begin, end);
  }
}

namespace {

// The lists in a column that aren't inside of another list: of a row of theirs, all that was appended since belongs to it.
template <typename Action>
void for_each_list(Column& column, const Action& action) {
  if (column.kind == TypeKind::array) action(column);
  if (column.kind == TypeKind::structure) {
    for (Column& child : column.children) for_each_list(child, action);
  }
}

}  // namespace

void Column::truncate(std::uint64_t new_size) noexcept {
  if (new_size >= size) return;
  Column& element = children.front();
  for_each_list(element, [&](Column& list) { list.truncate(list.cell<ListCell>(new_size).offset); });
  element.set_valid(new_size, size);
  size = new_size;
}

void Column::take_back(std::uint64_t row) noexcept {
  for_each_list(*this, [&](Column& list) { list.truncate(list.cell<ListCell>(row).offset); });
  set_valid(row, row + 1);
}

}  // namespace tripos::json
