#include "lambda/table_names.h"

#include <algorithm>
#include <numeric>

namespace tripos::lambda {

namespace {

constexpr std::string_view suffix_of(TableKind kind) {
  switch (kind) {
    case TableKind::rows: return "";
    case TableKind::messages: return "_messages";
    case TableKind::rejected: return "_rejected";
  }
  return "";
}

constexpr TableKind all_kinds[] = {TableKind::rows, TableKind::messages, TableKind::rejected};

// How many letters must be inserted, removed or replaced to make b of a.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view to_string(TableKind kind) noexcept {
  switch (kind) {
    case TableKind::rows: return "rows";
    case TableKind::messages: return "messages";
    case TableKind::rejected: return "rejected";
  }
  return "rows";
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

TableNames::TableNames(std::vector<TopicDescription> topics) : topics_(std::move(topics)) {
  std::erase_if(topics_, [](const TopicDescription& topic) { return topic.internal || !topic.table; });
  std::sort(topics_.begin(), topics_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const TableKind kind : all_kinds) {
    for (const TopicDescription& topic : topics_) add(topic, kind, topic.name + std::string(suffix_of(kind)));
  }
}

void TableNames::add(const TopicDescription& topic, TableKind kind, const std::string& name) {
  std::string unique = name;
  for (int number = 1; tables_.contains(in_lower_case(unique)); ++number) unique = fmt::format("{}_{}", name, number);
  tables_.emplace(in_lower_case(unique), Table{.topic = &topic, .kind = kind, .name = unique});
}

Result<TableNames::Table> TableNames::resolve(const TableReference& reference) const {
  const std::string qualifier = in_lower_case(reference.qualifier);
  if (qualifier == "topics") return resolve_topic(reference.name);
  if (!qualifier.empty() && qualifier != "default" && qualifier != "main") {
    return fail(ErrorCode::not_found, "there is no schema {}: tables have plain names, or topics.\"NAME\"", reference.qualifier);
  }
  const auto found = tables_.find(in_lower_case(reference.name));
  if (found != tables_.end()) return found->second;
  return fail(ErrorCode::not_found, "there is no table or view {}{}", reference.name, near(reference.name));
}

Result<TableNames::Table> TableNames::resolve_topic(const std::string& name) const {
  for (const bool exact : {true, false}) {
    for (const TableKind kind : all_kinds) {
      for (const TopicDescription& topic : topics_) {
        const std::string table = topic.name + std::string(suffix_of(kind));
        if (exact ? table == name : in_lower_case(table) == in_lower_case(name)) return Table{.topic = &topic, .kind = kind, .name = table};
      }
    }
  }
  return fail(ErrorCode::not_found, "there is no topic {}{}", name, near(name));
}

std::string TableNames::near(std::string_view name) const {
  const std::string lower = in_lower_case(name);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(lower.size() / 3, 1) + 1;
  for (const auto& [key, table] : tables_) {
    const std::size_t distance = edit_distance(lower.substr(0, 256), key);
    if (distance < best_distance) {
      best_distance = distance;
      best = table.name;
    }
  }
  if (!best.empty()) return fmt::format("; did you mean {}?", best);
  return tables_.empty() ? "; there are no topics yet" : "";
}

}  // namespace tripos::lambda
