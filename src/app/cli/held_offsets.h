// What holds back a last stable offset: which transaction, since when. For `tripos status` and `tripos doctor`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/transactions.h"

namespace tripos::app {

struct HeldOffset {
  client::TopicAndPartition place;
  std::int64_t stable_offset = 0;
  std::int64_t end_offset = 0;
  std::string transactional_id = {};  // empty: nobody knows it any more
  std::string state = {};
  std::int64_t producer_id = -1;
  std::int64_t open_ms = -1;  // since the transaction began; -1: not known
  std::int64_t timeout_ms = 0;
};

// Of all partitions.
[[nodiscard]] Result<std::vector<HeldOffset>> held_offsets(client::KafkaConnection& connection);

// How long a transaction has been open by this machine's clock, in milliseconds; -1: none is.
[[nodiscard]] std::int64_t open_ms(const client::TransactionDescription& transaction);

}  // namespace tripos::app
