// Runs a fuzzer's entry without libFuzzer: over the files given (what a fuzzer found), and over random inputs (--random COUNT).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) { (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()); }

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
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "%s: can't be read\n", argv[i]);
      return 1;
    }
    run(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return 0;
}
