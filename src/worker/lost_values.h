// LostValues: functions that read one field out of a file's column __tripos_lost (json/shred.h) as a value of a given type: where a
// column has widened since the file was written, and its own values don't tell of what kind they were.
// One for a connection; what was registered stays. Threads: one at a time.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "json/type.h"
#include "worker/connection.h"
#include "worker/dialect/sql_type.h"

namespace tripos::worker {

class LostValues {
 public:
  explicit LostValues(const Connection& connection) : connection_(connection) {}

  // The name of the function: text → the field's value, NULL if the text is NULL or has no such field. `sql`: the field's type as SQL
  // names it.
  [[nodiscard]] Result<std::string> function(const json::Field& field, const SqlType& sql);

 private:
  const Connection& connection_;
  std::map<std::tuple<std::string, std::string, std::string>, std::string> names_;  // by field, its type, the SQL type
};

}  // namespace tripos::worker
