#include "query/worker_column_files.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "query/order.h"
#include "query/pinned_message.h"

namespace tripos::query {

Result<std::vector<lambda::WrittenColumnFile>> WorkerColumnFiles::write(std::span<const lambda::ColumnFileOrder> orders) {
  std::vector<lambda::WrittenColumnFile> written(orders.size());
  std::mutex mutex;
  std::optional<Error> first_error;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < orders.size(); i = next++) {
      auto file = write_one(orders[i], stopped_);
      if (file) {
        written[i] = *file;
        continue;
      }
      const std::lock_guard lock(mutex);
      if (!first_error) first_error = std::move(file).error();
      next = orders.size();
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t count = 1; count < std::min(parallel_, orders.size()); ++count) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (first_error) return tl::unexpected(std::move(*first_error));
  return written;
}

Result<lambda::WrittenColumnFile> WorkerColumnFiles::write_one(const lambda::ColumnFileOrder& order, const Cancellation& cancellation) {
  const auto deadline = std::chrono::steady_clock::now() + time_limit_;
  TRIPOS_ASSIGN(auto lease, workers_.acquire(deadline, cancellation));
  TRIPOS_ASSIGN(auto range, range_message(order.range));
  protocol::WriteRange message{.order = lease.worker().next_order(),
                               .topic_id = order.topic.id,
                               .topic = order.topic.name,
                               .schema = order.schema.text(),
                               .range = std::move(range.range),
                               .path = order.path,
                               .footer = {}};
  for (const auto& [key, value] : order.footer) message.footer.push_back({.key = key, .value = value});
  Order running(lease, message.order, deadline, cancellation);
  TRIPOS_TRY(running.send(std::move(message), range.descriptors));

  std::optional<protocol::Wrote> wrote;
  TRIPOS_TRY(running.run([&wrote](protocol::ToServer& answer) -> Result<> {
    const auto* said = std::get_if<protocol::Wrote>(&answer);
    if (said == nullptr || wrote) return fail(ErrorCode::malformed, "the worker said something out of turn");
    wrote = *said;
    return {};
  }));
  if (!wrote) return fail(ErrorCode::malformed, "the worker did not say what it wrote to {}", order.path);
  return lambda::WrittenColumnFile{.row_count = wrote->row_count,
                                   .rejected_count = wrote->rejected_count,
                                   .tombstone_count = wrote->tombstone_count,
                                   .lost_count = wrote->lost_count};
}

}  // namespace tripos::query
