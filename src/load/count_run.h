// CountRun: sorted counts in a file, immutable (docs/format/load_index.md). CountRunWriter makes one.
// Memory of a run: 8 bytes for each block of 204 counts, and two blocks.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "load/count_table.h"

namespace tripos::load {

class CountRunWriter {
 public:
  [[nodiscard]] static Result<CountRunWriter> create(io::FileSystem& files, const std::string& path, std::uint64_t seed);
  // In the order of hashes, each once.
  [[nodiscard]] Result<> add(const Count& count);
  // The file is durable, not its name.
  [[nodiscard]] Result<> finish();
  [[nodiscard]] std::uint64_t entry_count() const noexcept { return entry_count_; }

 private:
  CountRunWriter(std::shared_ptr<io::File> file, std::uint64_t seed) : file_(std::move(file)), seed_(seed) {}
  [[nodiscard]] Result<> end_block();
  [[nodiscard]] Result<> write_blocks();

  std::shared_ptr<io::File> file_;
  std::uint64_t seed_;
  Buffer block_;   // entries of the one that is being filled
  Buffer blocks_;  // whole ones that are not yet written
  Buffer fences_;
  std::uint64_t block_count_ = 0;
  std::uint64_t entry_count_ = 0;
};

class CountRun {
 public:
  // corrupt: it is damaged, or has another seed. The path is in every error.
  [[nodiscard]] static Result<CountRun> open(io::FileSystem& files, const std::string& path, std::uint64_t seed);

  // Fastest in the order of hashes: each block is then read once.
  [[nodiscard]] Result<std::uint32_t> count(const ContentHash& hash);
  [[nodiscard]] std::uint64_t entry_count() const noexcept { return entry_count_; }
  [[nodiscard]] const std::string& path() const noexcept { return file_->path(); }

  // The entries in their order, for merging.
  class Cursor {
   public:
    explicit Cursor(CountRun& run) : run_(&run) {}
    // nullptr at the end.
    [[nodiscard]] Result<const Count*> next();

   private:
    CountRun* run_;
    std::vector<Count> entries_;
    std::uint64_t next_block_ = 1;
    std::size_t next_ = 0;
  };

 private:
  explicit CountRun(std::shared_ptr<io::File> file) : file_(std::move(file)) {}
  [[nodiscard]] Result<> read_head(std::uint64_t seed);
  [[nodiscard]] Result<> read_block(std::uint64_t number, std::vector<Count>& to);
  [[nodiscard]] tl::unexpected<Error> damaged(std::string_view what) const;

  std::shared_ptr<io::File> file_;
  std::uint64_t entry_count_ = 0;
  std::vector<std::uint64_t> fences_;  // the high half of each block's first hash
  std::uint64_t block_number_ = 0;     // of block_; 0: none
  std::vector<Count> block_;
  Buffer raw_;
};

}  // namespace tripos::load
