// Judge: holds a world against what its clients know. Each check has a name; a finding begins with it ("lost: …").
//
//   check          what it finds
//   open           the server does not start, refuses a partition, or complains, on a disk without a fault
//   lost           a record that was acknowledged or seen is gone, or the end went back
//   changed        an offset holds another record than before, or one that nobody wrote
//   twice          a record stands at two offsets
//   sequence       an idempotent producer's records have a gap or another order, or what it sends again is refused or stored again
//   start          the log's start went back, or is where nobody asked for it
//   transaction    a half of a transaction is seen, a committed one is not, or one that was not committed is
//   held           what has ended still holds a stable offset back
//   topic          a topic is lost, back, another one, or has another configuration
//   files          a deleted topic's files are still there
//   group          a group's offset went back, or is one that it never committed
//   producer_id    an id, or a transactional producer's epoch, is given out twice
//   offset_twice   an offset that a table's files have is given out again (tests/sim/lost_log.h)
//   manifest       a version of a manifest is another one than before
//   table          batch ∪ live lacks a row, has one too many, or shows one that was deleted
//
// Threads: the world's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "history.h"
#include "world.h"

namespace tripos::sim {

struct Row {
  std::int64_t offset = 0;
  std::int64_t number = -1;
};

// What a reader of committed records sees of a partition.
struct Seen {
  std::int64_t begin = 0;  // nothing below was asked for
  std::int64_t end = 0;    // the last stable offset
  std::vector<Row> rows;
};
using View = std::map<Place, Seen>;

class Judge {
 public:
  Judge(World& world, const History& history) : world_(world), history_(history) {}

  // After a start: everything. What is wrong; empty: nothing.
  [[nodiscard]] std::string after_start();
  // While clients are at work: what a pin of all tables shows.
  [[nodiscard]] std::string pins();
  // What it has seen, after one of the above: nobody may take it back.
  void teach(History& history) const;
  // Once every transaction has ended.
  [[nodiscard]] std::string nothing_is_held();

 private:
  template <typename... Values>
  void wrong(std::string_view check, fmt::format_string<Values...> format, Values&&... values) {
    if (wrong_.empty()) wrong_ = std::string(check) + ": " + fmt::format(format, std::forward<Values>(values)...);
  }
  [[nodiscard]] std::string first_wrong();

  void pin_tables();
  void check_tables();
  void check_table_rows(const Place& place, const Seen& seen, const lambda::PinnedTable& pinned, const PartitionRange& range);
  void check_topics();
  void check_files();
  void read_places();
  void read_place(const Place& place, const TopicKnown& topic);
  void check_rows(const Place& place, const TopicKnown& topic, std::int64_t start, const std::vector<Row>& rows);
  void check_last_of_keys(const Place& place, const std::vector<Row>& rows);
  void check_sequences(const Place& place, const std::vector<Row>& rows);
  // Consumers see each partition by itself, up to its last stable offset; tables show a transaction as a whole, or nothing of it.
  enum class Reader { consumers, tables };
  void check_transactions(const View& view, Reader reader);
  [[nodiscard]] bool straddles(const SentTransaction& transaction) const;
  [[nodiscard]] bool is_withheld(const Place& place, const Row& row) const;
  void check_groups();
  [[nodiscard]] Row row_of(const Place& place, std::int64_t offset, std::string_view value);
  [[nodiscard]] bool is_settled(const std::string& topic) const;  // it exists, and nothing is uncertain about that

  World& world_;
  const History& history_;
  std::string wrong_;
  View pinned_;
  std::map<std::pair<std::string, std::uint64_t>, std::string> manifests_;
  View read_;
  std::map<std::size_t, bool> visible_;  // transactions of read_
};

}  // namespace tripos::sim
