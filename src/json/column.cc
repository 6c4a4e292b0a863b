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

}  // namespace tripos::json
