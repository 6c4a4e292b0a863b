// closest_word: what somebody probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tripos::app {

// The candidate that is fewest edits (insert, remove, replace, swap neighbours) away; empty if none is near.
[[nodiscard]] std::string closest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tripos::app
