// PartitionLog: one partition's records on disk, in Kafka's format (docs/format/segment.md).
//
//   start  <=  any VisibleEnd  <=  durable end  <=  written end (private)
//
// Appends go to the newest segment and become durable by GroupCommit; only then does durable_end() move and when_durable() run. Nobody
// sees the written end: readers bring a VisibleEnd, which only a DurableEnd or a StableOffset converts to (rules, 1.4).
// Files: <base offset, 20 digits>.log, .index, .timeindex; checkpoint. The directory is made by the first append.
// Threads: the loop's only; what reads hand out (LogSlice) may be used on any thread. One writer: this object.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "io/file_system.h"
#include "log/batch_header.h"
#include "log/checkpoint.h"
#include "log/group_commit.h"
#include "log/segment.h"
#include "log/segment_swap.h"
#include "model/ends.h"
#include "model/ports.h"
#include "model/record_batch.h"

namespace tripos::log {

// At most so many bytes of a partition are ever unsynced (rules, 1.7): what recovery may have to cut.
inline constexpr std::uint64_t unsynced_bytes_max = 4u << 20;

struct LogOptions {
  std::uint64_t segment_bytes = 1u << 30;                          // log.segment.bytes, at most 2^31 - 1
  std::chrono::milliseconds roll_ms = std::chrono::hours(7 * 24);  // log.roll.ms, by the records' timestamps, as Kafka does
  std::chrono::milliseconds roll_jitter_ms{0};                     // log.roll.jitter.ms: shortens roll_ms, of each segment by another part
  std::uint32_t index_interval_bytes = 4096;                       // log.index.interval.bytes
  std::uint32_t index_size_max_bytes = 10u << 20;                  // log.index.size.max.bytes
  std::uint64_t checkpoint_bytes = 64u << 20;                      // a checkpoint at least each so many synced bytes
  Offset next_offset_floor{0};  // no offset below it is given out: the end that a manifest holds (rules, 1.7)
  bool verify_all = false;      // recovery checks every batch, not only those above the checkpoint
};

// What open() found and did; for the operator's log.
struct RecoveryReport {
  bool clean = true;                // nothing stood above the checkpoint
  std::uint64_t scanned_bytes = 0;  // checked because nothing proves that they were synced
  std::uint64_t cut_bytes = 0;      // after the last whole batch: never acknowledged, removed
  std::string cut_file;
  std::uint64_t cut_position = 0;
  std::string damaged_checkpoint;     // why the checkpoint was not believed; the whole log was scanned
  std::optional<Offset> raised_from;  // the end found, when next_offset_floor raised it: acknowledged records are missing
};

// Why records leave the log.
enum class Trim {
  retention,   // they are old: what was made of them (a table's files) stays
  deletion,    // somebody wants them gone: from the table, too
  compaction,  // others of the same key came later
};

// An end that may be shown: what a reader brings along.
class VisibleEnd {
 public:
  VisibleEnd(DurableEnd end) noexcept : offset_(end.offset) {}    // NOLINT: this conversion is the point
  VisibleEnd(StableOffset end) noexcept : offset_(end.offset) {}  // NOLINT
  [[nodiscard]] Offset offset() const noexcept { return offset_; }

 private:
  Offset offset_;
};

struct AppendOptions {
  LeaderEpoch leader_epoch{0};
  std::optional<Offset> base_offset = std::nullopt;  // of the first batch; none: the next one. Never below the next one.
  Urgency urgency = Urgency::now;
};

struct Appended {
  Offset base_offset;
  WrittenEnd end;  // for when_durable()
};

struct LogRead {
  std::vector<LogSlice> slices;  // whole batches, the first of which may start below `from`
  std::uint64_t bytes = 0;
  Offset next;  // of the batch behind them: where the next read goes on
};

struct TimestampedOffset {
  Offset offset;
  std::int64_t timestamp_ms = -1;
  LeaderEpoch leader_epoch;
};

// A segment that is not written any more, for who reads all of it.
struct ClosedSegment {
  Offset base;
  Offset end;  // where the next one begins
  std::uint64_t size = 0;
  std::shared_ptr<const SegmentFile> file;
};

class PartitionLog final : public Syncable {
 public:
  struct Opened {
    std::unique_ptr<PartitionLog> log;
    RecoveryReport report;
  };
  // Opens and recovers (rules, 1.7); blocks. What it keeps is durable when it returns. A missing directory is an empty log.
  // corrupt: damage that no crash explains; file and position are named and nothing was changed.
  [[nodiscard]] static Result<Opened> open(io::FileSystem& files, GroupCommit& commit, std::string directory, LogOptions options);
  ~PartitionLog() override;

  // When segments roll, from now on; recovery's options are those of open().
  void set_options(const LogOptions& options);

  // --- Writing

  // Appends whole batches (checked by the caller: format, CRC, size), giving them offsets and the leader epoch; the caller's bytes stay
  // as they are. Nothing has changed after an error: no_space (retriable), unavailable (not accepts(): retriable), io (read-only from now
  // on, if the partial append could not be removed), invalid_argument, too_large (beyond log.segment.bytes).
  [[nodiscard]] Result<Appended> append(Bytes batches, const AppendOptions& options);

  // Whether an append of this size keeps within `unsynced_bytes_max` (a single larger one is accepted when nothing is unsynced).
  [[nodiscard]] bool accepts(std::uint64_t bytes) const noexcept;
  // Runs `task` after the next move of the durable end.
  void when_accepting(io::Task task);

  // Runs `done` on the loop once everything below `end` is durable (later in this turn at the earliest, in order of the ends).
  // Never runs if a sync fails or the log is destroyed before.
  void when_durable(WrittenEnd end, std::function<void(DurableEnd)> done);
  // Runs at each move of the durable end, before the waiters of when_durable().
  void set_durable_listener(std::function<void(DurableEnd)> listener) { durable_listener_ = std::move(listener); }

  // The offset that the next append gets. For the one who appends; readers have no use for it.
  [[nodiscard]] Offset next_offset() const noexcept { return written_.offset; }
  // The base offset of the segment that the last append went to. There was one.
  [[nodiscard]] Offset active_segment() const noexcept { return segments_.back()->base(); }
  [[nodiscard]] bool read_only() const noexcept { return read_only_; }

  // --- Reading

  [[nodiscard]] Offset start_offset() const noexcept { return start_; }
  [[nodiscard]] DurableEnd durable_end() const noexcept { return durable_; }

  // Whole batches from the one that holds `from` (or the first behind it), all below `end`, about `bytes_max` of them: at least one
  // batch, if there is one. out_of_range: `from` is not in [start_offset(), end].
  [[nodiscard]] Result<LogRead> read(Offset from, VisibleEnd end, std::uint64_t bytes_max);

  // The first record with at least this timestamp, exact to the record; nothing if there is none below `end`.
  [[nodiscard]] Result<std::optional<TimestampedOffset>> find_by_timestamp(std::int64_t timestamp_ms, VisibleEnd end);
  // The first record with the largest timestamp below `end`; nothing if there are no records.
  [[nodiscard]] Result<std::optional<TimestampedOffset>> find_max_timestamp(VisibleEnd end);

  // Calls `visit` with the header of every batch of [from, end), in order, and the file that holds the batch, to rebuild what is derived
  // from them (producer state). An error of `visit` ends it.
  [[nodiscard]] Result<> for_each_header(Offset from, VisibleEnd end,
                                         const std::function<Result<>(const BatchHeader&, const LeasedFile&)>& visit);
  // The same with whole batches (metadata, group offsets); their checksums are checked. An error of `visit` ends it.
  [[nodiscard]] Result<> for_each_batch(Offset from, VisibleEnd end, const std::function<Result<>(const RecordBatchView&)>& visit);

  [[nodiscard]] std::uint64_t size_bytes() const noexcept;

  // --- Retention

  struct SegmentInfo {
    Offset base_offset;
    Offset end_offset;
    std::uint64_t size_bytes;
    std::int64_t max_timestamp_ms;  // -1: empty
    bool active;
  };
  // Oldest first: what a retention policy decides on.
  [[nodiscard]] Result<std::vector<SegmentInfo>> segments();

  // Raises the start to `offset` (at most the durable end; nothing happens to a start that lies higher). Once that is durable, readers see
  // it, the segments that lie below it altogether are removed, and `done` runs. After an error it may still happen: at a later checkpoint.
  void advance_start(Offset offset, Trim trim, std::function<void(const Result<>&)> done);
  // Records below it were deleted on request; those from there up to the start have only aged out.
  [[nodiscard]] Offset deleted_below() const noexcept { return deleted_below_; }

  // --- Compaction

  // Records below it have been compacted.
  [[nodiscard]] Offset compacted_below() const noexcept { return compacted_below_; }
  // All segments below it are closed, and recovery will not look into them.
  [[nodiscard]] Offset checkpointed_segment() const noexcept { return checkpoint_on_disk_ ? checkpoint_on_disk_->segment : start_; }
  // Of the first batch of the segment that begins at `base`; -1: there is none.
  [[nodiscard]] Result<std::int64_t> first_timestamp(Offset base);
  // The segments below `end`, oldest first. `end`: where one begins, at most checkpointed_segment().
  [[nodiscard]] Result<std::vector<ClosedSegment>> closed_segments(Offset end);
  // Puts a compacted segment in the place of those that it was made of; `done` when that is durable. Readers may go on with slices of the
  // old ones. conflict: they are no longer what they were (the start has moved): nothing was changed.
  void replace(const CleanedSegment& cleaned, std::function<void(const Result<>&)> done);
  // A run of compaction has ended.
  void set_compacted_below(Offset offset, std::function<void(const Result<>&)> done);

  // --- Closing

  // Writes a checkpoint of the durable end in the background, as a clean stop does; `done` runs on the loop.
  void checkpoint(std::function<void(const Result<>&)> done);
  // Gives reserved space back.
  void trim();

  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

  // For GroupCommit.
  [[nodiscard]] SyncWork begin_sync() override;
  void finish_sync() override;
  void sync_failed() override;

 private:
  friend class Recovery;

  // The written end at some moment, with what a checkpoint says of it.
  struct Mark {
    WrittenEnd end;
    std::uint64_t bytes = 0;  // written since open()
    Checkpoint checkpoint;
    bool rolled = false;
  };
  struct Waiter {
    Offset end;
    std::function<void(DurableEnd)> done;
  };
  // Where batches of the active segment stand: the last ones, so that reads near the end need no search.
  struct Place {
    Offset offset;  // of the batch's first record
    std::uint64_t position = 0;
  };

  // Where a read ended: the next one of the same reader starts there.
  struct Cursor {
    const Segment* segment = nullptr;
    Place place;
  };

  PartitionLog(io::FileSystem& files, GroupCommit& commit, std::string directory, LogOptions options);

  [[nodiscard]] Result<> prepare(Bytes batches, const AppendOptions& options, WrittenEnd& end);
  [[nodiscard]] std::chrono::milliseconds roll_age() const noexcept;
  [[nodiscard]] bool must_roll(std::uint64_t bytes, Offset last_offset, std::int64_t max_timestamp_ms) const noexcept;
  [[nodiscard]] bool first_segment_unsynced() const noexcept;
  [[nodiscard]] Result<> roll(Offset base);
  [[nodiscard]] Mark mark() const;
  void remember_place(Offset offset, std::uint64_t position);
  // The segment that holds `offset`, or the last one that starts below it.
  [[nodiscard]] std::size_t segment_of(Offset offset) const noexcept;
  // The position in segment `index` behind the last batch that lies below `end`.
  [[nodiscard]] Result<std::uint64_t> end_position(std::size_t index, Offset end);
  [[nodiscard]] Result<std::optional<Place>> locate(std::size_t index, Offset from, std::uint64_t end_position);
  // Keeps the files of the closed segments that were used last open, those of others closed.
  Segment& use(std::size_t index);
  [[nodiscard]] Result<> check_range(Offset from, VisibleEnd end) const;
  using Answers = std::vector<std::function<void(const Result<>&)>>;
  static void answer_all(const Answers& waiters, const Result<>& result);
  void start_chore();
  void remove_segments_below(const Checkpoint& written, Answers waiters);
  void end_chore();
  // On the loop, between the decision and its end: from here on readers see the new segment.
  [[nodiscard]] Result<> swap(const CleanedSegment& cleaned, std::vector<std::shared_ptr<const SegmentFile>>& old_files);
  [[nodiscard]] std::optional<std::size_t> find_replaced(const CleanedSegment& cleaned) const noexcept;
  [[nodiscard]] bool segments_to_remove() const noexcept;
  void take_removed_segments(Offset checkpointed_segment);

  io::FileSystem& files_;
  GroupCommit& commit_;
  std::string directory_;
  LogOptions options_;

  std::vector<std::unique_ptr<Segment>> segments_;  // oldest first; the last one is written. None before the first append.
  // Readers see what is durable; what is wanted was asked for and goes into the next checkpoint.
  Offset start_{0};
  Offset deleted_below_{0};
  Offset wanted_start_{0};
  Offset wanted_deleted_below_{0};
  Offset compacted_below_{0};
  WrittenEnd written_{};
  DurableEnd durable_{};
  bool read_only_ = false;
  std::uint64_t written_bytes_ = 0;  // since open()
  std::uint64_t durable_bytes_ = 0;
  std::uint64_t checkpoint_bytes_ = 0;  // durable_bytes_ at the last checkpoint

  // Between an append and its sync.
  std::vector<std::shared_ptr<io::File>> closed_unsynced_;
  std::vector<std::string> directories_unsynced_;
  bool rolled_ = false;
  std::optional<Mark> syncing_;
  Checkpoint durable_checkpoint_;  // of durable_

  // Checkpoints and removals, one at a time.
  bool chore_running_ = false;
  bool chore_wanted_ = false;
  bool has_durable_segment_ = false;  // durable_checkpoint_ speaks of a segment
  std::optional<Checkpoint> checkpoint_on_disk_;
  std::vector<io::Task> waiting_chores_;
  std::vector<std::string> removed_;  // files that are no longer part of the log and still have their names
  Answers chore_waiters_;
  std::shared_ptr<PartitionLog*> alive_ = std::make_shared<PartitionLog*>(this);  // for closures that may outlive this

  std::deque<Waiter> waiters_;  // by end
  std::vector<io::Task> accepting_waiters_;
  std::function<void(DurableEnd)> durable_listener_;

  std::vector<Place> places_;  // a ring
  std::size_t next_place_ = 0;
  std::array<Cursor, 4> cursors_{};
  std::size_t next_cursor_ = 0;
  std::array<Segment*, 2> used_{};  // closed segments whose files are open

  // Of append(), kept for their memory.
  std::vector<BatchHeader> headers_;
  std::vector<std::array<char, batch_layout::magic>> prefixes_;  // what the log writes into each batch
  std::vector<Bytes> parts_;
};

// Clean stop: waits until everything is durable, then checkpoints all logs; `done` runs on the loop. Nothing is appended meanwhile.
void close_all(GroupCommit& commit, std::vector<PartitionLog*> logs, io::Task done);

}  // namespace tripos::log
