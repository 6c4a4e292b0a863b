// LiveLog: the log's bytes that a statement's pin holds, mapped read-only, cut into pieces that threads take in turn. Batches of aborted
// transactions are in no piece.
//
// Appending behind a mapped range is sound: what was durable when the pin was made doesn't change. Each mapping ends in an anonymous page
// of zeros, so that readers which look a few bytes ahead never leave it (rules, 5.2).
// Ownership: owns the mappings, not the descriptors. Threads: immutable once made.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "model/aborted.h"
#include "model/batch_order.h"
#include "model/ids.h"
#include "query/protocol/channel.h"
#include "query/protocol/messages.h"

namespace tripos::worker {

class MappedBytes {
 public:
  MappedBytes(MappedBytes&& other) noexcept;
  MappedBytes& operator=(MappedBytes&&) = delete;
  ~MappedBytes();
  [[nodiscard]] static Result<MappedBytes> map(int descriptor, std::uint64_t begin, std::uint64_t end);
  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }

 private:
  MappedBytes(void* base, std::size_t size, Bytes bytes) : base_(base), size_(size), bytes_(bytes) {}
  void* base_;
  std::size_t size_;
  Bytes bytes_;
};

// Whole batches of one partition.
struct LogPiece {
  PartitionId partition;
  Bytes bytes;
  Offset begin;  // records outside of [begin, end) don't belong to the pin
  Offset end;
  std::uint64_t file_position = 0;         // where `bytes` begins in its file
  const std::string* file_name = nullptr;  // for errors; as long as the LiveLog
};

class LiveLog {
 public:
  // `descriptors`: those that came with the message that names the ranges. `piece_bytes`: how large a piece for one thread is.
  [[nodiscard]] static Result<LiveLog> open(std::span<const protocol::PinnedRange> ranges,
                                            std::span<const protocol::Descriptor> descriptors,
                                            std::size_t piece_bytes = std::size_t{1} << 20);

  [[nodiscard]] std::span<const LogPiece> pieces() const noexcept { return pieces_; }
  [[nodiscard]] std::int64_t record_count() const noexcept { return record_count_; }  // as the batches say; an estimate

 private:
  Result<> cut(const LogPiece& whole, BatchOrder order, const AbortedBatches& aborted, std::size_t piece_bytes);

  std::vector<MappedBytes> mappings_;
  std::vector<LogPiece> pieces_;
  std::deque<std::string> file_names_;  // of the slices; pieces point there
  std::int64_t record_count_ = 0;
};

}  // namespace tripos::worker
