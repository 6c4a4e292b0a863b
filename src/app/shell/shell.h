// The SQL shell: statements over several lines until a semicolon, history, \d, \timing, \o; Ctrl-C cancels the statement under way.
#pragma once

#include "app/cli/query.h"
#include "base/error.h"
#include "client/http_client.h"

namespace tripos::app {

// Until \q or the end of the input.
[[nodiscard]] Result<> run_shell(client::HttpClient& http, OutputForm form);

}  // namespace tripos::app
