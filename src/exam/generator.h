// AttemptGenerator: exam attempts of the shape that the firm's recorder writes (docs/guide/attempts.md), any number, from a seed.
// The same options give the same bytes on every machine.
//
// What is planted, each at a stated rate: attempts recorded more than once (byte for byte), attempts without `counts` and marks,
// `certification` that is null, exams whose name stands for two ids, times out of order. tally() tells what came out.
//
// A person has an ability, a question a difficulty; how likely the person knows the answer grows with their difference.
// Marks follow from the checked options only (exam/marking.h).
// Memory: the exams' definitions and the last few messages. Threads: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "exam/marking.h"
#include "exam/random.h"

namespace tripos::exam {

struct GeneratorOptions {
  std::uint64_t seed = 1;
  std::uint64_t messages = 3280;
  std::uint64_t exams = 103;
  std::uint64_t exams_with_two_ids = 4;
  double duplicate_rate = 0.012;        // of messages: a recent one again
  double missing_counts_rate = 0.0015;  // of attempts: no counts, no marks
  double certification_null_rate = 0.04;
};

// What the messages so far contain: what a report over them must find.
struct GeneratorTally {
  std::uint64_t messages = 0;
  std::uint64_t attempts = 0;  // distinct keen_id
  std::uint64_t messages_without_counts = 0;
  std::uint64_t messages_all_correct = 0;
};

class AttemptGenerator {
 public:
  // invalid_argument: rates outside of [0, 1], no exams, more exams than there are names.
  [[nodiscard]] static Result<AttemptGenerator> create(const GeneratorOptions& options);

  [[nodiscard]] bool done() const noexcept { return tally_.messages == options_.messages; }
  // The next message as minified JSON, valid until the next call. Not when done.
  [[nodiscard]] Bytes next();
  [[nodiscard]] const GeneratorTally& tally() const noexcept { return tally_; }

  // The largest number of exams that have names of their own.
  [[nodiscard]] static std::uint64_t exams_max() noexcept;

 private:
  struct Option {
    std::string id;
    bool correct = false;
  };
  struct Question {
    std::string id;
    double difficulty = 0;
    std::vector<Option> options;
  };
  struct Exam {
    std::string name;
    std::vector<std::string> ids;
    std::vector<Question> questions;
  };
  struct Message {
    Buffer json;
    bool counted = false;
    bool all_correct = false;
  };

  AttemptGenerator(const GeneratorOptions& options, std::vector<Exam> exams, WeightedChoice popularity, Random random);
  static std::vector<Exam> make_exams(const GeneratorOptions& options, Random& random);
  static Question make_question(Random& random);
  void write_attempt(Message& message);
  Mark write_question(Buffer& json, const Question& question, double ability, bool counted, std::int64_t& now_ms);
  void check_options(const Question& question, double ability);
  Message& slot(std::uint64_t attempt) { return recent_[attempt % recent_.size()]; }

  GeneratorOptions options_;
  std::vector<Exam> exams_;
  WeightedChoice popularity_;
  Random random_;
  GeneratorTally tally_;
  std::vector<Message> recent_;      // the last attempts, from which duplicates are taken
  std::vector<OptionState> states_;  // of the question being written
  Buffer questions_;                 // of the attempt being written
};

}  // namespace tripos::exam
