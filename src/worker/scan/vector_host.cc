#include "worker/scan/vector_host.h"

namespace tripos::worker {

void VectorHost::bind(json::Column& column, duckdb_vector vector) {
  column.handle = vector;
  column.data = duckdb_vector_get_data(vector);
  column.validity = duckdb_vector_get_validity(vector);
  switch (column.kind) {
    case json::TypeKind::structure:
      for (std::size_t i = 0; i < column.children.size(); ++i) {
        bind(column.children[i], duckdb_struct_vector_get_child(vector, i));
      }
      break;
    case json::TypeKind::array:
      // A reset vector has forgotten how much room its child had: ask anew.
      column.capacity = 0;
      bind(column.children[0], duckdb_list_vector_get_child(vector));
      break;
    default: break;
  }
}

void VectorHost::finish(const json::Column& column) {
  if (column.kind == json::TypeKind::array) {
    duckdb_list_vector_set_size(static_cast<duckdb_vector>(column.handle), column.size);
  }
  for (const json::Column& child : column.children) {
    finish(child);
  }
}

bool VectorHost::grow(json::Column& list, std::uint64_t capacity) {
  const auto vector = static_cast<duckdb_vector>(list.handle);
  // DuckDB's own count must cover what is there, or reserving drops it.
  if (duckdb_list_vector_set_size(vector, list.size) != DuckDBSuccess || duckdb_list_vector_reserve(vector, capacity) != DuckDBSuccess) {
    return false;
  }
  list.capacity = capacity;
  // Nested lists keep what they hold; their pointers may have moved.
  struct Rebind {
    static void run(json::Column& column, duckdb_vector at) {
      column.handle = at;
      column.data = duckdb_vector_get_data(at);
      column.validity = duckdb_vector_get_validity(at);
      if (column.kind == json::TypeKind::structure) {
        for (std::size_t i = 0; i < column.children.size(); ++i) {
          run(column.children[i], duckdb_struct_vector_get_child(at, i));
        }
      } else if (column.kind == json::TypeKind::array) {
        run(column.children[0], duckdb_list_vector_get_child(at));
      }
    }
  };
  Rebind::run(list.children[0], duckdb_list_vector_get_child(vector));
  return true;
}

void VectorHost::make_validity(json::Column& column) {
  const auto vector = static_cast<duckdb_vector>(column.handle);
  duckdb_vector_ensure_validity_writable(vector);
  column.validity = duckdb_vector_get_validity(vector);
}

json::StringCell string_cell(std::string_view text) noexcept {
  json::StringCell cell{};
  cell.length = static_cast<std::uint32_t>(text.size());
  if (text.size() <= json::StringCell::inlined_max) {
    std::memcpy(cell.inlined, text.data(), text.size());
  } else {
    std::memcpy(cell.outside.prefix, text.data(), sizeof cell.outside.prefix);
    const char* at = text.data();
    std::memcpy(cell.outside.pointer, &at, sizeof at);
  }
  return cell;
}

}  // namespace tripos::worker
