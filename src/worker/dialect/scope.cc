#include "worker/dialect/scope.h"

#include <algorithm>

namespace tripos::worker {
namespace {

// Edits that make one name of the other, at most `bound`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ".") + name;
  }
  return text;
}

tl::unexpected<Error> no_such_column(const Scope& scope, const std::vector<std::string>& names) {
  const std::string& wanted = names.size() > 1 && find_relation(scope, names.front()) != nullptr ? names[1] : names.front();
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const Scope* at = &scope; at != nullptr; at = at->parent) {
    for (const Column& column : at->star) {
      near.emplace_back(distance(lower(column.name), lower(wanted)), column.name);
    }
  }
  std::ranges::stable_sort(near, {}, &std::pair<std::size_t, std::string>::first);
  std::string suggestion;
  for (std::size_t i = 0; i < std::min<std::size_t>(near.size(), 5); ++i) {
    suggestion += (i == 0 ? "; did you mean one of: " : ", ") + near[i].second;
  }
  return fail(ErrorCode::query, "there is no column {}{}", joined(names), suggestion);
}

}  // namespace

bool Usage::any() const {
  return whole || std::ranges::any_of(fields, [](const auto& field) { return field.second.any(); });
}

const Relation* find_relation(const Scope& scope, std::string_view alias) noexcept {
  for (const Relation& relation : scope.relations) {
    if (equal_ignoring_case(relation.alias, alias)) {
      return &relation;
    }
  }
  return nullptr;
}

// As Spark: a table's column before a column's field, the nearest query first.
Result<Resolved> resolve_column(const Scope& scope, const std::vector<std::string>& names) {
  for (const Scope* at = &scope; at != nullptr; at = at->parent) {
    // With a database before the table (topics.exams.id) the first name may go.
    for (std::size_t skip = 0; skip < 2 && names.size() >= skip + 2; ++skip) {
      if (skip == 1 && (!equal_ignoring_case(names[0], "topics") && !equal_ignoring_case(names[0], "default"))) {
        break;
      }
      for (const Relation& relation : at->relations) {
        if (!equal_ignoring_case(relation.alias, names[skip])) {
          continue;
        }
        for (const std::vector<Column>* columns : {&relation.columns, &relation.hidden}) {
          for (const Column& column : *columns) {
            if (equal_ignoring_case(column.name, names[skip + 1])) {
              return Resolved{column, skip + 2};
            }
          }
        }
      }
    }
    const Column* found = nullptr;
    bool ambiguous = false;
    const auto search = [&](const std::vector<Column>& columns) {
      for (const Column& column : columns) {
        if (equal_ignoring_case(column.name, names.front())) {
          ambiguous |= found != nullptr && found->sql != column.sql;
          found = &column;
        }
      }
    };
    search(at->star);
    if (found == nullptr) {
      for (const Relation& relation : at->relations) {
        search(relation.hidden);
      }
    }
    if (ambiguous) {
      return fail(ErrorCode::query, "the column {} is ambiguous: more than one table has it; write table.{}", names.front(), names.front());
    }
    if (found != nullptr) {
      return Resolved{*found, 1};
    }
  }
  return no_such_column(scope, names);
}

}  // namespace tripos::worker
