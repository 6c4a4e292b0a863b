// batch_text: what POST and GET /v1/batch answer, for people: a line per table, a line per partition.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tripos::app {

[[nodiscard]] Result<std::string> batch_text(std::string_view json);

}  // namespace tripos::app
