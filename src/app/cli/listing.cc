#include "app/cli/listing.h"

#include <algorithm>
#include <cctype>

#include "app/render/cell.h"
#include "base/check.h"

namespace tripos::app {
namespace {

constexpr std::size_t columns_gap = 2;

std::string shown(const ListingCell& cell, std::string_view nothing) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return std::to_string(*number);
  return std::string(nothing);
}

std::string json(const ListingCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return json_string(*text);
  return shown(cell, "null");
}

std::string title_of(std::string column) {
  std::ranges::transform(column, column.begin(), [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::toupper(c)); });
  return column;
}

}  // namespace

Result<ListingForm> listing_form(std::string_view name) {
  if (name == "table") return ListingForm::table;
  if (name == "json") return ListingForm::json;
  if (name == "jsonl") return ListingForm::jsonl;
  if (name == "csv") return ListingForm::csv;
  return fail(ErrorCode::invalid_argument, "-o takes {}, not '{}'", listing_form_names, name);
}

void Listing::add(std::vector<ListingCell> row) {
  CHECK(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

std::string Listing::table() const {
  std::vector<std::vector<std::string>> lines;
  auto& titles = lines.emplace_back();
  for (const std::string& column : columns_) titles.push_back(title_of(column));
  for (const auto& row : rows_) {
    auto& line = lines.emplace_back();
    for (const ListingCell& cell : row) line.push_back(shown(cell, "-"));
  }
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[i] - line[i].size() + columns_gap, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string Listing::object(const std::vector<ListingCell>& row) const {
  std::string text = "{";
  for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("{}{}:{}", i == 0 ? "" : ",", json_string(columns_[i]), json(row[i]));
  return text + "}";
}

std::string Listing::text(ListingForm form) const {
  std::string text;
  switch (form) {
    case ListingForm::table: return table();
    case ListingForm::json: {
      text = "[";
      for (std::size_t i = 0; i < rows_.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ",\n ", object(rows_[i]));
      return text + "]\n";
    }
    case ListingForm::jsonl:
      for (const auto& row : rows_) text += object(row) + "\n";
      return text;
    case ListingForm::csv: {
      text = fmt::format("{}\n", fmt::join(columns_, ","));
      for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ",", csv_field(shown(row[i], "")));
        text += '\n';
      }
      return text;
    }
  }
  return text;
}

}  // namespace tripos::app
