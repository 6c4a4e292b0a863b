#include "exam/generator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "exam/portable_math.h"

namespace tripos::exam {
namespace {

constexpr std::uint64_t attempts_stream = 3;
constexpr std::size_t recent_size = 64;
constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t hour_ms = 3600 * second_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t century_ms = 36'525 * day_ms;

constexpr double another_attempt_rate = 0.35;  // that a session goes on
constexpr std::uint64_t session_attempts_max = 5;
constexpr std::uint64_t busy_attempts = 25;
constexpr double busy_hour = 8;                // UTC
constexpr double session_day_deviation = 1.5;  // how far a session is from the day of its message
constexpr double break_log_mean = 5.2;         // between a session's attempts: about three minutes
constexpr double break_log_deviation = 0.8;
constexpr double local_hour_mean = 14.5;
constexpr double local_hour_deviation = 3.8;
constexpr double time_deviation = 0.45;  // of the logarithm of a question's time
constexpr double question_seconds_max = 1800;
constexpr double missed_some_rate = 0.45;  // of the wrong answers to questions with several right options
constexpr double also_right_rate = 0.4;    // that a right option is checked beside a wrong one
constexpr double stray_touch_rate = 0.03;  // touched, and left unchecked

std::int64_t milliseconds(double seconds) noexcept { return static_cast<std::int64_t>(seconds * 1000); }

}  // namespace

Result<AttemptGenerator> AttemptGenerator::create(const GeneratorOptions& options) {
  TRIPOS_TRY(exam::check_options(options));
  return AttemptGenerator(options, make_population(options));
}

AttemptGenerator::AttemptGenerator(const GeneratorOptions& options, Population population)
    : options_(options), population_(std::move(population)), random_(stream_seed(options.seed, attempts_stream)), recent_(recent_size) {}

Bytes AttemptGenerator::next() {
  CHECK(!done());
  planted_.clear();
  const double altered_rate = options_.faults[static_cast<std::size_t>(Fault::altered_copy)];
  const double draw = random_.unit();
  const Message& message = recent_count_ == 0                              ? write_attempt()
                           : draw < options_.duplicate_rate                ? copy_recent(Fault::none)
                           : draw < options_.duplicate_rate + altered_rate ? copy_recent(Fault::altered_copy)
                                                                           : write_attempt();
  if (!message.counted) {
    ++tally_.messages_without_counts;
    tell("without_counts", message);
  }
  if (message.all_correct) ++tally_.messages_all_correct;
  ++tally_.messages;
  return message.json;
}

void AttemptGenerator::tell(std::string_view what, const Message& message, std::optional<std::uint64_t> copy_of) {
  planted_.push_back({.what = what, .message = tally_.messages, .keen_id = message.keen_id, .copy_of = copy_of});
}

const AttemptGenerator::Message& AttemptGenerator::copy_recent(Fault fault) {
  const std::uint64_t reach = std::min<std::uint64_t>(recent_count_, recent_.size());
  const Message& original = recent_[(recent_count_ - 1 - random_.below(reach)) % recent_.size()];
  tell("copy", original, original.number);
  if (fault == Fault::none) return original;
  tell(to_string(fault), original, original.number);
  faulty_ = original;
  faulty_.json = with_other_certification(original.json);
  return faulty_;
}

Fault AttemptGenerator::choose_fault() {
  double draw = random_.unit();
  for (const FaultInfo& info : faults()) {
    if (info.fault == Fault::altered_copy) continue;
    draw -= options_.faults[static_cast<std::size_t>(info.fault)];
    if (draw < 0) return info.fault;
  }
  return Fault::none;
}

const AttemptGenerator::Message& AttemptGenerator::write_attempt() {
  Fault fault = choose_fault();
  if (session_.busy && session_.attempts_left > 0) fault = Fault::none;  // they have their fault
  if (fault == Fault::over_max_attempts && last_sitting_.empty()) fault = Fault::none;
  if (fault == Fault::busy_person && options_.messages - tally_.messages < 2 * busy_attempts) fault = Fault::none;
  const bool starts_busy = fault == Fault::busy_person;
  if (session_.attempts_left == 0 || starts_busy) start_session(starts_busy);
  --session_.attempts_left;

  const ModelExam& exam = population_.exams[population_.popularity.pick(random_)];
  start_attempt(exam, fault);
  const std::size_t keyless = fault == Fault::key_missing ? random_.index(exam.questions.size()) : exam.questions.size();
  for (std::size_t i = 0; i < exam.questions.size(); ++i) answer(exam.questions[i], i == keyless);
  mark_questions();
  attempt_.recorded_us = session_.now_ms * 1000 + static_cast<std::int64_t>(random_.below(900'000));
  session_.now_ms += second_ms + milliseconds(random_.lognormal(break_log_mean, break_log_deviation));
  plant(fault);

  const bool clean = fault == Fault::none;
  Message& message = clean ? recent_[recent_count_ % recent_.size()] : faulty_;
  recent_count_ += clean ? 1 : 0;
  message.json.clear();
  append_json(message.json, attempt_);
  message.keen_id = attempt_.keen_id;
  message.number = tally_.messages;
  message.counted = attempt_.counted;
  message.all_correct = attempt_.counted && attempt_.all_correct;
  if (fault == Fault::not_json) {
    message.json.resize(message.json.size() / 2);
    message.all_correct = false;  // nobody will see it
  }
  if (!clean) tell(to_string(fault), message);
  ++tally_.attempts;
  return message;
}

void AttemptGenerator::start_session(bool busy) {
  session_.busy = busy;
  session_.person = make_person(options_, random_.below(person_count(options_)));
  session_.attempts_left = busy ? busy_attempts : 1;
  while (!busy && session_.attempts_left < session_attempts_max && random_.chance(another_attempt_rate)) ++session_.attempts_left;
  const auto days = static_cast<double>(options_.days);
  const double progress = static_cast<double>(tally_.messages) / static_cast<double>(options_.messages);
  const double day = std::clamp(progress * days + random_.normal(0, session_day_deviation), 0.0, days - 1);
  const double hour = busy ? busy_hour : std::clamp(random_.normal(local_hour_mean, local_hour_deviation), 5.0, 23.5);
  const std::int64_t zone_ms = busy ? 0 : session_.person.zone_minutes * 60 * second_ms;
  session_.now_ms = options_.start_ms + static_cast<std::int64_t>(day) * day_ms + milliseconds(hour * 3600) - zone_ms;
}

void AttemptGenerator::start_attempt(const ModelExam& exam, Fault fault) {
  // One name, one id: an exam under another name must not look like one with two ids.
  const std::size_t id = fault == Fault::renamed_exam ? 0 : random_.index(exam.ids.size());
  attempt_.exam_name = exam.name;
  attempt_.exam_id = exam.ids[id];
  attempt_.user_id = options_.names_persons ? std::string_view(session_.person.id) : std::string_view();
  for (std::string* uuid : {&attempt_.user_exam_id, &attempt_.sequence_id}) {
    uuid->clear();
    random_.append_uuid(*uuid);
  }
  attempt_.keen_id.clear();
  random_.append_hex(attempt_.keen_id, 24);
  attempt_.started_ms = session_.now_ms;
  attempt_.start_readable = true;
  const bool uncounted = random_.chance(options_.missing_counts_rate);
  attempt_.counted = !uncounted || fault != Fault::none;
  attempt_.certification_null = random_.chance(options_.certification_null_rate);
  attempt_.questions.clear();
  attempt_.options.clear();
}

// What the person checks: a right answer with the model's chance; else nothing, some of the right options, or a wrong one.
void AttemptGenerator::check_options(const ModelQuestion& question) {
  states_.assign(question.options.size(), OptionState{});
  for (std::size_t i = 0; i < states_.size(); ++i) states_[i].correct = question.options[i].right;
  if (random_.chance(chance_of_right(question, session_.person.ability))) {
    for (OptionState& state : states_) state.checked = state.correct;
    return;
  }
  if (random_.chance(options_.unanswered_rate)) return;
  if (question.all_right() || (question.right_count > 1 && random_.chance(missed_some_rate))) {
    // Some of them, not all: there are at least two.
    std::size_t wanted = 1 + random_.index(question.right_count - 1);
    std::size_t left = question.right_count;
    for (OptionState& state : states_) {
      if (!state.correct) continue;
      state.checked = random_.below(left--) < wanted;
      wanted -= state.checked ? 1 : 0;
    }
    return;
  }
  states_[question.pull.pick(random_)].checked = true;
  if (question.right_count == 1) return;
  for (OptionState& state : states_) state.checked = state.checked || (state.correct && random_.chance(also_right_rate));
}

void AttemptGenerator::answer(const ModelQuestion& question, bool key_is_missing) {
  check_options(question);
  const std::size_t begin = attempt_.options.size();
  bool answered = false;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (key_is_missing) states_[i].correct = false;
    answered |= states_[i].checked;
    attempt_.options.push_back({.id = question.options[i].id, .state = states_[i]});
  }
  attempt_.questions.push_back({.id = question.id, .options_end = attempt_.options.size()});

  const double noise = random_.normal(0, time_deviation);
  const double seconds = std::clamp(portable_exp(question.intensity - session_.person.speed + noise), 1.0, question_seconds_max);
  const std::int64_t duration_ms = milliseconds(seconds);
  std::int64_t touches = 0;
  for (std::size_t i = begin; i < attempt_.options.size(); ++i) {
    RecordedOption& option = attempt_.options[i];
    if (option.state.checked || (answered && random_.chance(stray_touch_rate))) option.touched_ms = ++touches;
  }
  for (std::size_t i = begin; i < attempt_.options.size(); ++i) {
    std::int64_t& touched_ms = attempt_.options[i].touched_ms;
    if (touched_ms != 0) touched_ms = session_.now_ms + duration_ms * touched_ms / (touches + 1);
  }
  session_.now_ms += duration_ms;
}

void AttemptGenerator::mark_questions() {
  attempt_.counts = Counts();
  std::size_t begin = 0;
  for (RecordedQuestion& question : attempt_.questions) {
    states_.clear();
    for (std::size_t i = begin; i < question.options_end; ++i) states_.push_back(attempt_.options[i].state);
    begin = question.options_end;
    question.result = mark_question(states_);
    question.correct = question.result == Mark::correct;
    question.incomplete = question.result == Mark::missed_some;
    question.submitted = question.result != Mark::unanswered;
    attempt_.counts.add(question.result);
  }
  attempt_.all_correct = attempt_.counts.all_correct();
}

void AttemptGenerator::plant_wrong_mark() {
  RecordedQuestion& question = attempt_.questions[random_.index(attempt_.questions.size())];
  switch (random_.below(5)) {
    case 0: question.result = question.result == Mark::correct ? Mark::incorrect : Mark::correct; break;
    case 1: question.correct = !question.correct; break;
    case 2: question.submitted = !question.submitted; break;
    case 3: attempt_.counts.correct += attempt_.counts.correct > 0 ? -1 : 1; break;
    default: attempt_.all_correct = !attempt_.all_correct; break;
  }
}

void AttemptGenerator::plant(Fault fault) {
  const auto some_hours = [this] { return hour_ms + static_cast<std::int64_t>(random_.below(3 * hour_ms)); };
  switch (fault) {
    case Fault::none: last_sitting_ = attempt_.user_exam_id; break;
    case Fault::wrong_marks: plant_wrong_mark(); break;
    case Fault::unreadable_time: attempt_.start_readable = false; break;
    case Fault::ends_before_start:
      attempt_.recorded_us = (attempt_.started_ms - some_hours()) * 1000;
      for (RecordedOption& option : attempt_.options) option.touched_ms = 0;  // or it would be touched after its end, too
      break;
    case Fault::too_long: attempt_.recorded_us += (day_ms + some_hours()) * 1000; break;
    case Fault::touched_early: attempt_.options.front().touched_ms = attempt_.started_ms - some_hours(); break;
    case Fault::touched_late: attempt_.options.front().touched_ms = attempt_.recorded_us / 1000 + some_hours(); break;
    case Fault::in_the_future:
      attempt_.started_ms += century_ms;
      attempt_.recorded_us += century_ms * 1000;
      for (RecordedOption& option : attempt_.options) option.touched_ms += option.touched_ms != 0 ? century_ms : 0;
      break;
    case Fault::renamed_exam:
      renamed_ = std::string(attempt_.exam_name) + ", New Edition";
      attempt_.exam_name = renamed_;
      break;
    case Fault::over_max_attempts: attempt_.user_exam_id = std::exchange(last_sitting_, ""); break;
    case Fault::key_missing:
    case Fault::busy_person:
    case Fault::altered_copy:
    case Fault::not_json: break;  // where the attempt is made, or written
  }
}

}  // namespace tripos::exam
