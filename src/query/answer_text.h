// The parts of answers that the server itself writes, as JSON (docs/reference/http.md).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lambda/snapshotter.h"
#include "lambda/tables.h"
#include "query/protocol/messages.h"

namespace tripos::query {

// [{"name":"a","type":"bigint"},…]
[[nodiscard]] std::string columns_text(std::span<const protocol::Column> columns);

// {"tables":[{"table":"exams","topic":"exams","topic_id":"…","kind":"rows","manifest":2,
//             "partitions":[{"partition":0,"begin":0,"live_begin":3000,"end":3280}]}]}
// The answer reflects the records [begin, end) of each partition: those below live_begin from files, the others from the log.
[[nodiscard]] std::string as_of_text(const lambda::Pin& pin);

// {"tables":[{"topic":…,"outcome":"written","manifest":2,"new_files":1,"new_rows":3280,"new_bytes":…,
//             "files":…,"rows":…,"bytes":…,"partitions":[…]}]}
[[nodiscard]] std::string batch_run_text(std::span<const lambda::TableSnapshot> snapshots);
[[nodiscard]] std::string batch_status_text(std::span<const lambda::TableStatus> tables);

// {"code":"not_found","message":"…"}
[[nodiscard]] std::string error_text(const Error& error);

}  // namespace tripos::query
