#include "exam/marking.h"

namespace tripos::exam {

std::string_view to_string(Mark mark) noexcept {
  switch (mark) {
    case Mark::unanswered: return "unanswered";
    case Mark::correct: return "correct";
    case Mark::missed_some: return "missed_some";
    case Mark::incorrect: return "incorrect";
  }
  return "unanswered";
}

Mark mark_question(std::span<const OptionState> options) noexcept {
  bool any_checked = false;
  bool any_wrong = false;
  bool any_missed = false;
  for (const OptionState& option : options) {
    any_checked |= option.checked;
    any_wrong |= option.checked && !option.correct;
    any_missed |= !option.checked && option.correct;
  }
  if (!any_checked) return Mark::unanswered;
  if (any_wrong) return Mark::incorrect;
  return any_missed ? Mark::missed_some : Mark::correct;
}

void Counts::add(Mark mark) noexcept {
  ++total;
  if (mark != Mark::unanswered) ++submitted;
  switch (mark) {
    case Mark::unanswered: ++unanswered; break;
    case Mark::correct: ++correct; break;
    case Mark::missed_some: ++incomplete; break;
    case Mark::incorrect: ++incorrect; break;
  }
}

}  // namespace tripos::exam
