// Runs a fuzzer's entry without libFuzzer: over the files given or those of a directory (what a fuzzer found),
// and over random inputs (--random COUNT).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) { (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()); }

int files_run = 0;

bool run_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: can't be read\n", path.c_str());
    return false;
  }
  run(std::string(std::istreambuf_iterator<char>(file), {}));
  ++files_run;
  return true;
}

// Small bytes are frequent: in formats they are lengths, tags and kinds.
std::string random_input(std::mt19937_64& random) {
  std::string input(random() % 200, '\0');
  for (char& byte : input) byte = static_cast<char>(random() % 3 == 0 ? random() : random() % 8);
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--random" && i + 1 < argc) {
      std::mt19937_64 random(1);
      for (long count = std::strtol(argv[++i], nullptr, 10); count > 0; --count) run(random_input(random));
      continue;
    }
    const int files_before = files_run;
    std::error_code none;
    if (!std::filesystem::is_directory(argv[i])) {
      if (!run_file(argv[i])) return 1;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], none)) {
      if (!run_file(entry.path())) return 1;
    }
    if (files_run == files_before) {
      std::fprintf(stderr, "%s: holds no inputs\n", argv[i]);
      return 1;
    }
  }
  return 0;
}
