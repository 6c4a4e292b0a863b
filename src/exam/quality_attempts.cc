// The lines of a quality report that only attempts have.
#include <fmt/format.h>

#include "exam/quality_planner.h"
#include "exam/sql_text.h"

namespace tripos::exam {
namespace {

constexpr std::size_t places_shown = 20;

}  // namespace

void QualityPlanner::add_marks() {
  static constexpr const char* uncounted = "no counts: a sitting without a score";
  if (shape_.has("sequences.counts")) {
    check_rows("without_counts", uncounted, {}, attempts_.without_counts(), shape_.has("exam_name") ? "exam_name" : "sequences.counts");
  } else {
    check_lacks("without_counts", uncounted, "sequences.counts");
  }

  static constexpr const char* disagreeing = "recorded marks that do not follow from the answers";
  static constexpr const char* keyless = "messages with a question none of whose options is right";
  for (const char* needed : {"sequences.questions[].options[].checked", "sequences.questions[].options[].correct"}) {
    if (shape_.has(needed)) continue;
    check_lacks("marks_disagreeing", disagreeing, needed);
    check_lacks("questions_without_key", keyless, needed);
    return;
  }
  const auto recorded = [this](std::string_view name, std::string_view type) {
    return shape_.value_in("sequences.questions[]", "q", name, type);
  };
  compute("__tripos_marked",
          fmt::format("transform(sequences.questions, q -> named_struct('by_rule', {}, 'user_result', {}, 'user_correct', {}, "
                      "'user_incomplete', {}, 'user_submitted', {}))",
                      attempts_.rule_mark("q"), recorded("user_result", "string"), recorded("user_correct", "boolean"),
                      recorded("user_incomplete", "boolean"), recorded("user_submitted", "boolean")));
  // What was not recorded agrees with everything.
  std::string condition =
      "coalesce(size(filter(__tripos_marked, m -> coalesce(m.user_result <> m.by_rule, false) OR coalesce(m.user_correct <> (m.by_rule = "
      "'correct'), "
      "false) OR coalesce(m.user_incomplete <> (m.by_rule = 'missed_some'), false) OR coalesce(m.user_submitted <> (m.by_rule <> "
      "'unanswered'), false))) > 0, false)";
  const auto counted = [](std::string_view mark) { return fmt::format("size(filter(__tripos_marked, m -> m.by_rule = '{}'))", mark); };
  const std::pair<std::string_view, std::string> counts[] = {
      {"correct", counted("correct")},     {"incomplete", counted("missed_some")},
      {"incorrect", counted("incorrect")}, {"unanswered", counted("unanswered")},
      {"total", "size(__tripos_marked)"},  {"submitted", fmt::format("(size(__tripos_marked) - {})", counted("unanswered"))},
  };
  for (const auto& [name, by_rule] : counts) {
    const std::string path = fmt::format("sequences.counts.{}", name);
    if (shape_.has(path)) condition += fmt::format(" OR coalesce({} <> {}, false)", shape_.value(path, "bigint"), by_rule);
  }
  if (shape_.has("sequences.counts.all_correct")) {
    condition += fmt::format(" OR coalesce({} <> ({} = size(__tripos_marked)), false)",
                             shape_.value("sequences.counts.all_correct", "boolean"), counted("correct"));
  }
  QualityCheck& check =
      check_rows("marks_disagreeing", disagreeing, {"__tripos_marked"}, condition,
                 shape_.has("sequences.counts") ? "__tripos_marked AS marked, sequences.counts" : "__tripos_marked AS marked");
  if (shape_.has_place()) {
    check.places_column = "marks_disagreeing_at";
    row_columns_.push_back(
        fmt::format("slice(sort_array(collect_list(CASE WHEN {} THEN named_struct('partition', __tripos_partition, 'offset', "
                    "__tripos_offset) END)), 1, "
                    "{}) AS {}",
                    condition, places_shown, check.places_column));
  }
  check_rows("questions_without_key", keyless, {},
             fmt::format("size(filter(sequences.questions, q -> size(filter(q.options, o -> {})) = 0)) > 0", attempts_.is_right("o")),
             "sequences.questions");
}

void QualityPlanner::add_times() {
  const bool has_start = shape_.has("started_at");
  const std::string end = shape_.has("keen_timestamp") ? "keen_timestamp" : "keen_created_at";
  const bool has_end = shape_.has(end);
  if (has_start) compute("__tripos_start_time", attempts_.started());
  if (has_end) compute("__tripos_end_time", attempts_.recorded());
  const std::string shown = (has_start ? std::string("started_at, ") : "") + end;

  static constexpr const char* unreadable = "a time that is there but can't be read as one";
  static constexpr const char* backwards = "recorded before they started";
  const std::string slow = fmt::format("took longer than {} hours", static_cast<double>(options_.seconds_max) / 3600);
  if (has_start && has_end) {
    check_rows(
        "unreadable_times", unreadable, {"__tripos_end_time", "__tripos_start_time"},
        fmt::format("(started_at IS NOT NULL AND __tripos_start_time IS NULL) OR ({} IS NOT NULL AND __tripos_end_time IS NULL)", end),
        shown);
    check_rows("ends_before_start", backwards, {"__tripos_end_time", "__tripos_start_time"}, "__tripos_end_time < __tripos_start_time",
               shown);
    check_rows("longer_than_limit", slow, {"__tripos_end_time", "__tripos_start_time"},
               fmt::format("__tripos_end_time - __tripos_start_time > {}", options_.seconds_max), shown);
  } else {
    const std::string lacking = has_start ? end : "started_at";
    check_lacks("unreadable_times", unreadable, lacking);
    check_lacks("ends_before_start", backwards, lacking);
    check_lacks("longer_than_limit", slow, lacking);
  }
  const bool has_touches = shape_.has("sequences.questions[].options[].at");
  if (has_touches) {
    compute("__tripos_first_touch", attempts_.touched(false));
    compute("__tripos_last_touch", attempts_.touched(true));
  }
  static constexpr const char* early = "an option was touched before the start";
  static constexpr const char* late = "an option was touched after the recording";
  const std::string touch = "sequences.questions[].options[].at";
  if (has_touches && has_start) {
    check_rows("touched_before_start", early, {"__tripos_first_touch", "__tripos_start_time"}, "__tripos_first_touch < __tripos_start_time",
               "started_at, __tripos_first_touch AS first_touch");
  } else {
    check_lacks("touched_before_start", early, has_touches ? "started_at" : touch);
  }
  if (has_touches && has_end) {
    check_rows("touched_after_end", late, {"__tripos_end_time", "__tripos_last_touch"}, "__tripos_last_touch > __tripos_end_time",
               end + ", __tripos_last_touch AS last_touch");
  } else {
    check_lacks("touched_after_end", late, has_touches ? end : touch);
  }
  if (has_start && shape_.has_place()) {
    compute("__tripos_message_time", "CAST(__tripos_timestamp AS double)");
    check_rows("starts_in_the_future", "started a day or more after their message was made",
               {"__tripos_message_time", "__tripos_start_time"}, "__tripos_start_time > __tripos_message_time + 86400",
               "started_at, __tripos_message_time AS message_time");
  }
}

void QualityPlanner::add_order() {
  static constexpr const char* meaning = "recorded earlier than the message before them in their partition";
  static constexpr const char* partitions = "partitions in which some are";
  const std::string end = shape_.has("keen_timestamp") ? "keen_timestamp" : "keen_created_at";
  if (!shape_.has(end)) {
    check_lacks("out_of_order", meaning, end);
    return check_lacks("partitions_out_of_order", partitions, end);
  }
  if (!shape_.has_place()) return;
  const std::string timed = fmt::format(
      "(SELECT __tripos_partition, __tripos_offset, end_time, LAG(end_time) OVER (PARTITION BY __tripos_partition ORDER BY "
      "__tripos_offset) AS "
      "end_time_before FROM (SELECT __tripos_partition, __tripos_offset, {} AS end_time FROM {}) AS timed) AS ordered",
      attempts_.recorded(), table_);
  queries_.push_back(
      fmt::format("SELECT coalesce(SUM(out_of_order), 0) AS out_of_order, COUNT(CASE WHEN out_of_order > 0 THEN 1 END) AS "
                  "partitions_out_of_order FROM (SELECT COUNT(CASE WHEN end_time < end_time_before THEN 1 END) AS out_of_order FROM {} "
                  "GROUP BY __tripos_partition) AS by_partition",
                  timed));
  check_counted("out_of_order", meaning, fmt::format("SELECT * FROM {} WHERE end_time < end_time_before", timed)).is_fault = false;
  check_counted(
      "partitions_out_of_order", partitions,
      fmt::format(
          "SELECT __tripos_partition, COUNT(*) AS messages, COUNT(CASE WHEN end_time < end_time_before THEN 1 END) AS out_of_order, "
          "ROUND(MAX(end_time_before - end_time), 3) AS most_seconds_back, MIN(end_time) AS first_time, MAX(end_time) AS last_time "
          "FROM {} GROUP BY __tripos_partition HAVING COUNT(CASE WHEN end_time < end_time_before THEN 1 END) > 0",
          timed))
      .is_fault = false;
}

void QualityPlanner::add_exams() {
  struct Shared {
    const char* name;
    const char* meaning;
    const char* one;
    const char* several;
  };
  static constexpr Shared shared[] = {
      {"names_with_several_ids", "exam names that stand for several base_exam_id", "exam_name", "base_exam_id"},
      {"ids_with_several_names", "base_exam_id that stand for several exam names", "base_exam_id", "exam_name"},
  };
  if (shape_.has_all({"exam_name", "base_exam_id"})) {
    shared_.push_back(
        fmt::format("__tripos_exam_pairs AS (SELECT exam_name, base_exam_id FROM {} WHERE exam_name IS NOT NULL AND base_exam_id IS "
                    "NOT NULL GROUP BY exam_name, base_exam_id)",
                    table_));
  }
  for (const Shared& check : shared) {
    if (!shape_.has(check.one) || !shape_.has(check.several)) {
      check_lacks(check.name, check.meaning, shape_.has(check.one) ? check.several : check.one);
      continue;
    }
    queries_.push_back(
        fmt::format("SELECT COUNT(*) AS {1} FROM (SELECT {0} FROM __tripos_exam_pairs GROUP BY {0} HAVING COUNT(*) > 1) AS counted",
                    check.one, check.name));
    check_counted(
        check.name, check.meaning,
        fmt::format("SELECT {0}, COUNT(*) AS messages, sort_array(collect_set({1})) AS {1}s FROM {2} WHERE {0} IS NOT NULL GROUP BY {0} "
                    "HAVING COUNT(DISTINCT {1}) > 1",
                    check.one, check.several, table_));
  }
}

void QualityPlanner::add_persons() {
  static constexpr const char* over = "sittings with more attempts than max_attempts allows";
  const char* needed[] = {"user_exam_id", "max_attempts", "keen_id"};
  const char* lacking = nullptr;
  for (const char* field : needed) lacking = lacking == nullptr && !shape_.has(field) ? field : lacking;
  if (lacking == nullptr) {
    check_query(
        "sittings_over_max_attempts", over,
        fmt::format("SELECT user_exam_id, COUNT(DISTINCT keen_id) AS attempts, MIN({0}) AS max_attempts FROM {1} WHERE user_exam_id IS "
                    "NOT NULL GROUP BY user_exam_id HAVING COUNT(DISTINCT keen_id) > MIN({0})",
                    shape_.value("max_attempts", "double"), table_));
  } else {
    check_lacks("sittings_over_max_attempts", over, lacking);
  }

  const std::string busy = fmt::format("persons with more than {} attempts on one day (UTC)", options_.attempts_a_day_max);
  std::string person = options_.person;
  for (const char* guess : {"user_id", "person_id"}) {
    if (person.empty() && shape_.has(guess)) person = guess;
  }
  if (person.empty()) return check_lacks("persons_with_many_attempts", busy, "user_id (or the one that --person names)");
  if (!shape_.has("started_at")) return check_lacks("persons_with_many_attempts", busy, "started_at");
  check_query(
      "persons_with_many_attempts", busy,
      fmt::format("SELECT person, day, COUNT(*) AS attempts FROM ({}) AS attempts WHERE person IS NOT NULL AND day IS NOT NULL GROUP BY "
                  "person, day HAVING COUNT(*) > {}",
                  attempts_.units(CountBy::attempts,
                                  fmt::format("{} AS person, to_date(to_timestamp({})) AS day", quoted_path(person), "started_at")),
                  options_.attempts_a_day_max));
}

}  // namespace tripos::exam
