#include "exam/attempt_text.h"

#include <charconv>

#include "base/check.h"
#include "exam/time_text.h"

namespace tripos::exam {
namespace {

constexpr std::string_view certification_null = R"("certification":null)";
constexpr std::string_view certification_false = R"("certification":"false")";

void append_number(Buffer& to, std::int64_t value) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

std::string_view text_of(bool value) { return value ? "true" : "false"; }

// Names and ids are of our own making: no character of theirs needs an escape.
void append_member(Buffer& to, std::string_view key_and_quote, std::string_view text) {
  to.append(key_and_quote).append(text).push_back('"');
}

// Seconds with six places.
void append_seconds(Buffer& to, std::int64_t time_us) {
  append_number(to, time_us / 1'000'000);
  const std::size_t point = to.size();
  append_number(to, 1'000'000 + time_us % 1'000'000);
  to[point] = '.';  // in place of the 1
}

void append_option(Buffer& to, const RecordedOption& option, bool counted) {
  to.append(R"({"checked":)").append(text_of(option.state.checked));
  if (option.touched_ms != 0) {
    to.append(R"(,"at":")");
    append_iso(to, option.touched_ms);
    to.push_back('"');
  }
  append_member(to, R"(,"id":")", option.id);
  if (option.state.checked && counted) to.append(R"(,"submitted":1)");
  if (option.state.correct) to.append(R"(,"correct":true)");
  to.push_back('}');
}

void append_questions(Buffer& to, const RecordedAttempt& attempt) {
  std::size_t at = 0;
  for (const RecordedQuestion& question : attempt.questions) {
    to.append(&question == attempt.questions.data() ? "{" : ",{");
    if (attempt.counted) {
      to.append(R"("user_incomplete":)").append(text_of(question.incomplete));
      to.append(R"(,"user_correct":)").append(text_of(question.correct)).push_back(',');
    }
    to.append(R"("options":[)");
    for (const std::size_t begin = at; at < question.options_end; ++at) {
      if (at > begin) to.push_back(',');
      append_option(to, attempt.options[at], attempt.counted);
    }
    to.push_back(']');
    if (attempt.counted) to.append(R"(,"user_submitted":)").append(text_of(question.submitted));
    append_member(to, R"(,"id":")", question.id);
    if (attempt.counted) append_member(to, R"(,"user_result":")", to_string(question.result));
    to.push_back('}');
  }
}

void append_counts(Buffer& to, const RecordedAttempt& attempt) {
  const Counts& counts = attempt.counts;
  const auto number = [&](std::string_view key, std::int64_t value) {
    to.append(key);
    append_number(to, value);
  };
  number(R"(,"counts":{"incomplete":)", counts.incomplete);
  number(R"(,"submitted":)", counts.submitted);
  number(R"(,"incorrect":)", counts.incorrect);
  to.append(R"(,"all_correct":)").append(text_of(attempt.all_correct));
  number(R"(,"correct":)", counts.correct);
  number(R"(,"total":)", counts.total);
  number(R"(,"unanswered":)", counts.unanswered);
  to.push_back('}');
}

}  // namespace

void append_json(Buffer& to, const RecordedAttempt& attempt) {
  to.append(R"({"keen_timestamp":")");
  append_seconds(to, attempt.recorded_us);
  to.append(R"(","max_attempts":"1.0","started_at":")");
  if (attempt.start_readable) {
    append_iso(to, attempt.started_ms);
  } else {
    to.append("not known");
  }
  append_member(to, R"(","base_exam_id":")", attempt.exam_id);
  append_member(to, R"(,"user_exam_id":")", attempt.user_exam_id);
  to.append(R"(,"sequences":{"questions":[)");
  append_questions(to, attempt);
  append_member(to, R"(],"attempt":1,"id":")", attempt.sequence_id);
  if (attempt.counted) append_counts(to, attempt);
  to.append(R"(},"keen_created_at":")");
  append_seconds(to, attempt.recorded_us);
  to.append("\",").append(attempt.certification_null ? certification_null : certification_false);
  append_member(to, R"(,"keen_id":")", attempt.keen_id);
  if (!attempt.user_id.empty()) append_member(to, R"(,"user_id":")", attempt.user_id);
  append_member(to, R"(,"exam_name":")", attempt.exam_name);
  to.push_back('}');
}

Buffer with_other_certification(Bytes json) {
  Buffer text(json);
  const std::size_t at = text.find(certification_null);
  if (at != Buffer::npos) return text.replace(at, certification_null.size(), certification_false);
  const std::size_t other = text.find(certification_false);
  CHECK(other != Buffer::npos);
  return text.replace(other, certification_false.size(), certification_null);
}

}  // namespace tripos::exam
