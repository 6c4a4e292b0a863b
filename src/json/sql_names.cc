#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "json/type.h"

namespace tripos::json {

namespace {

std::string fold_case(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return folded;
}

}  // namespace

std::vector<std::string> sql_names(const Type& structure) {
  const auto fields = structure.fields();
  // Names that are kept come first, so that a number never takes a name that some key has by itself.
  // Those of a row's record (src/worker/scan/log_scan.h) belong to it.
  std::unordered_set<std::string> taken = {"__tripos_partition", "__tripos_offset", "__tripos_timestamp", "__tripos_key", "__tripos_lost"};
  std::vector<std::string> names(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (taken.insert(fold_case(fields[i].name)).second) names[i] = fields[i].name;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!names[i].empty()) continue;
    for (int number = 1; names[i].empty(); ++number) {
      std::string numbered = fmt::format("{}_{}", fields[i].name, number);
      if (taken.insert(fold_case(numbered)).second) names[i] = std::move(numbered);
    }
  }
  return names;
}

}  // namespace tripos::json
