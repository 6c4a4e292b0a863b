#include "worker/settings.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "worker/functions/spark_functions.h"
#include "worker/table_view.h"

namespace tripos::worker {
namespace {

// DuckDB compares where a path leads in the end: a descriptor's path (/proc/self/fd/7) stands for the file behind it. So the directories
// of all files that are handed to a statement are listed, and what a statement may name itself is checked when it is bound.
std::string allowed_directories(const protocol::Configure& configure) {
  std::vector<std::string> directories = configure.allowed_paths;
  directories.push_back(configure.temporary_directory);
  directories.push_back(configure.table_directory);
  std::string list;
  for (const std::string& directory : directories) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::weakly_canonical(directory, error);
    if (error || directory.empty()) continue;
    const bool is_file = std::filesystem::is_regular_file(path, error);
    const std::string allowed = is_file ? path.parent_path().string() : path.string();
    list += fmt::format("{}{}", list.empty() ? "" : ", ", literal(allowed + "/"));
  }
  return list;
}

}  // namespace

Result<> limit_process(const protocol::Configure& configure) {
#ifndef TRIPOS_SANITIZED  // a sanitizer's own memory is far beyond any limit
  if (configure.memory_bytes_max != 0) {
    const rlimit limit{configure.memory_bytes_max, configure.memory_bytes_max};
    if (setrlimit(RLIMIT_DATA, &limit) != 0) {
      return tl::unexpected(os_error(errno, "limiting", "the worker's memory"));
    }
  }
#endif
  const rlimit no_core{0, 0};
  static_cast<void>(setrlimit(RLIMIT_CORE, &no_core));
  // Raising the priority back may be forbidden; lowering it never is.
  static_cast<void>(setpriority(PRIO_PROCESS, 0, configure.nice));
  return {};
}

Result<Database> open_engine(const protocol::Configure& configure, Scans& scans) {
  std::vector<Setting> settings = {
      {"threads", fmt::format("{}", std::max(configure.thread_count, 1U))},
      {"temp_directory", configure.temporary_directory},
      {"default_null_order", "nulls_first_on_asc_last_on_desc"},
      {"ieee_floating_point_ops", "false"},
      {"preserve_insertion_order", "true"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"enable_external_file_cache", "false"},  // /proc/self/fd/7 is another file in the next statement
  };
  if (configure.memory_bytes_max != 0) {
    // DuckDB then spills before the hard limit strikes; the rest is for what its accounting doesn't see.
    settings.push_back({"memory_limit", fmt::format("{}B", configure.memory_bytes_max / 10 * 7)});
  }
  TRIPOS_ASSIGN(Database database, Database::open(settings));
  TRIPOS_ASSIGN(const Connection connection, database.connect());
  TRIPOS_TRY(connection.execute("SET GLOBAL TimeZone = 'UTC'"));
  // The first of each, in their order; DuckDB's list_distinct keeps none.
  TRIPOS_TRY(connection.execute(
      "CREATE MACRO tripos_distinct(list) AS list_filter(list, lambda kept, place: CASE WHEN kept IS NULL THEN "
      "len(list_filter(list_slice(list, 1, place), lambda other: other IS NULL)) = 1 ELSE list_position(list, kept) = place END)"));
  TRIPOS_TRY(register_spark_functions(connection));
  TRIPOS_TRY(register_shown_function(connection));
  TRIPOS_TRY(register_log_scan(connection, scans));
  // No ATTACH, no INSTALL, no LOAD, no network; files only where the pin's and the operator's lie. The rewriter, on top of it, lets no
  // function through that reads a file (StatementRunner::Tables).
  TRIPOS_TRY(connection.execute(fmt::format("SET GLOBAL allowed_directories = [{}]", allowed_directories(configure))));
  TRIPOS_TRY(connection.execute("SET GLOBAL enable_external_access = false"));
  TRIPOS_TRY(connection.execute("SET GLOBAL lock_configuration = true"));
  return database;
}

}  // namespace tripos::worker
