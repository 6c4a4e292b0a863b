// Transactions of a broker: list and describe them, find what holds back a partition's last stable offset, abort one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/groups.h"
#include "client/kafka_connection.h"

namespace tripos::client {

struct TransactionDescription {
  std::string id;
  std::string state;  // Kafka's: "Ongoing", "PrepareCommit" …
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t timeout_ms = 0;
  std::int64_t start_time_ms = -1;  // -1: no transaction has begun
  std::vector<TopicAndPartition> partitions;
  // Its records are not decided, or not shown yet.
  [[nodiscard]] bool is_open() const { return state == "Ongoing" || state == "PrepareCommit" || state == "PrepareAbort"; }
};

// By id.
[[nodiscard]] Result<std::vector<TransactionDescription>> list_transactions(KafkaConnection& connection);
// not_found: nobody uses this id.
[[nodiscard]] Result<TransactionDescription> describe_transaction(KafkaConnection& connection, const std::string& id);

struct OpenTransaction {  // as a partition knows it
  std::int64_t producer_id = -1;
  std::int64_t first_offset = -1;
};
// By their first offsets.
[[nodiscard]] Result<std::vector<OpenTransaction>> open_transactions(KafkaConnection& connection, const TopicAndPartition& place);

// Aborts what the id has open, and fences its producer (docs/adr/0027); answered when all of it is aborted everywhere.
// conflict: the producer is another than the described one by now, nothing was done.
[[nodiscard]] Result<> abort_transaction(KafkaConnection& connection, const TransactionDescription& described);

}  // namespace tripos::client
