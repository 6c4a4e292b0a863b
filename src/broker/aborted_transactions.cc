#include "broker/aborted_transactions.h"

#include <algorithm>

#include "base/check.h"

namespace tripos::broker {

namespace {

constexpr std::int16_t index_version = 0;

Offset marker_of(const AbortedEntry& entry) noexcept { return entry.transaction.last; }

}  // namespace

void AbortedTransactions::add(const AbortedEntry& entry) {
  CHECK(entries_.empty() || marker_of(entries_.back()) < marker_of(entry));
  entries_.push_back(entry);
}

std::vector<AbortedTransaction> AbortedTransactions::overlapping(Offset from, Offset end) const {
  std::vector<AbortedTransaction> found;
  for (auto each = std::ranges::lower_bound(entries_, from, {}, marker_of); each != entries_.end(); ++each) {
    if (each->transaction.first < end) found.push_back(each->transaction);
    if (each->last_stable >= end) break;
  }
  std::ranges::sort(found, {}, &AbortedTransaction::first);
  return found;
}

void AbortedTransactions::drop(const std::vector<Offset>& markers) {
  std::erase_if(entries_, [&markers](const AbortedEntry& entry) { return std::ranges::binary_search(markers, marker_of(entry)); });
}

void AbortedTransactions::drop_below(Offset start) {
  entries_.erase(entries_.begin(), std::ranges::lower_bound(entries_, start, {}, marker_of));
}

Buffer AbortedTransactions::index_of(Offset base, Offset end) const {
  Buffer index;
  for (auto each = std::ranges::lower_bound(entries_, base, {}, marker_of); each != entries_.end() && marker_of(*each) < end; ++each) {
    append_index_entry(index, *each);
  }
  return index;
}

void append_index_entry(Buffer& to, const AbortedEntry& entry) {
  append_be(to, index_version);
  append_be(to, entry.transaction.producer_id.value());
  append_be(to, entry.transaction.first.value());
  append_be(to, entry.transaction.last.value());
  append_be(to, entry.last_stable.value());
}

}  // namespace tripos::broker
