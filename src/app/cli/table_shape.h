// fetch_shape: what columns a table has, for the statements that are written for it (exam/table_shape.h).
#pragma once

#include <functional>
#include <string>

#include "client/http_client.h"
#include "exam/table_shape.h"

namespace tripos::app {

// not_found: there is no such table, or nothing in it yet.
[[nodiscard]] Result<exam::TableShape> fetch_shape(client::HttpClient& http, const std::string& table);

// Runs `ask`, which sends a statement that is written for the table's shape. A table's columns only grow: if they are the same afterwards,
// they were so in between, too, and the statement has left nothing out; else it is run again. unavailable: they keep changing.
[[nodiscard]] Result<> ask_of_shape(client::HttpClient& http, const std::string& table,
                                    const std::function<Result<>(const exam::TableShape&)>& ask);

}  // namespace tripos::app
