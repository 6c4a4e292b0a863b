#include "exam/truth.h"

#include <fmt/format.h>

#include <iterator>

namespace tripos::exam {
namespace {

template <typename... Args>
void append(Buffer& to, fmt::format_string<Args...> text, Args&&... args) {
  fmt::format_to(std::back_inserter(to), text, std::forward<Args>(args)...);
}

void append_question(Buffer& to, const ModelExam& exam, const ModelQuestion& question) {
  append(to, R"({{"truth":"question","exam_name":"{}","id":"{}","discrimination":{},"difficulty":{},"time_intensity":{},"options":[)",
         exam.name, question.id, question.discrimination, question.difficulty, question.intensity);
  for (std::size_t i = 0; i < question.options.size(); ++i) {
    const ModelOption& option = question.options[i];
    append(to, R"({}{{"id":"{}","right":{},"pull":{}}})", i == 0 ? "" : ",", option.id, option.right,
           question.all_right() ? 0 : question.pull.share(i));
  }
  to.append("]}\n");
}

}  // namespace

void append_model(Buffer& to, const AttemptGenerator& generator) {
  const GeneratorOptions& options = generator.options();
  append(to,
         R"({{"truth":"options","seed":{},"messages":{},"exams":{},"persons":{},"zipf_exponent":{},"difficulty_mean":{},)"
         R"("difficulty_deviation":{},"discrimination_deviation":{},"unanswered_rate":{},"duplicate_rate":{},"missing_counts_rate":{},)"
         R"("certification_null_rate":{}}})"
         "\n",
         options.seed, options.messages, options.exams, person_count(options), options.zipf_exponent, options.difficulty_mean,
         options.difficulty_deviation, options.discrimination_deviation, options.unanswered_rate, options.duplicate_rate,
         options.missing_counts_rate, options.certification_null_rate);
  const Population& population = generator.population();
  for (std::size_t i = 0; i < population.exams.size(); ++i) {
    const ModelExam& exam = population.exams[i];
    append(to,
           R"({{"truth":"exam","exam_name":"{}","base_exam_ids":["{}"],"share":{},"questions":{}}})"
           "\n",
           exam.name, fmt::join(exam.ids, R"(",")"), population.popularity.share(i), exam.questions.size());
    for (const ModelQuestion& question : exam.questions) append_question(to, exam, question);
  }
}

void append_person(Buffer& to, const GeneratorOptions& options, std::uint64_t number) {
  const Person person = make_person(options, number);
  append(to,
         R"({{"truth":"person","user_id":"{}","ability":{},"speed":{},"zone_minutes":{}}})"
         "\n",
         person.id, person.ability, person.speed, person.zone_minutes);
}

void append_planted(Buffer& to, const AttemptGenerator& generator) {
  for (const Planted& planted : generator.planted()) {
    append(to, R"({{"truth":"planted","what":"{}","message":{},"keen_id":"{}")", planted.what, planted.message, planted.keen_id);
    if (planted.copy_of) append(to, R"(,"copy_of":{})", *planted.copy_of);
    to.append("}\n");
  }
}

void append_tally(Buffer& to, const GeneratorTally& tally) {
  append(to,
         R"({{"truth":"tally","messages":{},"attempts":{},"messages_without_counts":{},"messages_all_correct":{}}})"
         "\n",
         tally.messages, tally.attempts, tally.messages_without_counts, tally.messages_all_correct);
}

}  // namespace tripos::exam
