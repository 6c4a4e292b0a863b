#include "exam/fault.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace tripos::exam {
namespace {

constexpr std::array<FaultInfo, fault_count - 1> all_faults = {{
    {Fault::wrong_marks, "wrong_marks", "a mark or a count that does not follow from the answers", "marks_disagreeing"},
    {Fault::key_missing, "key_missing", "a question none of whose options is right", "questions_without_key"},
    {Fault::unreadable_time, "unreadable_time", "a start that is no time", "unreadable_times"},
    {Fault::ends_before_start, "ends_before_start", "recorded before it started", "ends_before_start"},
    {Fault::too_long, "too_long", "recorded more than a day after it started", "longer_than_limit"},
    {Fault::touched_early, "touched_early", "an option touched before the start", "touched_before_start"},
    {Fault::touched_late, "touched_late", "an option touched after the recording", "touched_after_end"},
    {Fault::in_the_future, "in_the_future", "a hundred years late", "starts_in_the_future"},
    {Fault::renamed_exam, "renamed_exam", "an exam under another name", "ids_with_several_names"},
    {Fault::over_max_attempts, "over_max_attempts", "a second attempt in the same sitting", "sittings_over_max_attempts"},
    {Fault::busy_person, "busy_person", "25 attempts in a row by one person", "persons_with_many_attempts"},
    {Fault::altered_copy, "altered_copy", "recorded again, but not byte for byte", "duplicates_that_differ"},
    {Fault::not_json, "not_json", "a message that was cut off", "rejected"},
}};

}  // namespace

std::span<const FaultInfo> faults() noexcept { return all_faults; }

std::string_view to_string(Fault fault) noexcept {
  const auto found = std::ranges::find(all_faults, fault, &FaultInfo::fault);
  return found == all_faults.end() ? "none" : found->name;
}

Result<> set_fault_rate(FaultRates& rates, std::string_view text) {
  const auto equals = text.find('=');
  const auto found = std::ranges::find(all_faults, text.substr(0, equals), &FaultInfo::name);
  if (found == all_faults.end()) {
    std::string names;
    for (const FaultInfo& fault : all_faults) names.append(names.empty() ? "" : ", ").append(fault.name);
    return fail(ErrorCode::invalid_argument, "no fault '{}' can be planted; there are {}", text.substr(0, equals), names);
  }
  const std::string_view number = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  double rate = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rate);
  if (error != std::errc() || end != number.data() + number.size() || !(rate >= 0 && rate <= 1)) {
    return fail(ErrorCode::invalid_argument, "'{}': give a rate from 0 to 1, as in {}=0.01", text, found->name);
  }
  rates[static_cast<std::size_t>(found->fault)] = rate;
  return {};
}

}  // namespace tripos::exam
