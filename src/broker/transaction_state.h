// TransactionState: __transaction_state, for the transaction coordinator. Created with the first transactional id. Threads: the loop's.
#pragma once

#include <string>
#include <vector>

#include "broker/internal_topic.h"
#include "broker/transaction/transaction_ports.h"

namespace tripos::broker {

class TransactionState final : public transactions::TransactionLog {
 public:
  explicit TransactionState(Broker& broker);

  [[nodiscard]] std::int32_t partition_count() const override { return topic_.partition_count(); }
  void append(PartitionId partition, Buffer key, std::optional<Buffer> value, std::function<void(wire::ErrorCode)> done) override;
  [[nodiscard]] Result<> read_all(PartitionId partition,
                                  const std::function<void(std::optional<Bytes>, std::optional<Bytes>)>& visit) const override;

 private:
  InternalTopic topic_;
};

// The partitions that transactions write to: those of topics, and of __consumer_offsets with the groups behind it.
class TransactionalPartitions final : public transactions::TransactionPartitions {
 public:
  explicit TransactionalPartitions(Broker& broker) : broker_(broker) {}

  void append_marker(const transactions::TopicPartitionName& partition, const TransactionMarker& marker,
                     std::function<void(wire::ErrorCode)> done) override;
  void release(const std::string& id, const TransactionMarker& marker, const transactions::Partitions& partitions) override;
  [[nodiscard]] transactions::FirstOffsets first_offsets(ProducerId producer_id, const transactions::Partitions& partitions) override;
  [[nodiscard]] std::vector<transactions::StraddlingTransaction> straddling(const std::string& id) override;
  void restore(const std::string& id, const std::vector<transactions::StraddlingTransaction>& straddling) override;

 private:
  Broker& broker_;
};

}  // namespace tripos::broker
