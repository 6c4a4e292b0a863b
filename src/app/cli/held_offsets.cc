#include "app/cli/held_offsets.h"

#include <algorithm>
#include <chrono>

#include "client/topics.h"

namespace tripos::app {
namespace {

using client::Isolation;
using client::OffsetAt;
using client::TransactionDescription;

// Whose transaction it is: the one that the partition says is open, or one that is decided and not completed everywhere.
const TransactionDescription* holder_of(const client::TopicAndPartition& place, const std::vector<client::OpenTransaction>& open,
                                        const std::vector<TransactionDescription>& transactions) {
  for (const TransactionDescription& transaction : transactions) {
    if (!open.empty() && transaction.producer_id == open.front().producer_id) return &transaction;
  }
  for (const TransactionDescription& transaction : transactions) {
    if (transaction.is_open() && std::ranges::find(transaction.partitions, place) != transaction.partitions.end()) return &transaction;
  }
  return nullptr;
}

}  // namespace

std::int64_t open_ms(const TransactionDescription& transaction) {
  if (!transaction.is_open() || transaction.start_time_ms < 0) return -1;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  return std::max<std::int64_t>(0, now.count() - transaction.start_time_ms);
}

Result<std::vector<HeldOffset>> held_offsets(client::KafkaConnection& connection) {
  std::vector<HeldOffset> held;
  TRIPOS_ASSIGN(const auto topics, client::list_topics(connection));
  TRIPOS_ASSIGN(const auto transactions, client::list_transactions(connection));
  constexpr auto latest = static_cast<std::int64_t>(OffsetAt::latest);
  for (const client::TopicMetadata& topic : topics) {
    std::vector<std::int32_t> partitions;
    for (const client::PartitionMetadata& partition : topic.partitions) partitions.push_back(partition.index);
    // The stable offsets first: an end that is read later is not below them.
    const auto stable = client::list_offsets(connection, topic.name, partitions, latest, Isolation::read_committed);
    const auto ends = client::list_offsets(connection, topic.name, partitions, latest, Isolation::read_uncommitted);
    if (!stable || !ends) continue;  // a damaged partition: others tell of it
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      if ((*stable)[i] >= (*ends)[i]) continue;
      const client::TopicAndPartition place{.topic = topic.name, .partition = partitions[i]};
      TRIPOS_ASSIGN(const auto open, client::open_transactions(connection, place));
      const TransactionDescription* holder = holder_of(place, open, transactions);
      if (holder == nullptr && open.empty()) continue;  // records that came between the two questions
      HeldOffset found{.place = place, .stable_offset = (*stable)[i], .end_offset = (*ends)[i]};
      if (!open.empty()) found.producer_id = open.front().producer_id;
      if (holder != nullptr) {
        found.transactional_id = holder->id;
        found.state = holder->state;
        found.producer_id = holder->producer_id;
        found.timeout_ms = holder->timeout_ms;
        found.open_ms = open_ms(*holder);
      }
      held.push_back(std::move(found));
    }
  }
  return held;
}

}  // namespace tripos::app
