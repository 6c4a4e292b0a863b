// TableNames: which topic a table's name means (rules, 4.4, 4.6).
//
// A topic shows as the table of its name and as NAME_messages and NAME_rejected. SQL ignores the case of ASCII letters, topics do
// not: of colliding names the first in byte order keeps its name, the next get _1, _2 …; tables of topics go before the _messages
// and _rejected of others. topics."NAME" means a topic by its exact name, also where a view hides it.
// A pure value. Threads: none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/ports.h"

namespace tripos::lambda {

enum class TableKind : std::uint8_t { rows, messages, rejected };

struct TableReference {
  std::string qualifier;  // what stood before the point, "" if nothing
  std::string name;
  friend auto operator<=>(const TableReference&, const TableReference&) = default;
};

class TableNames {
 public:
  // Internal topics, and those whose table is off, are no tables.
  explicit TableNames(std::vector<TopicDescription> topics);

  struct Table {
    const TopicDescription* topic = nullptr;  // lives as long as the TableNames
    TableKind kind = TableKind::rows;
    std::string name;  // its SQL name
  };

  // not_found says which names are near.
  [[nodiscard]] Result<Table> resolve(const TableReference& reference) const;

  // The tables, by their names in lower case.
  [[nodiscard]] const std::map<std::string, Table>& tables() const noexcept { return tables_; }
  [[nodiscard]] const std::vector<TopicDescription>& topics() const noexcept { return topics_; }

 private:
  void add(const TopicDescription& topic, TableKind kind, const std::string& name);
  [[nodiscard]] Result<Table> resolve_topic(const std::string& name) const;
  [[nodiscard]] std::string near(std::string_view name) const;

  std::vector<TopicDescription> topics_;  // those that are tables, sorted by name
  std::map<std::string, Table> tables_;
};

[[nodiscard]] std::string_view to_string(TableKind kind) noexcept;
[[nodiscard]] std::string in_lower_case(std::string_view text);  // ASCII letters only

}  // namespace tripos::lambda
