#include "exam/table_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "exam/sql_text.h"

namespace tripos::exam {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, [&](char left, char right) { return lower(left) == lower(right); });
}

bool same_field(const TableField& a, const TableField& b) {
  return a.name == b.name && a.type == b.type && a.array_depth == b.array_depth && std::ranges::equal(a.fields, b.fields, same_field);
}

std::string cast_to(std::string sql, const TableField* field, std::string_view type) {
  if (field == nullptr || field->array_depth > 0 || field->type == "struct") return fmt::format("CAST(NULL AS {})", type);
  return field->type == type ? sql : fmt::format("CAST({} AS {})", sql, type);
}

}  // namespace

const TableField* TableShape::find(std::string_view path) const {
  std::span<const TableField> fields = fields_;
  while (true) {
    const auto dot = path.find('.');
    std::string_view name = path.substr(0, dot);
    int depth = 0;
    for (; name.ends_with("[]"); ++depth) name.remove_suffix(2);
    const auto found = std::ranges::find_if(fields, [&](const TableField& field) { return same_name(field.name, name); });
    if (found == fields.end()) return nullptr;
    if (dot == std::string_view::npos) return found->array_depth == depth || depth == 0 ? &*found : nullptr;
    if (found->array_depth != depth) return nullptr;
    fields = found->fields;
    path.remove_prefix(dot + 1);
  }
}

bool TableShape::has_all(std::initializer_list<std::string_view> paths) const {
  return std::ranges::all_of(paths, [this](std::string_view path) { return has(path); });
}

Result<> TableShape::require(std::span<const std::string_view> paths) const {
  for (const std::string_view path : paths) {
    if (!has(path)) {
      return fail(ErrorCode::not_found, "the table {} has no field {}, which this needs; tripos schema {} shows what it has", table_, path,
                  table_);
    }
  }
  return {};
}

std::string TableShape::value(std::string_view path, std::string_view type) const { return cast_to(quoted_path(path), find(path), type); }

std::string TableShape::value_in(std::string_view of_path, std::string_view of, std::string_view name, std::string_view type) const {
  return cast_to(fmt::format("{}.{}", of, quoted_name(name)), find(fmt::format("{}.{}", of_path, name)), type);
}

bool operator==(const TableShape& a, const TableShape& b) {
  return a.table_ == b.table_ && a.has_place_ == b.has_place_ && std::ranges::equal(a.fields_, b.fields_, same_field);
}

std::string quoted_path(std::string_view path) {
  std::string quoted;
  while (true) {
    const auto dot = path.find('.');
    quoted += quoted_name(path.substr(0, dot));
    if (dot == std::string_view::npos) return quoted;
    quoted.push_back('.');
    path.remove_prefix(dot + 1);
  }
}

}  // namespace tripos::exam
