#include "app/server/trim_preparation.h"

#include <algorithm>
#include <utility>

namespace tripos::app {

void TrimPreparation::prepare(const broker::LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) {
  auto work = [this, leaving, allowed] { loop_.post([allowed, result = prepare_now(leaving)] { allowed(result); }); };
  if (runners_.submit(std::move(work))) return;
  loop_.post([allowed = std::move(allowed)] { allowed(fail(ErrorCode::unavailable, "too many questions wait already: try again later")); });
}

Result<Offset> TrimPreparation::prepare_now(const broker::LeavingRecords& leaving) {
  const auto topics = source_.topics();
  const auto topic = std::ranges::find(topics, leaving.partition.topic, &TopicDescription::id);
  if (topic == topics.end()) return fail(ErrorCode::unavailable, "the topic was deleted");
  if (!topic->internal) TRIPOS_TRY(loads_.count_before_trim(*topic));
  if (leaving.trim == log::Trim::compaction) {
    if (topic->table && !topic->internal) TRIPOS_TRY(snapshots_.keep_schema(*topic));
    return leaving.end;
  }
  // What is deleted on request leaves the table, too; the table of a compacted topic is its log.
  const bool has_files = topic->table && !topic->internal && !topic->compacted;
  if (leaving.trim == log::Trim::deletion || !has_files) return leaving.end;
  return snapshots_.cover(*topic, leaving.partition.partition, leaving.end);
}

}  // namespace tripos::app
