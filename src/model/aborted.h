// TransactionRange, AbortedTransaction, AbortedBatches: which batches of a partition belong to transactions that were aborted, and so are
// nobody's records. Ownership: values. Threads: immutable once made.
#pragma once

#include <algorithm>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/ids.h"
#include "model/record_batch.h"

namespace tripos {

// The transactional batches of this producer whose offsets lie in [first, last].
struct TransactionRange {
  ProducerId producer_id;
  Offset first;  // of its first batch
  Offset last;   // of the marker that ended it
  friend bool operator==(const TransactionRange&, const TransactionRange&) = default;
};
using AbortedTransaction = TransactionRange;

// Answers for many batches fast, however many transactions there are.
class AbortedBatches {
 public:
  AbortedBatches() = default;
  // `aborted`: by their first offsets. A producer's transactions never overlap.
  explicit AbortedBatches(std::span<const AbortedTransaction> aborted) {
    for (const AbortedTransaction& each : aborted) by_producer_[each.producer_id].push_back(each);
  }

  [[nodiscard]] bool contains(const RecordBatchView& batch) const {
    if (by_producer_.empty() || !batch.is_transactional()) return false;
    const auto found = by_producer_.find(batch.producer_id());
    if (found == by_producer_.end()) return false;
    const auto behind = std::ranges::upper_bound(found->second, batch.base_offset(), {}, &AbortedTransaction::first);
    return behind != found->second.begin() && batch.base_offset() <= std::prev(behind)->last;
  }

 private:
  std::unordered_map<ProducerId, std::vector<AbortedTransaction>> by_producer_;
};

}  // namespace tripos
