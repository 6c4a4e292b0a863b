// AttemptGenerator: exam attempts of the shape that the firm's recorder writes (docs/guide/attempts.md), any number, from a seed.
// The same options give the same bytes on every machine.
//
// Who answers what how is the population's (exam/population.h); marks follow from the checked options only (exam/marking.h). Persons come
// in sessions at their local time of day, the sessions' days advance with the messages, so that the order of messages is roughly, not
// exactly, the order of time.
//
// What is planted, each at a stated rate: attempts recorded more than once, attempts without `counts` and marks, `certification` that is
// null, exams whose name stands for two ids, and faults (exam/fault.h), at most one an attempt. planted() tells each, truth.h writes it
// down.
//
// Memory: the exams' definitions and the last few messages. Threads: none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "exam/attempt_text.h"
#include "exam/population.h"

namespace tripos::exam {

// What the messages so far contain: what a report over them must find.
struct GeneratorTally {
  std::uint64_t messages = 0;
  std::uint64_t attempts = 0;  // distinct keen_id
  std::uint64_t messages_without_counts = 0;
  std::uint64_t messages_all_correct = 0;
};

// What was planted in a message.
struct Planted {
  std::string_view what;  // "copy", "without_counts", or a fault's name
  std::uint64_t message;  // its number, from 0
  std::string_view keen_id;
  std::optional<std::uint64_t> copy_of = {};  // a message's number
};

class AttemptGenerator {
 public:
  [[nodiscard]] static Result<AttemptGenerator> create(const GeneratorOptions& options);

  [[nodiscard]] bool done() const noexcept { return tally_.messages == options_.messages; }
  // The next message as minified JSON (unless it was planted to be none), valid until the next call. Not when done.
  [[nodiscard]] Bytes next();
  // What was planted in the last message; valid as long as that.
  [[nodiscard]] std::span<const Planted> planted() const noexcept { return planted_; }

  [[nodiscard]] const GeneratorTally& tally() const noexcept { return tally_; }
  [[nodiscard]] const GeneratorOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Population& population() const noexcept { return population_; }

 private:
  struct Message {
    Buffer json;
    std::string keen_id;
    std::uint64_t number = 0;
    bool counted = false;
    bool all_correct = false;
  };
  struct Session {
    Person person;
    std::uint64_t attempts_left = 0;
    std::int64_t now_ms = 0;
    bool busy = false;
  };

  AttemptGenerator(const GeneratorOptions& options, Population population);

  const Message& copy_recent(Fault fault);
  const Message& write_attempt();
  [[nodiscard]] Fault choose_fault();
  void start_session(bool busy);
  void start_attempt(const ModelExam& exam, Fault fault);
  void answer(const ModelQuestion& question, bool key_is_missing);
  void check_options(const ModelQuestion& question);
  void mark_questions();
  void plant(Fault fault);
  void plant_wrong_mark();
  void tell(std::string_view what, const Message& message, std::optional<std::uint64_t> copy_of = {});

  GeneratorOptions options_;
  Population population_;
  Random random_;
  GeneratorTally tally_;
  Session session_;
  RecordedAttempt attempt_;          // being written
  std::string renamed_;              // its exam's name, if that was changed
  std::string last_sitting_;         // a user_exam_id that may be used again; empty: none
  std::vector<OptionState> states_;  // of the question that is being answered
  std::vector<Message> recent_;      // without faults, from which copies are taken
  std::uint64_t recent_count_ = 0;   // all that were ever in there
  Message faulty_;
  std::vector<Planted> planted_;
};

}  // namespace tripos::exam
