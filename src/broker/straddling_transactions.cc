#include "broker/straddling_transactions.h"

#include <algorithm>
#include <utility>

namespace tripos::broker {

void StraddlingTransactions::add(const std::string& id, Transaction transaction) {
  if (!transaction.parts.empty()) by_id_[id].push_back(std::move(transaction));
}

std::vector<StraddlingTransactions::Transaction> StraddlingTransactions::of(const std::string& id) {
  forget_whole();
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? std::vector<Transaction>() : found->second;
}

std::vector<TransactionRange> StraddlingTransactions::withheld(const TopicPartition& partition, Offset from, Offset end) {
  forget_whole();
  std::vector<TransactionRange> ranges;
  for (const auto& [id, transactions] : by_id_) {
    for (const Transaction& transaction : transactions) {
      for (const auto& part : transaction.parts) {
        if (part.partition != partition || part.first >= end || part.last < from) continue;
        ranges.push_back({.producer_id = transaction.producer_id, .first = part.first, .last = part.last});
      }
    }
  }
  std::ranges::sort(ranges, {}, &TransactionRange::first);
  return ranges;
}

Offset StraddlingTransactions::settled_end(const TopicPartition& partition, Offset stable) {
  const auto ranges = withheld(partition, Offset(0), stable);
  return ranges.empty() ? stable : ranges.front().first;
}

bool StraddlingTransactions::is_whole(const Transaction& transaction) const {
  return std::ranges::all_of(transaction.parts, [this](const auto& part) {
    const std::optional<Offset> stable = stable_offset_(part.partition);
    return !stable || *stable > part.last;
  });
}

void StraddlingTransactions::forget_whole() {
  for (auto& [id, transactions] : by_id_) std::erase_if(transactions, [this](const Transaction& each) { return is_whole(each); });
  std::erase_if(by_id_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace tripos::broker
