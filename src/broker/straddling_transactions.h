// StraddlingTransactions: committed transactions that are not shown as a whole. A partition's last stable offset stands at the first record
// of its earliest open transaction, and what was committed behind that waits there, while the transaction's other partitions, and its
// records before that one, are shown. Kafka's readers, who read partition by partition, are given that; who reads across partitions may see
// no half of a transaction (rules, 2.2), and leaves a straddling one out until it is whole (docs/adr/0034).
//
//   event                                          the transaction
//   released in all its partitions (committed)     straddles, unless all of them show all of it
//   a stable offset moves, a topic is deleted      straddles no longer, when all partitions that are left show it
//   restart                                        straddles if the record of its id in __transaction_state says so, until the above
//
// Nobody is called when a stable offset moves: whoever asks is answered as of now.
// Threads: the loop's.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/transaction/transaction_metadata.h"
#include "model/aborted.h"
#include "model/ids.h"

namespace tripos::broker {

class StraddlingTransactions {
 public:
  using Transaction = transactions::StraddlingTransaction;
  // The last stable offset of a partition; nothing if there is no such partition, or none that is served.
  using StableOffsetOf = std::function<std::optional<Offset>(const TopicPartition&)>;

  explicit StraddlingTransactions(StableOffsetOf stable_offset) : stable_offset_(std::move(stable_offset)) {}

  // A transaction of this transactional id that was committed and released. Looks at no partition: at start none may be opened before it is
  // known which transactions are being completed.
  void add(const std::string& id, Transaction transaction);

  // Those of an id that straddle now, in the order of their commits.
  [[nodiscard]] std::vector<Transaction> of(const std::string& id);
  // What they wrote to [from, end) of the partition, by first offsets.
  [[nodiscard]] std::vector<TransactionRange> withheld(const TopicPartition& partition, Offset from, Offset end);
  // Below `stable` and whatever straddles in the partition: what is there will be the same for every later reader.
  [[nodiscard]] Offset settled_end(const TopicPartition& partition, Offset stable);

 private:
  [[nodiscard]] bool is_whole(const Transaction& transaction) const;
  void forget_whole();

  StableOffsetOf stable_offset_;
  std::map<std::string, std::vector<Transaction>, std::less<>> by_id_;
};

}  // namespace tripos::broker
