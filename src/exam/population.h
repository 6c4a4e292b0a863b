// The population that generated attempts come from: exams with their questions, persons; all of it follows from a seed.
//
// Exams differ in how often they are taken (Zipf's law). Questions follow a two-parameter logistic model: a person of ability θ gets a
// question of discrimination a and difficulty b right with probability 1 / (1 + exp(-a (θ - b))). θ and b are normal, a is lognormal. The
// time that a question takes is lognormal: exp(intensity of the question - speed of the person + noise) seconds (van der Linden, "A
// lognormal model for response times on test items", 2006).
// Threads: none; what is made does not change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "exam/fault.h"
#include "exam/random.h"

namespace tripos::exam {

struct GeneratorOptions {
  std::uint64_t seed = 1;
  std::uint64_t messages = 3280;
  std::uint64_t exams = 103;
  std::uint64_t exams_with_two_ids = 4;
  std::uint64_t persons = 0;              // 0: one for four messages
  bool names_persons = false;             // each message has a user_id
  double zipf_exponent = 1;               // of popularity: the n-th exam is taken 1 / (n + 1)^this as often
  double difficulty_mean = -0.6;          // of questions
  double difficulty_deviation = 1;        // abilities: mean 0, deviation 1
  double discrimination_deviation = 0.3;  // of its logarithm, whose mean is 0
  double unanswered_rate = 0.1;           // of the questions that a person does not get right
  std::int64_t start_ms = 1511222400000;  // 2017-11-21
  std::uint64_t days = 68;                // from then
  double duplicate_rate = 0.012;          // of messages: a recent one again, byte for byte
  double missing_counts_rate = 0.0015;    // of attempts: no counts, no marks
  double certification_null_rate = 0.04;  // of attempts
  FaultRates faults = {};                 // of attempts; altered_copy: of messages
};

// invalid_argument: says which option can't be, and what it may be.
[[nodiscard]] Result<> check_options(const GeneratorOptions& options);
// The largest number of exams that have names of their own.
[[nodiscard]] std::uint64_t exams_max() noexcept;
[[nodiscard]] std::uint64_t person_count(const GeneratorOptions& options) noexcept;

struct ModelOption {
  std::string id;
  bool right = false;
};

struct ModelQuestion {
  std::string id;
  double discrimination = 1;
  double difficulty = 0;
  double intensity = 0;  // the logarithm of the seconds that it takes
  std::vector<ModelOption> options;
  WeightedChoice pull = WeightedChoice({1});  // of each option on those who choose a wrong one; 0 for a right one
  std::size_t right_count = 0;

  [[nodiscard]] bool all_right() const noexcept { return right_count == options.size(); }
};

struct ModelExam {
  std::string name;
  std::vector<std::string> ids;
  std::vector<ModelQuestion> questions;
};

struct Person {
  std::string id;
  double ability = 0;
  double speed = 0;
  std::int64_t zone_minutes = 0;  // east of UTC
};

struct Population {
  std::vector<ModelExam> exams;
  WeightedChoice popularity;
};

[[nodiscard]] Population make_population(const GeneratorOptions& options);

// Persons are not kept: each follows from its number.
[[nodiscard]] Person make_person(const GeneratorOptions& options, std::uint64_t number);

// The chance that the person gets the question right.
[[nodiscard]] double chance_of_right(const ModelQuestion& question, double ability) noexcept;

}  // namespace tripos::exam
