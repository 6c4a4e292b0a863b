// Which files a load reads: those that are named, and of a directory (and those below it) the ones that are named like JSON:
// .json, .jsonl, .ndjson, each also with .gz, .zst or .lz4 behind it; hidden ones left out, in the order of their paths.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace tripos::load {

struct InputFiles {
  std::vector<std::string> paths;
  std::uint64_t size_bytes = 0;   // of those whose size is known
  std::uint64_t passed_over = 0;  // files in directories that are not named like JSON
};

// Every path exists and can be read, or the first that can't is named. "-" is standard input, at most once.
[[nodiscard]] Result<InputFiles> find_input_files(const std::vector<std::string>& paths);

}  // namespace tripos::load
