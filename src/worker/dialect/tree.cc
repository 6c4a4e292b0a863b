#include "worker/dialect/tree.h"

#include "worker/dialect/sql_type.h"

namespace tripos::worker {

Node Node::operator[](std::string_view key) const {
  simdjson::dom::element value;
  if (!present_ || element_[key].get(value) != simdjson::SUCCESS) {
    return {};
  }
  return Node(value);
}

std::string_view Node::as_text() const {
  std::string_view value;
  return present_ && element_.get(value) == simdjson::SUCCESS ? value : std::string_view();
}

std::int64_t Node::as_integer() const {
  std::int64_t value = 0;
  return present_ && element_.get(value) == simdjson::SUCCESS ? value : 0;
}

std::uint64_t Node::as_unsigned() const {
  std::uint64_t value = 0;
  return present_ && element_.get(value) == simdjson::SUCCESS ? value : 0;
}

double Node::as_double() const {
  double value = 0;
  return present_ && element_.get(value) == simdjson::SUCCESS ? value : 0;
}

bool Node::as_flag() const {
  bool value = false;
  return present_ && element_.get(value) == simdjson::SUCCESS && value;
}

std::string_view Node::text(std::string_view key) const { return (*this)[key].as_text(); }
bool Node::flag(std::string_view key) const { return (*this)[key].as_flag(); }
std::vector<Node> Node::list(std::string_view key) const { return (*this)[key].items(); }

std::vector<Node> Node::items() const {
  std::vector<Node> nodes;
  simdjson::dom::array array;
  simdjson::dom::object object;
  if (present_ && element_.get(array) == simdjson::SUCCESS) {
    for (const simdjson::dom::element element : array) {
      nodes.emplace_back(element);
    }
  } else if (present_ && element_.get(object) == simdjson::SUCCESS) {
    for (const auto& field : object) {
      nodes.emplace_back(field.value);
    }
  }
  return nodes;
}

std::vector<std::string> Node::texts(std::string_view key) const {
  std::vector<std::string> texts;
  for (const Node& node : list(key)) {
    texts.emplace_back(node.as_text());
  }
  return texts;
}

Result<Tree> Tree::parse(const Connection& connection, const Respelled& respelled, std::string_view source) {
  const std::string_view parameters[] = {respelled.sql};
  TRIPOS_ASSIGN(const std::string json, connection.text("SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", parameters));
  Tree tree;
  tree.parser_ = std::make_unique<simdjson::dom::parser>();
  simdjson::dom::element root;
  if (tree.parser_->parse(json).get(root) != simdjson::SUCCESS) {
    return fail(ErrorCode::unsupported, "the statement is nested too deeply");
  }
  const Node answer(root);
  if (answer.flag("error")) {
    std::string where;
    if (const std::string_view position = answer.text("position"); !position.empty()) {
      const std::size_t at = static_cast<std::size_t>(std::strtoull(std::string(position).c_str(), nullptr, 10));
      where = fmt::format(" ({})", place(source, respelled.source_position(at)));
    }
    return fail(ErrorCode::query, "{}{}", answer.text("error_message"), where);
  }
  const std::vector<Node> statements = answer.list("statements");
  if (statements.size() != 1) {
    return fail(ErrorCode::query, "one statement at a time, please: this holds {}", statements.size());
  }
  tree.root_ = statements.front()["node"];
  return tree;
}

namespace {

void collect(Node node, const std::set<std::string>& outer_names, std::set<TableReference>& references) {
  if (!node.is_object()) {
    for (const Node& item : node.items()) {
      collect(item, outer_names, references);
    }
    return;
  }
  std::set<std::string> names = outer_names;
  for (const Node& entry : node["cte_map"].list("map")) {
    // A name is known to the queries behind it (and, recursively, to itself); before it, the name means a table.
    const std::string name = lower(entry.text("key"));
    if (entry["value"]["query"]["node"].text("type") == "RECURSIVE_CTE_NODE") {
      names.insert(name);
    }
    collect(entry["value"], names, references);
    names.insert(name);
  }
  if (node.text("type") == "BASE_TABLE") {
    TableReference reference{std::string(node.text("schema_name")), std::string(node.text("table_name"))};
    if (!reference.qualifier.empty() || !names.contains(lower(reference.name))) {
      references.insert(std::move(reference));
    }
    return;
  }
  const Node ctes = node["cte_map"];
  for (const Node& child : node.items()) {
    // The map of this node was visited above, with the right names.
    if (!(ctes && child.is_object() && child["map"])) {
      collect(child, names, references);
    }
  }
}

}  // namespace

std::set<TableReference> referenced_tables(Node query) {
  std::set<TableReference> references;
  collect(query, {}, references);
  return references;
}

}  // namespace tripos::worker
