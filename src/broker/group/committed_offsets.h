// CommittedOffsets: what one group has committed, and what it is about to commit.
// A commit shows only once it is durable (rules, 1.6); until then its partition is pending, so that nothing that is decided meanwhile
// (expiry, deletion of the group) puts a tombstone behind it by mistake, or forgets to.
// Offsets of a transaction wait, durable, for its end; if it is committed, each of them counts unless a later commit stands in the log.
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "broker/group/group.h"
#include "broker/group/offset_records.h"
#include "broker/group/subscription.h"
#include "model/ids.h"

namespace tripos::groups {

class CommittedOffsets {
 public:
  using Partitions = std::map<std::int32_t, CommittedOffset>;
  using Map = std::map<std::string, Partitions, std::less<>>;  // by topic

  [[nodiscard]] const Map& all() const noexcept { return offsets_; }
  [[nodiscard]] bool empty() const noexcept { return offsets_.empty() && pending_.empty() && staged_.empty(); }
  [[nodiscard]] const CommittedOffset* find(std::string_view topic, std::int32_t partition) const noexcept;

  void set(const std::string& topic, std::int32_t partition, CommittedOffset offset);
  void erase(std::string_view topic, std::int32_t partition);  // those of open transactions too

  // A transaction's offset is durable; it shows when the transaction is committed.
  void stage(ProducerId producer, const std::string& topic, std::int32_t partition, CommittedOffset offset);
  void end_transaction(ProducerId producer, bool committed);
  // Whether a transaction that is open may yet change it.
  [[nodiscard]] bool is_unstable(const std::string& topic, std::int32_t partition) const;

  void begin_commit(const std::string& topic, std::int32_t partition);
  void end_commit(const std::string& topic, std::int32_t partition);
  // Whether something may come behind what is shown: a commit under way, or an open transaction.
  [[nodiscard]] bool is_pending(const std::string& topic, std::int32_t partition) const;

  struct Position {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
  };
  // Everything that the log may hold of this group, pending ones too.
  [[nodiscard]] std::vector<Position> positions() const;

 private:
  Map offsets_;
  std::map<Position, int> pending_;  // how many commits are under way
  std::map<ProducerId, std::map<Position, CommittedOffset>> staged_;
};

// Which offsets have outlived offsets.retention (Kafka's rules, KIP-211), by the wall clock:
//   - of a group without members: counted from when it became empty;
//   - of a stable consumer group: of topics that nobody subscribes to any more, counted from the commit;
//   - where no group protocol was ever used: counted from the commit;
//   - of other groups with members: none. A commit that brought its own expiry time goes by that.
[[nodiscard]] std::vector<CommittedOffsets::Position> expired_offsets(const Group& group, const CommittedOffsets& offsets,
                                                                      std::int64_t state_timestamp_ms, milliseconds retention,
                                                                      WallTime now);

}  // namespace tripos::groups
