// Tree: a query as DuckDB's parser reads it (json_serialize_sql), read only.
// Ownership: nodes are views into their Tree.
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "worker/connection.h"
#include "worker/dialect/respell.h"

namespace tripos::worker {

// A value in the tree. What is not there is null, empty, 0.
class Node {
 public:
  Node() = default;
  explicit Node(simdjson::dom::element element) : element_(element), present_(!element.is_null()) {}

  explicit operator bool() const noexcept { return present_; }
  [[nodiscard]] Node operator[](std::string_view key) const;
  [[nodiscard]] std::string_view text(std::string_view key) const;
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] std::vector<Node> list(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;

  [[nodiscard]] bool is_object() const { return present_ && element_.is_object(); }
  [[nodiscard]] std::vector<Node> items() const;  // of an array, or the values of an object
  [[nodiscard]] std::string_view as_text() const;
  [[nodiscard]] std::int64_t as_integer() const;
  [[nodiscard]] std::uint64_t as_unsigned() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] bool as_flag() const;
  [[nodiscard]] bool is_integer() const { return present_ && (element_.is_int64() || element_.is_uint64()); }

 private:
  simdjson::dom::element element_;
  bool present_ = false;
};

class Tree {
 public:
  // Exactly one query. `source` is what the respelled text comes from.
  [[nodiscard]] static Result<Tree> parse(const Connection& connection, const Respelled& respelled, std::string_view source);

  [[nodiscard]] Node root() const noexcept { return root_; }

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
  Node root_;
};

struct TableReference {
  std::string qualifier;
  std::string name;
  friend auto operator<=>(const TableReference&, const TableReference&) = default;
};

// The tables and views that a query names, those of its own WITH left out.
[[nodiscard]] std::set<TableReference> referenced_tables(Node query);

}  // namespace tripos::worker
