// ProducerIds: gives out producer ids, each once in the life of the data directory (rules, 1.5).
// A block of ids is claimed in the metadata log, durably, before its first is given; what a crash leaves of a block is never used.
// Threads: the loop's.
#pragma once

#include <functional>
#include <vector>

#include "broker/kafka_error.h"
#include "broker/metadata_log.h"
#include "model/ids.h"

namespace tripos::broker {

class ProducerIds {
 public:
  static constexpr std::int64_t block_size = 1000;

  explicit ProducerIds(MetadataLog& metadata) : metadata_(metadata) {}

  // From the log, at start: ids below may have been given out.
  void recover(const ProducerIdBlock& block) { next_ = end_ = block.next; }

  // A new id, to `done`: during the call, or once a block is durable.
  using Done = std::function<void(Outcome<ProducerId>)>;
  void next(Done done);

 private:
  void claim_block();

  MetadataLog& metadata_;
  ProducerId next_{0};
  ProducerId end_{0};  // of the claimed ids
  bool claiming_ = false;
  std::vector<Done> waiting_;
};

}  // namespace tripos::broker
