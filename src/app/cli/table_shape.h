// fetch_shape: what columns a table has, for the statements that are written for it (exam/table_shape.h).
#pragma once

#include <string>

#include "client/http_client.h"
#include "exam/table_shape.h"

namespace tripos::app {

// not_found: there is no such table, or nothing in it yet.
[[nodiscard]] Result<exam::TableShape> fetch_shape(client::HttpClient& http, const std::string& table);

}  // namespace tripos::app
