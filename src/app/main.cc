// The program. What it does is in cli/, one file per command; a server starts it as a worker, too (query/worker_process.h).
#include <charconv>
#include <cstdio>
#include <string_view>

#include "app/cli/command.h"
#include "worker/worker_main.h"

namespace {

// `tripos worker --fd N`: not for people.
int run_worker(int argument_count, char** arguments) {
  int descriptor = -1;
  if (argument_count == 4 && std::string_view(arguments[2]) == "--fd") {
    const std::string_view digits(arguments[3]);
    std::from_chars(digits.data(), digits.data() + digits.size(), descriptor);
  }
  if (descriptor < 0) {
    std::fputs("tripos worker is started by a server\n", stderr);
    return 2;
  }
  return tripos::worker::worker_main(descriptor);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count > 1 && std::string_view(arguments[1]) == "worker") return run_worker(argument_count, arguments);
  return tripos::app::run_command_line(argument_count, arguments);
}
