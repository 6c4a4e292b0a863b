#include "app/render/show.h"

#include <algorithm>
#include <cstdint>

namespace tripos::app {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t size_bytes;
};

// The code point at `position`. Results are valid UTF-8; a byte that is not stands for itself.
CodePoint code_point_at(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[position + i]); };
  const std::uint8_t first = byte(0);
  const std::size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 1 || position + size > text.size()) return {first, 1};
  char32_t value = first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (byte(i) & 0x3fU);
  return {value, size};
}

std::size_t unit_count(char32_t c) noexcept { return c >= 0x10000 ? 2 : 1; }  // of UTF-16

// The characters that Spark counts as two columns wide (org.apache.spark.util.SparkStringUtils, fullWidthRegex).
bool is_full_width(char32_t c) noexcept {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xfe10 && c <= 0xfe19) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6);
}

std::size_t length_in_units(std::string_view text) {
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    length += unit_count(c.value);
    at += c.size_bytes;
  }
  return length;
}

// The first `count` UTF-16 units. Half of a surrogate pair is written as '?', as Java's UTF-8 encoder does.
std::string first_units(std::string_view text, std::size_t count) {
  std::size_t units = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const CodePoint c = code_point_at(text, at);
    if (units + unit_count(c.value) > count) break;
    units += unit_count(c.value);
    at += c.size_bytes;
  }
  std::string taken(text.substr(0, at));
  if (units < count && at < text.size()) taken.push_back('?');
  return taken;
}

void append_line(const TextRow& cells, const std::vector<std::size_t>& widths, bool right_aligned, std::string& to) {
  to.push_back('|');
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::size_t padding = widths[i] - std::min(widths[i], text_width(cells[i]));
    if (right_aligned) to.append(padding, ' ');
    to.append(cells[i]);
    if (!right_aligned) to.append(padding, ' ');
    to.push_back('|');
  }
  to.append(widths.empty() ? "|\n" : "\n");
}

}  // namespace

std::string escape_meta_characters(std::string_view text) {
  static constexpr std::string_view meta = "\n\r\t\f\b\v\a";
  static constexpr std::string_view letters = "nrtfbva";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (const std::size_t found = meta.find(c); found != std::string_view::npos) {
      escaped.push_back('\\');
      escaped.push_back(letters[found]);
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

std::size_t text_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    width += unit_count(c.value) + (is_full_width(c.value) ? 1 : 0);
    at += c.size_bytes;
  }
  return width;
}

std::string shorten(std::string_view text, std::size_t length_max) {
  if (length_max == 0 || length_in_units(text) <= length_max) return std::string(text);
  if (length_max < 4) return first_units(text, length_max);
  return first_units(text, length_max - 3) + "...";
}

std::string show_table(const TextRow& titles, const std::vector<TextRow>& rows, const ShowOptions& options) {
  static constexpr std::size_t column_width_min = 3;
  const bool right_aligned = options.cell_length_max > 0;
  const std::size_t row_count = std::min(rows.size(), options.row_count_max);
  std::vector<TextRow> lines;
  lines.reserve(row_count + 1);
  TextRow& header = lines.emplace_back();
  for (const std::string& title : titles) header.push_back(escape_meta_characters(title));
  for (std::size_t i = 0; i < row_count; ++i) {
    TextRow& line = lines.emplace_back();
    for (const std::string& cell : rows[i]) line.push_back(shorten(escape_meta_characters(cell), options.cell_length_max));
  }
  std::vector<std::size_t> widths(titles.size(), column_width_min);
  for (const TextRow& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], text_width(line[i]));
  }
  std::string rule = "+";
  for (const std::size_t width : widths) rule.append(width, '-').push_back('+');
  rule.append(widths.empty() ? "+\n" : "\n");

  std::string text = rule;
  append_line(header, widths, right_aligned, text);
  text.append(rule);
  for (std::size_t i = 1; i < lines.size(); ++i) append_line(lines[i], widths, right_aligned, text);
  text.append(rule);
  if (rows.size() > options.row_count_max) {
    text.append("only showing top ")
        .append(std::to_string(options.row_count_max))
        .append(options.row_count_max == 1 ? " row\n" : " rows\n");
  }
  text.push_back('\n');
  return text;
}

}  // namespace tripos::app
