// Listing: rows that a command itself has gathered, as people read them or as programs do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace tripos::app {

// table: aligned columns; json: an array of objects; jsonl: an object per line; csv.
enum class ListingForm { table, json, jsonl, csv };
inline constexpr const char* listing_form_names = "table, json, jsonl or csv";
[[nodiscard]] Result<ListingForm> listing_form(std::string_view name);

// monostate: nothing is known; "-" in a table, null in JSON.
using ListingCell = std::variant<std::monostate, std::string, std::int64_t>;

class Listing {
 public:
  // Columns by the names that JSON and CSV have for them ("log_end"); a table's titles are those in capitals ("LOG-END").
  explicit Listing(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  void add(std::vector<ListingCell> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  [[nodiscard]] std::string text(ListingForm form) const;

 private:
  [[nodiscard]] std::string table() const;
  [[nodiscard]] std::string object(const std::vector<ListingCell>& row) const;

  std::vector<std::string> columns_;
  std::vector<std::vector<ListingCell>> rows_;
};

}  // namespace tripos::app
