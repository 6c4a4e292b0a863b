// Counts: how often each content was seen, beyond memory: a table, and sorted runs in files once that is full. A content's count is the
// sum over all of them.
//
// Runs are merged eight by eight, class by class of size, so that a count is looked for in few of them and each is rewritten a few times.
// Files are made durable, their names and removals are not: who names runs in a file of his own (LoadIndex) syncs the directory,
// and removes what merges left (take_replaced) when nothing names it any more.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "io/file_system.h"
#include "load/count_run.h"
#include "load/count_table.h"

namespace tripos::load {

class Counts {
 public:
  // At most this many contents stay in memory: 24 MiB.
  static constexpr std::size_t table_size_max = std::size_t{1} << 19;

  // The directory is made with the first run.
  Counts(io::FileSystem& files, std::string directory, std::uint64_t seed, std::size_t table_size = table_size_max)
      : files_(files), directory_(std::move(directory)), seed_(seed), table_size_(table_size) {}

  // A run that was written before.
  [[nodiscard]] Result<> open_run(std::uint64_t number);

  void add(const ContentHash& hash, std::uint32_t count) { table_.add(hash, count); }
  // The table is to be spilled before more is added.
  [[nodiscard]] bool full() const noexcept { return table_.size() >= table_size_; }
  // Writes the table as a run; nothing where it is empty.
  [[nodiscard]] Result<> spill();

  // Fastest in the order of hashes.
  [[nodiscard]] Result<std::uint32_t> count(const ContentHash& hash);

  struct Run {
    std::uint64_t number;
    CountRun counts;
  };
  [[nodiscard]] const std::vector<Run>& runs() const noexcept { return runs_; }
  [[nodiscard]] std::uint64_t next_number() const noexcept { return next_number_; }
  void set_next_number(std::uint64_t number) noexcept { next_number_ = number; }
  [[nodiscard]] std::size_t table_size() const noexcept { return table_.size(); }

  // Forgets everything; the files stay.
  void clear();

  // The paths of runs that were merged into others since the last call.
  [[nodiscard]] std::vector<std::string> take_replaced() { return std::exchange(replaced_, {}); }

 private:
  [[nodiscard]] std::string path_of(std::uint64_t number) const;
  [[nodiscard]] std::size_t class_of(const Run& run) const noexcept;
  [[nodiscard]] Result<> merge_where_many();
  [[nodiscard]] Result<> merge(std::size_t first);

  io::FileSystem& files_;
  std::string directory_;
  std::uint64_t seed_;
  std::size_t table_size_;
  CountTable table_;
  std::vector<Run> runs_;  // by class, the largest first
  std::uint64_t next_number_ = 1;
  std::vector<std::string> replaced_;
};

// "00000000000000000012.run"
[[nodiscard]] std::string run_name(std::uint64_t number);

}  // namespace tripos::load
