// The program. What it does is in cli/, one file per command.
#include "app/cli/command.h"

int main(int argument_count, char** arguments) { return tripos::app::run_command_line(argument_count, arguments); }
