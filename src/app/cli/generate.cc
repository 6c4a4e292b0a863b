// tripos generate
#include <cerrno>
#include <cstdio>
#include <memory>

#include "app/cli/command.h"
#include "app/cli/stream.h"
#include "app/cli/terminal.h"
#include "exam/generator.h"
#include "exam/time_text.h"
#include "exam/truth.h"

namespace tripos::app {
namespace {

// Text that goes to a stream in large pieces.
class Output {
 public:
  Output(std::FILE* stream, std::string name) : stream_(stream), name_(std::move(name)) {}

  [[nodiscard]] Buffer& text() noexcept { return text_; }
  [[nodiscard]] Result<> flush_if_large() { return text_.size() < (1U << 20) ? Result<>() : flush(); }
  [[nodiscard]] Result<> flush() {
    const bool written = std::fwrite(text_.data(), 1, text_.size(), stream_) == text_.size() && std::fflush(stream_) == 0;
    text_.clear();
    if (!written) return tl::unexpected(os_error(errno, "writing", name_));
    return {};
  }

 private:
  std::FILE* stream_;
  std::string name_;
  Buffer text_;
};

struct Generate {
  static constexpr CommandInfo info = {"generate", "Make exam attempts, as many as you like, from a seed",
                                       "  tripos generate > attempts.ndjson                3280 of them, always the same\n"
                                       "  tripos generate --messages 1000000 --seed 7 | tripos load exams -\n"
                                       "  tripos generate --array --duplicates 0.1 > attempts.json\n"
                                       "  tripos generate --user-id --truth truth.ndjson > attempts.ndjson\n"
                                       "  tripos generate --plant wrong_marks=0.01 --plant not_json=0.001 > attempts.ndjson"};
  exam::GeneratorOptions options;
  std::string start = "2017-11-21";
  std::vector<std::string> planted;
  std::string truth;
  bool array = false;

  void flags(Flags& flags) {
    std::string fault_names;
    for (const exam::FaultInfo& fault : exam::faults()) fault_names += fmt::format("\n{}: {}", fault.name, fault.meaning);
    flags.option("--messages", options.messages, "How many; 3280 if not given", "N");
    flags.option("--seed", options.seed, "The same seed makes the same bytes", "N");
    flags.option("--exams", options.exams, "Of how many exams", "N");
    flags.option("--exams-with-two-ids", options.exams_with_two_ids, "How many of them, the most popular ones; 4 if not given", "N");
    flags.option("--zipf", options.zipf_exponent, "How uneven they are: the n-th is taken 1/(n+1)^this as often", "EXPONENT");
    flags.option("--persons", options.persons, "Taken by how many persons; one for four messages if not given", "N");
    flags.flag("--user-id", options.names_persons, "Each message has the person's user_id");
    flags.option("--start", start, "The first day", "DAY");
    flags.option("--days", options.days, "On how many days", "N");
    flags.option("--difficulty-mean", options.difficulty_mean, "Of the questions; abilities have mean 0 and deviation 1", "NUMBER");
    flags.option("--difficulty-deviation", options.difficulty_deviation, "Of the questions", "NUMBER");
    flags.option("--discrimination-deviation", options.discrimination_deviation, "Of the logarithm of the questions' discrimination",
                 "NUMBER");
    flags.option("--unanswered", options.unanswered_rate, "Of the questions that are not known, the share left unanswered", "RATE");
    flags.option("--duplicates", options.duplicate_rate, "Of the messages, the share that is recorded again", "RATE");
    flags.option("--without-counts", options.missing_counts_rate, "Of the attempts, the share without counts and marks", "RATE");
    flags.option("--without-certification", options.certification_null_rate, "The share whose certification is null", "RATE");
    flags.option("--plant", planted, "A fault, in that share of the attempts; may be repeated:" + fault_names, "FAULT=RATE");
    flags.option("--truth", truth, "Write the model's parameters and all that was planted into this file", "FILE");
    flags.flag("--array", array, "One JSON array; else NDJSON");
  }

  Result<> read_words() {
    TRIPOS_ASSIGN(options.start_ms, exam::parse_time(start));
    for (const std::string& fault : planted) {
      TRIPOS_TRY(exam::set_fault_rate(options.faults, fault));
    }
    options.exams_with_two_ids = std::min(options.exams_with_two_ids, options.exams);
    if (array && options.faults[static_cast<std::size_t>(exam::Fault::not_json)] > 0) {
      return fail(ErrorCode::invalid_argument, "--array and not_json: what is cut off would break the array");
    }
    return {};
  }

  Result<> run(Session&) {
    TRIPOS_TRY(read_words());
    TRIPOS_ASSIGN(exam::AttemptGenerator generator, exam::AttemptGenerator::create(options));
    Output output(stdout, "standard output");
    if (truth.empty()) {
      TRIPOS_TRY(write_attempts(generator, output, nullptr));
    } else {
      const StreamPointer file(std::fopen(truth.c_str(), "wbe"));
      if (file == nullptr) return tl::unexpected(os_error(errno, "creating", truth));
      Output lines(file.get(), truth);
      TRIPOS_TRY(write_model(generator, lines));
      TRIPOS_TRY(write_attempts(generator, output, &lines));
      exam::append_tally(lines.text(), generator.tally());
      TRIPOS_TRY(lines.flush());
    }
    fmt::print(stderr, "Generated {} messages of {} attempts, {} without counts.\n", grouped(generator.tally().messages),
               grouped(generator.tally().attempts), grouped(generator.tally().messages_without_counts));
    return {};
  }

  static Result<> write_model(const exam::AttemptGenerator& generator, Output& lines) {
    exam::append_model(lines.text(), generator);
    for (std::uint64_t number = 0; number < exam::person_count(generator.options()); ++number) {
      exam::append_person(lines.text(), generator.options(), number);
      TRIPOS_TRY(lines.flush_if_large());
    }
    return {};
  }

  Result<> write_attempts(exam::AttemptGenerator& generator, Output& output, Output* lines) const {
    if (array) output.text().push_back('[');
    while (!generator.done()) {
      if (array && generator.tally().messages > 0) output.text().append(",\n");
      output.text().append(generator.next());
      if (!array) output.text().push_back('\n');
      if (lines != nullptr) {
        exam::append_planted(lines->text(), generator);
        TRIPOS_TRY(lines->flush_if_large());
      }
      TRIPOS_TRY(output.flush_if_large());
    }
    if (array) output.text().append("]\n");
    return output.flush();
  }
};

}  // namespace

void add_generate(const Commands& root) { root.add<Generate>(); }

}  // namespace tripos::app
