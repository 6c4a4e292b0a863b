// A recorded attempt, and its text: the JSON that the firm's recorder writes (docs/guide/attempts.md). It is written as it stands: marks
// are not derived here, so that wrong ones can be written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "exam/marking.h"

namespace tripos::exam {

struct RecordedOption {
  std::string_view id;
  OptionState state;
  std::int64_t touched_ms = 0;  // 0: not touched
};

struct RecordedQuestion {
  std::string_view id;
  Mark result = Mark::unanswered;
  bool correct = false;
  bool incomplete = false;
  bool submitted = false;
  std::size_t options_end = 0;  // its options are those up to here
};

struct RecordedAttempt {
  std::string_view exam_name;
  std::string_view exam_id;
  std::string_view user_id;  // empty: not told
  std::string keen_id;
  std::string user_exam_id;
  std::string sequence_id;
  std::int64_t started_ms = 0;
  std::int64_t recorded_us = 0;
  bool start_readable = true;
  bool counted = true;  // has counts and marks
  bool certification_null = false;
  Counts counts;
  bool all_correct = false;
  std::vector<RecordedQuestion> questions;
  std::vector<RecordedOption> options;  // of all questions
};

void append_json(Buffer& to, const RecordedAttempt& attempt);

// The text with the other value of `certification`.
[[nodiscard]] Buffer with_other_certification(Bytes json);

}  // namespace tripos::exam
