#include "exam/population.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "exam/portable_math.h"

namespace tripos::exam {
namespace {

constexpr std::array<std::string_view, 8> title_patterns = {
    "Foundations of {}", "{} in Practice", "{} for Beginners",     "Advanced {}",
    "Understanding {}",  "{} Workshop",    "The Essentials of {}", "{}: A Second Course",
};
constexpr std::array<std::string_view, 40> subjects = {
    "Algebra",   "Geometry",       "Probability", "Calculus",          "Number Theory", "Graph Theory", "Astronomy",    "Optics",
    "Mechanics", "Thermodynamics", "Acoustics",   "Genetics",          "Botany",        "Anatomy",      "Ecology",      "Geology",
    "Chemistry", "Metallurgy",     "Cartography", "Navigation",        "Surveying",     "Bookkeeping",  "Typography",   "Archiving",
    "Grammar",   "Rhetoric",       "Logic",       "Translation",       "Phonetics",     "Harmony",      "Counterpoint", "Perspective",
    "Databases", "Compilers",      "Networks",    "Operating Systems", "Cryptography",  "Queues",       "Spreadsheets", "Type Systems",
};

// Each is a stream of random numbers of its own, so that more of one kind does not change the others.
constexpr std::uint64_t population_stream = 1;
constexpr std::uint64_t persons_stream = 2;

constexpr double intensity_mean = 3.2;  // about 25 seconds
constexpr double intensity_deviation = 0.35;
constexpr double speed_deviation = 0.3;

struct Zone {
  std::int64_t minutes;
  double weight;
};
constexpr std::array<Zone, 12> zones = {
    {{-480, 12}, {-420, 4}, {-360, 8}, {-300, 18}, {-180, 4}, {0, 10}, {60, 16}, {120, 6}, {330, 12}, {480, 5}, {540, 2}, {600, 3}}};

ModelQuestion make_question(const GeneratorOptions& options, Random& random) {
  static const WeightedChoice option_counts({2, 25, 69, 2, 2});  // 2, 3 … 6 options
  static const WeightedChoice right_counts({70, 15, 12, 3});     // 1, 2, 3, 4 of them right
  ModelQuestion question;
  random.append_uuid(question.id);
  question.discrimination = random.lognormal(0, options.discrimination_deviation);
  question.difficulty = random.normal(options.difficulty_mean, options.difficulty_deviation);
  question.intensity = random.normal(intensity_mean, intensity_deviation);
  question.options.resize(option_counts.pick(random) + 2);
  question.right_count = std::min(right_counts.pick(random) + 1, question.options.size());
  for (ModelOption& option : question.options) random.append_uuid(option.id);
  for (std::size_t marked = 0; marked < question.right_count;) {
    ModelOption& option = question.options[random.index(question.options.size())];
    marked += option.right ? 0 : 1;
    option.right = true;
  }
  std::vector<double> pulls;
  for (const ModelOption& option : question.options) pulls.push_back(option.right ? 0 : random.lognormal(0, 0.7));
  if (!question.all_right()) question.pull = WeightedChoice(pulls);
  return question;
}

bool is_rate(double rate) noexcept { return rate >= 0 && rate <= 1; }

}  // namespace

std::uint64_t exams_max() noexcept { return title_patterns.size() * subjects.size(); }

std::uint64_t person_count(const GeneratorOptions& options) noexcept {
  return options.persons > 0 ? options.persons : std::max<std::uint64_t>(1, options.messages / 4);
}

Result<> check_options(const GeneratorOptions& options) {
  double fault_sum = 0;
  for (const double rate : options.faults) {
    if (!is_rate(rate)) return fail(ErrorCode::invalid_argument, "a rate is a number from 0 to 1");
    fault_sum += rate;
  }
  const double copies = options.duplicate_rate + options.faults[static_cast<std::size_t>(Fault::altered_copy)];
  if (!is_rate(options.duplicate_rate) || !is_rate(options.missing_counts_rate) || !is_rate(options.certification_null_rate) ||
      !is_rate(options.unanswered_rate)) {
    return fail(ErrorCode::invalid_argument, "a rate is a number from 0 to 1");
  }
  if (!is_rate(copies) || !is_rate(fault_sum)) {
    return fail(ErrorCode::invalid_argument, "an attempt has one planted fault at most: their rates add up to {}, above 1", fault_sum);
  }
  if (options.exams == 0 || options.exams > exams_max()) {
    return fail(ErrorCode::invalid_argument, "exams: from 1 to {}, not {}", exams_max(), options.exams);
  }
  if (options.exams_with_two_ids > options.exams) {
    return fail(ErrorCode::invalid_argument, "exams with two ids: at most all {} exams, not {}", options.exams, options.exams_with_two_ids);
  }
  const auto in_range = [](double value, double low, double high) { return value >= low && value <= high; };
  if (!in_range(options.zipf_exponent, 0, 10)) return fail(ErrorCode::invalid_argument, "the exponent of popularity: from 0 to 10");
  if (!in_range(options.difficulty_mean, -10, 10) || !in_range(options.difficulty_deviation, 0, 10) ||
      !in_range(options.discrimination_deviation, 0, 3)) {
    return fail(ErrorCode::invalid_argument,
                "difficulties: mean from -10 to 10, deviation from 0 to 10; of log discrimination, from 0 to 3");
  }
  if (options.days == 0 || options.days > 36'500) return fail(ErrorCode::invalid_argument, "days: from 1 to 36500, not {}", options.days);
  static constexpr std::int64_t start_max_ms = 4'102'444'800'000;  // so that no time can reach the year 10000
  if (options.start_ms < 0 || options.start_ms > start_max_ms) {
    return fail(ErrorCode::invalid_argument, "the first day lies between 1970 and 2100");
  }
  return {};
}

Population make_population(const GeneratorOptions& options) {
  Random random(stream_seed(options.seed, population_stream));
  std::vector<std::size_t> titles(exams_max());
  std::iota(titles.begin(), titles.end(), std::size_t{0});
  for (std::size_t i = titles.size() - 1; i > 0; --i) std::swap(titles[i], titles[random.index(i + 1)]);

  static const WeightedChoice question_counts({2, 1, 8, 50, 29, 4, 5, 1});  // 1, 2 … 8 questions
  std::vector<ModelExam> exams(options.exams);
  std::vector<double> weights;
  for (std::size_t i = 0; i < exams.size(); ++i) {
    ModelExam& exam = exams[i];
    exam.name = fmt::format(fmt::runtime(title_patterns[titles[i] / subjects.size()]), subjects[titles[i] % subjects.size()]);
    exam.ids.resize(i < options.exams_with_two_ids ? 2 : 1);
    for (std::string& id : exam.ids) random.append_uuid(id);
    exam.questions.resize(question_counts.pick(random) + 1);
    for (ModelQuestion& question : exam.questions) question = make_question(options, random);
    weights.push_back(portable_exp(-options.zipf_exponent * portable_log(static_cast<double>(i + 2))));
  }
  return {.exams = std::move(exams), .popularity = WeightedChoice(weights)};
}

Person make_person(const GeneratorOptions& options, std::uint64_t number) {
  static const WeightedChoice zone_choice = [] {
    std::vector<double> weights;
    for (const Zone& zone : zones) weights.push_back(zone.weight);
    return WeightedChoice(weights);
  }();
  Random random(stream_seed(stream_seed(options.seed, persons_stream), number));
  Person person;
  person.ability = random.normal();
  person.speed = random.normal(0, speed_deviation);
  person.zone_minutes = zones[zone_choice.pick(random)].minutes;
  random.append_uuid(person.id);
  return person;
}

double chance_of_right(const ModelQuestion& question, double ability) noexcept {
  return logistic(question.discrimination * (ability - question.difficulty));
}

}  // namespace tripos::exam
