// How a question is marked by the options that a person checked:
//
//   checked                                   user_result    counted as
//   none                                      unanswered     unanswered
//   exactly the correct ones                  correct        correct
//   some of the correct ones, no wrong one    missed_some    incomplete
//   any wrong one                             incorrect      incorrect
//
// Invariants: submitted + unanswered = total; correct + incorrect + incomplete + unanswered = total.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tripos::exam {

enum class Mark : std::uint8_t { unanswered, correct, missed_some, incorrect };

// The name as in `user_result`.
[[nodiscard]] std::string_view to_string(Mark mark) noexcept;

struct OptionState {
  bool correct = false;
  bool checked = false;
};

[[nodiscard]] Mark mark_question(std::span<const OptionState> options) noexcept;

struct Counts {
  std::int64_t incomplete = 0;
  std::int64_t submitted = 0;
  std::int64_t incorrect = 0;
  std::int64_t correct = 0;
  std::int64_t total = 0;
  std::int64_t unanswered = 0;

  void add(Mark mark) noexcept;
  [[nodiscard]] bool all_correct() const noexcept { return correct == total; }
};

}  // namespace tripos::exam
