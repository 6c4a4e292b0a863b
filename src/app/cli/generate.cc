// tripos generate
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/terminal.h"
#include "exam/generator.h"

namespace tripos::app {
namespace {

struct Generate {
  static constexpr CommandInfo info = {"generate", "Make exam attempts, as many as you like, from a seed",
                                       "  tripos generate > attempts.ndjson                3280 of them, always the same\n"
                                       "  tripos generate --messages 1000000 --seed 7 | tripos load exams -\n"
                                       "  tripos generate --array --duplicates 0.1 > attempts.json"};
  exam::GeneratorOptions options;
  bool array = false;

  void flags(Flags& flags) {
    flags.option("--messages", options.messages, "How many; 3280 if not given", "N");
    flags.option("--seed", options.seed, "The same seed makes the same bytes", "N");
    flags.option("--exams", options.exams, "Of how many exams", "N");
    flags.option("--duplicates", options.duplicate_rate, "Of the messages, the share that is recorded again", "RATE");
    flags.option("--without-counts", options.missing_counts_rate, "Of the attempts, the share without counts and marks", "RATE");
    flags.option("--without-certification", options.certification_null_rate, "The share whose certification is null", "RATE");
    flags.flag("--array", array, "One JSON array; else NDJSON");
  }
  Result<> run(Session&) {
    options.exams_with_two_ids = std::min(options.exams_with_two_ids, options.exams);
    TRIPOS_ASSIGN(exam::AttemptGenerator generator, exam::AttemptGenerator::create(options));
    Buffer text = array ? "[" : "";
    while (!generator.done()) {
      if (array && generator.tally().messages > 0) text.append(",\n");
      text.append(generator.next());
      if (!array) text.push_back('\n');
      if (text.size() < (1U << 20) && !generator.done()) continue;
      if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return fail(ErrorCode::io, "standard output can't be written");
      text.clear();
    }
    if (array) fmt::print("{}]\n", text);
    fmt::print(stderr, "Generated {} messages of {} attempts, {} without counts.\n", grouped(generator.tally().messages),
               grouped(generator.tally().attempts), grouped(generator.tally().messages_without_counts));
    return {};
  }
};

}  // namespace

void add_generate(const Commands& root) { root.add<Generate>(); }

}  // namespace tripos::app
