// What clients do after a crash, when they come back: they send again what was not answered, take their transactional ids over, and go on.
#pragma once

#include <string>

#include "history.h"
#include "world.h"

namespace tripos::sim {

// What went wrong; empty: nothing. `history` gets what they were told.
[[nodiscard]] std::string come_back(World& world, History& history);

}  // namespace tripos::sim
