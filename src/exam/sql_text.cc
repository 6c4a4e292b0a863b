#include "exam/sql_text.h"

#include <algorithm>
#include <array>

namespace tripos::exam {
namespace {

// Words that can't stand for a table or a column without quotes. Sorted.
constexpr std::array<std::string_view, 79> keywords = {
    "all",    "analyse", "analyze", "and",       "anti",   "any",    "array",     "as",      "asc",   "asof",       "between",  "both",
    "by",     "case",    "cast",    "check",     "column", "create", "cross",     "default", "desc",  "describe",   "distinct", "do",
    "else",   "end",     "except",  "exists",    "false",  "fetch",  "for",       "foreign", "from",  "full",       "grant",    "group",
    "having", "in",      "inner",   "intersect", "into",   "is",     "join",      "lateral", "left",  "like",       "limit",    "natural",
    "not",    "null",    "offset",  "on",        "only",   "or",     "order",     "outer",   "pivot", "positional", "primary",  "qualify",
    "right",  "select",  "semi",    "set",       "show",   "some",   "summarize", "table",   "then",  "to",         "true",     "union",
    "unique", "unpivot", "using",   "values",    "when",   "where",  "with",
};
static_assert(std::ranges::is_sorted(keywords));

bool is_plain(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || !letter(name.front()) || !std::ranges::all_of(name, [&](char c) { return letter(c) || digit(c); })) return false;
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return !std::ranges::binary_search(keywords, std::string_view(lower));
}

}  // namespace

std::string quoted_name(std::string_view name) {
  if (is_plain(name)) return std::string(name);
  std::string quoted = "`";
  for (const char c : name) quoted.append(c == '`' ? 2 : 1, c);
  return quoted + "`";
}

std::string quoted_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "'";
}

}  // namespace tripos::exam
