// ConsumerOffsets: __consumer_offsets, for the group coordinator. Created with the first commit or assignment. Threads: the loop's.
#pragma once

#include <vector>

#include "broker/group/offsets_topic.h"
#include "broker/internal_topic.h"

namespace tripos::broker {

inline constexpr std::string_view consumer_offsets_name = "__consumer_offsets";

class ConsumerOffsets final : public groups::OffsetsTopic {
 public:
  explicit ConsumerOffsets(Broker& broker);

  [[nodiscard]] std::int32_t partition_count() const override { return topic_.partition_count(); }
  void append(PartitionId partition, std::vector<groups::OffsetsTopicRecord> records,
              std::optional<groups::TransactionalProducer> transaction, std::function<void(wire::ErrorCode)> done) override;
  [[nodiscard]] Result<> read_all(PartitionId partition, const std::function<void(const groups::OffsetsTopicEntry&)>& visit) const override;

 private:
  InternalTopic topic_;
};

}  // namespace tripos::broker
