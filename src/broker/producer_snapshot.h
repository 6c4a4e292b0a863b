// ProducerSnapshot: what a partition remembers of its producers at some offset, as a file (docs/format/producer_snapshot.md), so that
// opening it reads only the log behind that offset. Kafka's format, with our own part behind its end, which Kafka's readers pass over.
// Threads: none.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/aborted_transactions.h"
#include "broker/producer_state.h"

namespace tripos::broker {

struct ProducerSnapshot {
  ProducerStates producers;
  AbortedTransactions aborted;
};

[[nodiscard]] Buffer encode_producer_snapshot(const ProducerStates& producers, const AbortedTransactions& aborted);
// corrupt: it is not whole, or holds what can't be; `where` names it.
[[nodiscard]] Result<ProducerSnapshot> decode_producer_snapshot(Bytes bytes, std::string_view where);

}  // namespace tripos::broker
