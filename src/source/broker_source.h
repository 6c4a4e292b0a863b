// BrokerSource, BrokerSink: the ports over the embedded broker (design, 6; model/ports.h).
// Each call is posted to the broker's loop and awaited, so that it sees one moment and the loop never waits.
// Threads: any but the loop's own. The broker and its executor outlive them; calls after shut_down() fail with cancelled.
#pragma once

#include <memory>

#include "broker/broker.h"
#include "model/ports.h"

namespace tripos::source {

// What the port says at this moment. Threads: the loop's.
[[nodiscard]] std::vector<TopicDescription> describe_topics(broker::Broker& broker);
[[nodiscard]] Result<std::vector<PartitionRange>> read_ranges(broker::Broker& broker, std::span<const RangeRequest> requests);

class BrokerSource final : public RecordSource {
 public:
  explicit BrokerSource(broker::Broker& broker) : broker_(broker) {}

  [[nodiscard]] std::vector<TopicDescription> topics() override;
  [[nodiscard]] Result<std::vector<PartitionRange>> ranges(std::span<const RangeRequest> requests) override;

 private:
  broker::Broker& broker_;
};

class BrokerSink final : public RecordSink {
 public:
  explicit BrokerSink(broker::Broker& broker) : broker_(broker) {}

  [[nodiscard]] Result<Offset> append(NewRecords records) override;
  void append(NewRecords records, AppendDone done) override;

 private:
  broker::Broker& broker_;
};

}  // namespace tripos::source
