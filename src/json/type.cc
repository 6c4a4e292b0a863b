#include "json/type.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tripos::json {

Type::Type() noexcept = default;
Type::Type(const Type&) = default;
Type::Type(Type&&) noexcept = default;
Type& Type::operator=(const Type&) = default;
Type& Type::operator=(Type&&) noexcept = default;
Type::~Type() = default;
Type::Type(TypeKind kind) noexcept : kind_(kind) {}

Type Type::null_so_far() noexcept { return Type(); }
Type Type::boolean() noexcept { return Type(TypeKind::boolean); }
Type Type::long_integer() noexcept { return Type(TypeKind::long_integer); }
Type Type::double_float() noexcept { return Type(TypeKind::double_float); }
Type Type::string() noexcept { return Type(TypeKind::string); }

Type Type::decimal(int precision) {
  CHECK(precision >= 1 && precision <= decimal_precision_max);
  Type type(TypeKind::decimal);
  type.precision_ = static_cast<std::int8_t>(precision);
  return type;
}

Type Type::structure(std::vector<Field> fields) {
  std::stable_sort(fields.begin(), fields.end(), [](const Field& a, const Field& b) { return a.name < b.name; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i + 1 < fields.size() && fields[i + 1].name == fields[i].name) continue;
    if (kept != i) fields[kept] = std::move(fields[i]);
    ++kept;
  }
  fields.resize(kept);
  Type type(TypeKind::structure);
  type.children_ = std::move(fields);
  return type;
}

Type Type::array(Type element) {
  Type type(TypeKind::array);
  type.children_.push_back({"", std::move(element)});
  return type;
}

std::span<const Field> Type::fields() const noexcept {
  CHECK(kind_ == TypeKind::structure);
  return children_;
}

const Field* Type::field(std::string_view name) const noexcept {
  CHECK(kind_ == TypeKind::structure);
  const auto found =
      std::lower_bound(children_.begin(), children_.end(), name, [](const Field& f, std::string_view n) { return f.name < n; });
  return found != children_.end() && found->name == name ? &*found : nullptr;
}

const Type& Type::element() const noexcept {
  CHECK(kind_ == TypeKind::array);
  return children_.front().type;
}

bool operator==(const Type& a, const Type& b) noexcept {
  return a.kind_ == b.kind_ && a.precision_ == b.precision_ && a.children_ == b.children_;
}

namespace {

bool is_number(TypeKind kind) { return kind == TypeKind::long_integer || kind == TypeKind::decimal || kind == TypeKind::double_float; }

Type join_numbers(const Type& a, const Type& b) {
  if (a.kind() == TypeKind::double_float || b.kind() == TypeKind::double_float) return Type::double_float();
  if (a.kind() == TypeKind::long_integer && b.kind() == TypeKind::long_integer) return a;
  const auto precision_of = [](const Type& t) { return t.kind() == TypeKind::decimal ? t.precision() : decimal_precision_of_long; };
  return Type::decimal(std::max(precision_of(a), precision_of(b)));
}

Type join_structures(const Type& a, const Type& b) {
  const auto of_a = a.fields();
  const auto of_b = b.fields();
  std::vector<Field> fields;
  fields.reserve(std::max(of_a.size(), of_b.size()));
  auto i = of_a.begin();
  auto j = of_b.begin();
  while (i != of_a.end() || j != of_b.end()) {
    if (j == of_b.end() || (i != of_a.end() && i->name < j->name)) {
      fields.push_back(*i++);
    } else if (i == of_a.end() || j->name < i->name) {
      fields.push_back(*j++);
    } else {
      fields.push_back({i->name, join(i->type, j->type)});
      ++i;
      ++j;
    }
  }
  return Type::structure(std::move(fields));
}

// False: it is left out.
bool settle(const Type& type, Type& settled) {
  switch (type.kind()) {
    case TypeKind::null_so_far: settled = Type::string(); return true;
    case TypeKind::array: {
      Type element;
      if (!settle(type.element(), element)) return false;
      settled = Type::array(std::move(element));
      return true;
    }
    case TypeKind::structure: {
      std::vector<Field> fields;
      for (const Field& field : type.fields()) {
        Type inner;
        if (!field.name.empty() && settle(field.type, inner)) fields.push_back({field.name, std::move(inner)});
      }
      const bool any = !fields.empty();
      settled = Type::structure(std::move(fields));
      return any;
    }
    case TypeKind::boolean:
    case TypeKind::long_integer:
    case TypeKind::decimal:
    case TypeKind::double_float:
    case TypeKind::string: break;
  }
  settled = type;
  return true;
}

}  // namespace

Type Type::settled() const {
  Type type;
  settle(*this, type);
  return type;
}

Type join(const Type& a, const Type& b) {
  if (a.kind() == TypeKind::null_so_far) return b;
  if (b.kind() == TypeKind::null_so_far) return a;
  if (is_number(a.kind()) && is_number(b.kind())) return join_numbers(a, b);
  if (a.kind() != b.kind()) return Type::string();
  if (a.kind() == TypeKind::structure) return join_structures(a, b);
  if (a.kind() == TypeKind::array) return Type::array(join(a.element(), b.element()));
  return a;
}

bool covers(const Type& wide, const Type& narrow) noexcept {
  if (narrow.kind() == TypeKind::null_so_far || wide.kind() == TypeKind::string) return true;
  switch (wide.kind()) {
    case TypeKind::double_float: return is_number(narrow.kind());
    case TypeKind::decimal:
      if (narrow.kind() == TypeKind::long_integer) return wide.precision() >= decimal_precision_of_long;
      return narrow.kind() == TypeKind::decimal && narrow.precision() <= wide.precision();
    case TypeKind::array: return narrow.kind() == TypeKind::array && covers(wide.element(), narrow.element());
    case TypeKind::structure: {
      if (narrow.kind() != TypeKind::structure) return false;
      return std::ranges::all_of(narrow.fields(), [&](const Field& field) {
        const Field* known = wide.field(field.name);
        return known != nullptr && covers(known->type, field.type);
      });
    }
    case TypeKind::null_so_far:
    case TypeKind::boolean:
    case TypeKind::long_integer:
    case TypeKind::string: break;
  }
  return wide.kind() == narrow.kind();
}

}  // namespace tripos::json
