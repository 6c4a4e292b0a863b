#include "exam/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/check.h"

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
constexpr std::size_t recent_count = 64;
constexpr std::int64_t first_start_ms = 1'511'222'400'000;  // 2017-11-21T00:00:00Z
constexpr std::int64_t start_span_ms = 68LL * 24 * 60 * 60 * 1000;

// As `started_at`: ISO 8601, UTC, milliseconds. Days are turned into a date as in Howard Hinnant's "chrono-Compatible
// Low-Level Date Algorithms" (civil_from_days).
void append_iso(Buffer& to, std::int64_t time_ms) {
  const std::int64_t days = time_ms / 86'400'000 + 719'468;
  const std::int64_t ms_of_day = time_ms % 86'400'000;
  const std::int64_t era = days / 146'097;
  const std::int64_t day_of_era = days % 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;  // from March
  const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  fmt::format_to(std::back_inserter(to), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year, month, day, ms_of_day / 3'600'000,
                 ms_of_day / 60'000 % 60, ms_of_day / 1000 % 60, ms_of_day % 1000);
}

// A curve from 0 to 1 like the logistic one, but rational: no libm, so that every machine agrees.
double likelihood(double advantage) noexcept { return 0.5 + 0.5 * advantage / (1 + (advantage < 0 ? -advantage : advantage)); }

bool is_rate(double rate) noexcept { return rate >= 0 && rate <= 1; }

}  // namespace

std::uint64_t AttemptGenerator::exams_max() noexcept { return title_patterns.size() * subjects.size(); }

Result<AttemptGenerator> AttemptGenerator::create(const GeneratorOptions& options) {
  if (!is_rate(options.duplicate_rate) || !is_rate(options.missing_counts_rate) || !is_rate(options.certification_null_rate)) {
    return fail(ErrorCode::invalid_argument, "a rate is a number from 0 to 1");
  }
  if (options.exams == 0 || options.exams > exams_max()) {
    return fail(ErrorCode::invalid_argument, "exams: from 1 to {}, not {}", exams_max(), options.exams);
  }
  if (options.exams_with_two_ids > options.exams) {
    return fail(ErrorCode::invalid_argument, "exams with two ids: at most all {} exams, not {}", options.exams, options.exams_with_two_ids);
  }
  Random random(options.seed);
  std::vector<Exam> exams = make_exams(options, random);
  // The n-th exam is taken 1 / (n + 2) as often: a few exams have most of the attempts, most have a handful.
  std::vector<double> weights;
  for (std::size_t i = 0; i < exams.size(); ++i) weights.push_back(1.0 / static_cast<double>(i + 2));
  WeightedChoice popularity(weights);
  return AttemptGenerator(options, std::move(exams), std::move(popularity), random);
}

AttemptGenerator::AttemptGenerator(const GeneratorOptions& options, std::vector<Exam> exams, WeightedChoice popularity, Random random)
    : options_(options), exams_(std::move(exams)), popularity_(std::move(popularity)), random_(random), recent_(recent_count) {}

std::vector<AttemptGenerator::Exam> AttemptGenerator::make_exams(const GeneratorOptions& options, Random& random) {
  std::vector<std::size_t> titles(exams_max());
  for (std::size_t i = 0; i < titles.size(); ++i) titles[i] = i;
  for (std::size_t i = titles.size() - 1; i > 0; --i) std::swap(titles[i], titles[random.index(i + 1)]);

  static const WeightedChoice question_counts({2, 1, 8, 50, 29, 4, 5, 1});  // 1, 2 … 8 questions
  std::vector<Exam> exams(options.exams);
  for (std::size_t i = 0; i < exams.size(); ++i) {
    Exam& exam = exams[i];
    exam.name = fmt::format(fmt::runtime(title_patterns[titles[i] / subjects.size()]), subjects[titles[i] % subjects.size()]);
    const std::size_t id_count = i < options.exams_with_two_ids ? 2 : 1;
    exam.ids.resize(id_count);
    for (std::string& id : exam.ids) random.append_uuid(id);
    exam.questions.resize(question_counts.pick(random) + 1);
    for (Question& question : exam.questions) question = make_question(random);
  }
  return exams;
}

AttemptGenerator::Question AttemptGenerator::make_question(Random& random) {
  static const WeightedChoice option_counts({2, 25, 69, 2, 2});  // 2, 3 … 6 options
  static const WeightedChoice correct_counts({70, 15, 12, 3});   // 1, 2, 3, 4 of them correct
  Question question;
  random.append_uuid(question.id);
  question.difficulty = random.normal() - 1.2;
  question.options.resize(option_counts.pick(random) + 2);
  for (Option& option : question.options) random.append_uuid(option.id);
  const std::size_t correct = std::min(correct_counts.pick(random) + 1, question.options.size());
  for (std::size_t marked = 0; marked < correct;) {
    Option& option = question.options[random.index(question.options.size())];
    marked += option.correct ? 0 : 1;
    option.correct = true;
  }
  return question;
}

Bytes AttemptGenerator::next() {
  CHECK(!done());
  Message* message = nullptr;
  if (tally_.attempts > 0 && random_.chance(options_.duplicate_rate)) {
    const std::uint64_t reach = std::min<std::uint64_t>(tally_.attempts, recent_.size());
    message = &slot(tally_.attempts - 1 - random_.below(reach));
  } else {
    message = &slot(tally_.attempts);
    write_attempt(*message);
    ++tally_.attempts;
  }
  ++tally_.messages;
  if (!message->counted) ++tally_.messages_without_counts;
  if (message->all_correct) ++tally_.messages_all_correct;
  return message->json;
}

void AttemptGenerator::write_attempt(Message& message) {
  const Exam& exam = exams_[popularity_.pick(random_)];
  const std::string& exam_id = exam.ids[random_.index(exam.ids.size())];
  const double ability = random_.normal();
  message.counted = !random_.chance(options_.missing_counts_rate);
  const std::int64_t started_ms = first_start_ms + static_cast<std::int64_t>(random_.below(start_span_ms));
  std::int64_t now_ms = started_ms;

  Counts counts;
  questions_.clear();
  for (const Question& question : exam.questions) {
    questions_.push_back(questions_.empty() ? '[' : ',');
    counts.add(write_question(questions_, question, ability, message.counted, now_ms));
  }
  questions_.push_back(']');
  message.all_correct = message.counted && counts.all_correct();

  Buffer& json = message.json;
  json.clear();
  const auto out = std::back_inserter(json);
  const std::int64_t recorded_us = now_ms * 1000 + static_cast<std::int64_t>(random_.below(900'000));
  const std::string recorded = fmt::format("{}.{:06}", recorded_us / 1'000'000, recorded_us % 1'000'000);
  fmt::format_to(out, R"({{"keen_timestamp":"{}","max_attempts":"1.0","started_at":")", recorded);
  append_iso(json, started_ms);
  fmt::format_to(out, R"(","base_exam_id":"{}","user_exam_id":")", exam_id);
  random_.append_uuid(json);
  json.append(R"(","sequences":{"questions":)");
  json.append(questions_);
  json.append(R"(,"attempt":1,"id":")");
  random_.append_uuid(json);
  json.push_back('"');
  if (message.counted) {
    fmt::format_to(
        out, R"(,"counts":{{"incomplete":{},"submitted":{},"incorrect":{},"all_correct":{},"correct":{},"total":{},"unanswered":{}}})",
        counts.incomplete, counts.submitted, counts.incorrect, counts.all_correct(), counts.correct, counts.total, counts.unanswered);
  }
  fmt::format_to(out, R"(}},"keen_created_at":"{}","certification":{},"keen_id":")", recorded,
                 random_.chance(options_.certification_null_rate) ? "null" : R"("false")");
  random_.append_hex(json, 24);
  fmt::format_to(out, R"(","exam_name":"{}"}})", exam.name);
}

void AttemptGenerator::check_options(const Question& question, double ability) {
  states_.assign(question.options.size(), OptionState{});
  for (std::size_t i = 0; i < states_.size(); ++i) states_[i].correct = question.options[i].correct;
  if (random_.chance(0.03)) return;  // skipped
  if (random_.chance(likelihood(ability - question.difficulty))) {
    for (OptionState& state : states_) state.checked = state.correct;
    return;
  }
  const std::size_t correct = static_cast<std::size_t>(std::ranges::count_if(states_, &OptionState::correct));
  if (correct > 1 && random_.chance(0.5)) {  // some of the correct ones
    std::size_t left = 1 + random_.index(correct - 1);
    for (OptionState& state : states_) {
      state.checked = state.correct && left > 0;
      left -= state.checked ? 1 : 0;
    }
    return;
  }
  states_[random_.index(states_.size())].checked = true;  // a guess, which may be right
}

Mark AttemptGenerator::write_question(Buffer& json, const Question& question, double ability, bool counted, std::int64_t& now_ms) {
  check_options(question, ability);
  const Mark mark = mark_question(states_);
  const auto out = std::back_inserter(json);
  json.push_back('{');
  if (counted) fmt::format_to(out, R"("user_incomplete":{},"user_correct":{},)", mark == Mark::missed_some, mark == Mark::correct);
  json.append(R"("options":[)");
  now_ms += 2'000 + static_cast<std::int64_t>(random_.below(60'000));
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const bool checked = states_[i].checked;
    const bool touched = checked || (mark != Mark::unanswered && random_.chance(0.03));
    fmt::format_to(out, R"({}{{"checked":{})", i == 0 ? "" : ",", checked);
    if (touched) {
      now_ms += 200 + static_cast<std::int64_t>(random_.below(4'000));
      json.append(R"(,"at":")");
      append_iso(json, now_ms);
      json.push_back('"');
    }
    fmt::format_to(out, R"(,"id":"{}")", question.options[i].id);
    if (checked && counted) json.append(R"(,"submitted":1)");
    if (states_[i].correct) json.append(R"(,"correct":true)");
    json.push_back('}');
  }
  json.push_back(']');
  if (counted) fmt::format_to(out, R"(,"user_submitted":{})", mark != Mark::unanswered);
  fmt::format_to(out, R"(,"id":"{}")", question.id);
  if (counted) fmt::format_to(out, R"(,"user_result":"{}")", to_string(mark));
  json.push_back('}');
  return mark;
}

}  // namespace tripos::exam
