// show_table: the table that Spark 4's show() prints, byte for byte, the empty line behind it included.
// Widths count UTF-16 units, as Java does, and full-width East Asian characters twice.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tripos::app {

struct ShowOptions {
  std::size_t row_count_max = 20;
  // Longer cells end in "..."; 0: nothing is cut, and cells are aligned left instead of right.
  std::size_t cell_length_max = 20;
};

using TextRow = std::vector<std::string>;  // cells as Spark's ToPrettyString writes them (render/cell.h)

// `rows` may hold more than row_count_max: the table then says so.
[[nodiscard]] std::string show_table(const TextRow& titles, const std::vector<TextRow>& rows, const ShowOptions& options);

// Line breaks and the like as two characters ("\n"), so that a table stays a table.
[[nodiscard]] std::string escape_meta_characters(std::string_view text);

// How many columns the text takes: UTF-16 units, full-width characters twice.
[[nodiscard]] std::size_t text_width(std::string_view text);

// At most `length_max` UTF-16 units of the text, with "..." at the end where it is cut. 0: the whole text.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t length_max);

}  // namespace tripos::app
