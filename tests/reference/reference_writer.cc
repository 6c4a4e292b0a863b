// What the program's own tables say, for docs/reference (reference.py): reference_writer requests | metrics
#include <fmt/format.h>

#include <string_view>

#include "app/metrics/families.h"
#include "broker/api/table.h"

int main(int argument_count, char** arguments) {
  using namespace tripos;
  const std::string_view what = argument_count == 2 ? arguments[1] : "";
  if (what == "requests") {
    for (const broker::ApiRow& row : broker::api_table()) {
      fmt::print("{}\t{}\t{}\t{}\n", static_cast<int>(row.key), to_string(row.key), row.versions.min, row.versions.max);
    }
  } else if (what == "metrics") {
    for (const app::MetricFamily& family : app::metric_families()) {
      fmt::print("{}\t{}\t{}\t{}\n", family.name, to_string(family.type), family.labels, family.help);
    }
  } else {
    fmt::print(stderr, "reference_writer requests | metrics\n");
    return 2;
  }
  return 0;
}
