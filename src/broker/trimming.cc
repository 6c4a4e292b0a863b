#include "broker/trimming.h"

#include <algorithm>
#include <utility>

#include "broker/told_once.h"
#include "broker/topics.h"

namespace tripos::broker {

void Trimming::trim(const LeavingRecords& leaving, std::function<void(const Outcome<Offset>&)> told) {
  auto done = told_once<Outcome<Offset>>(std::move(told), unknown_topic_or_partition());
  broker_.ask_trim_guard(leaving, [this, alive = alive_, leaving, done = std::move(done)](const Result<Offset>& allowed) {
    if (!*alive) return;
    if (!allowed) return done(tl::unexpected(kafka_error(allowed.error())));
    LeavingRecords let_go = leaving;
    let_go.end = std::min(leaving.end, *allowed);
    trim_now(let_go, done);
  });
}

void Trimming::trim_now(const LeavingRecords& leaving, const std::function<void(const Outcome<Offset>&)>& done) {
  const auto partition = broker_.topics().partition(leaving.partition);
  if (!partition) return done(tl::unexpected(partition.error()));
  (*partition)->advance_start(leaving.end, leaving.trim, [this, alive = alive_, id = leaving.partition, done](const Outcome<>& durable) {
    if (!*alive) return;
    if (!durable) return done(tl::unexpected(durable.error()));
    const auto trimmed = broker_.topics().partition(id);
    if (!trimmed) return done(tl::unexpected(trimmed.error()));
    done((*trimmed)->start_offset());
  });
}

}  // namespace tripos::broker
