#include "load/input_files.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "load/byte_source.h"

namespace tripos::load {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> compressed_endings = {".gz", ".zst", ".lz4"};
constexpr std::array<std::string_view, 3> json_endings = {".json", ".jsonl", ".ndjson"};

bool is_named_like_json(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const std::string_view ending : compressed_endings) {
    if (name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      break;
    }
  }
  return std::any_of(json_endings.begin(), json_endings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

Result<> find_below(const std::string& directory, InputFiles& found) {
  std::error_code failed;
  std::vector<std::string> paths;
  for (fs::recursive_directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      if (hidden) at.disable_recursion_pending();
    } else if (!hidden && at->is_regular_file(ignored)) {
      if (is_named_like_json(at->path().filename().string())) {
        paths.push_back(at->path().string());
      } else {
        ++found.passed_over;
      }
    }
  }
  if (failed) return tl::unexpected(os_error(failed.value(), "listing", directory));
  if (paths.empty()) {
    return fail(ErrorCode::not_found, "directory {} has no file that is named like JSON (.json, .jsonl, .ndjson; .gz, .zst, .lz4 of them)",
                directory);
  }
  std::sort(paths.begin(), paths.end());
  found.paths.insert(found.paths.end(), paths.begin(), paths.end());
  return {};
}

}  // namespace

Result<InputFiles> find_input_files(const std::vector<std::string>& paths) {
  InputFiles found;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (path != "-" && fs::is_directory(path, ignored)) {
      TRIPOS_TRY(find_below(path, found));
    } else {
      found.paths.push_back(path);
    }
  }
  if (std::count(found.paths.begin(), found.paths.end(), "-") > 1)
    return fail(ErrorCode::invalid_argument, "- (standard input) can be read once only");
  for (const std::string& path : found.paths) {
    TRIPOS_ASSIGN(const ByteSource source, ByteSource::open(path));
    found.size_bytes += source.size_bytes();
  }
  return found;
}

}  // namespace tripos::load
