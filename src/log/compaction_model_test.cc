// Compaction against a naive model: whatever is appended, rolled, compacted, trimmed and restarted in whatever order, what a reader of
// committed records makes of the log is what it would make of all that was ever appended.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "log/compaction_fixture.h"

namespace tripos::log {
namespace {

constexpr std::int64_t delete_retention_ms = 400;
constexpr int producer_count = 3;
constexpr int key_count = 12;

class World {
 public:
  World() {
    make_data_directory(files_);
    open();
  }

  // Producer 0 writes outside of transactions.
  void put(int producer) {
    std::vector<Keyed> records;
    const int count = *rc::gen::inRange(1, 5);
    for (int i = 0; i < count; ++i) {
      const bool tombstone = *rc::gen::inRange(0, 5) == 0;
      std::string value = std::to_string(next_value_++) + std::string(static_cast<std::size_t>(*rc::gen::inRange(0, 60)), 'v');
      records.emplace_back("key" + std::to_string(*rc::gen::inRange(0, key_count)),
                           tombstone ? std::nullopt : std::optional(std::move(value)));
    }
    RecordBatchFields fields = producer == 0 ? RecordBatchFields() : transactional_fields(producer);
    if (*rc::gen::inRange(0, 4) == 0) fields.compression = Compression::lz4;
    const Offset base = append(keyed_batch(records, fields, now_ms_));
    auto& open = transactions_[producer];
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Offset offset = base + static_cast<std::int64_t>(i);
      all_[offset] = {.offset = offset, .key = records[i].first, .value = records[i].second, .timestamp_ms = now_ms_, .header_count = 1};
      if (producer == 0) committed_.insert(offset);
      if (producer != 0) open.push_back(offset);
    }
  }

  void end(int producer, bool committed) {
    auto& open = transactions_[producer];
    if (open.empty()) return;
    const TransactionMarker marker{.producer_id = ProducerId(producer), .producer_epoch = ProducerEpoch(0), .committed = committed};
    const Offset at = append(build_marker_batch(marker, WallTime(std::chrono::milliseconds(now_ms_))));
    if (committed) committed_.insert(open.begin(), open.end());
    if (!committed) aborted_.push_back({.producer_id = ProducerId(producer), .first = open.front(), .last = at});
    for (const Offset offset : open) marker_of_[offset] = at;
    open.clear();
  }

  void compact() {
    Offset end = std::min(log_->checkpointed_segment(), stable());
    const auto segments = *log_->segments();
    const auto plan = plan_compaction(segments, log_->compacted_below(), end, {}, now_ms_);
    if (!plan) return;
    std::vector<AbortedTransaction> reaching = aborted_;
    std::ranges::sort(reaching, {}, &AbortedTransaction::first);
    const CompactionOptions options{.segment_bytes = 700,
                                    .index_interval_bytes = 100,
                                    .delete_retention_ms = delete_retention_ms,
                                    .map_bytes = *rc::gen::element<std::uint64_t>(1, 1u << 20),
                                    .step_bytes = *rc::gen::element<std::uint64_t>(1, 1u << 20),
                                    .seed = 5};
    const auto done = run_compaction(*log_, files_, *loop_, plan->end, reaching, options, now_ms_);
    RC_ASSERT(done.has_value());
    for (const auto& [offset, record] : all_) {
      if (offset < log_->compacted_below() && !record.value) horizon_ms_.emplace(offset, now_ms_ + delete_retention_ms);
    }
    compacted_ms_ = now_ms_;
  }

  void pass(int ms) { now_ms_ += ms; }

  void trim() {
    const Offset to = log_->start_offset() + (log_->durable_end().offset - log_->start_offset()) / 3;
    log_->advance_start(to, Trim::retention, [](const Result<>&) {});
    loop_->run_all();
  }

  void restart() {
    log_.reset();
    commit_.reset();
    open();
  }

  void check() {
    std::map<Offset, Standing> standing;
    std::set<Offset> markers;
    const auto read = for_each_standing(
        *log_, [&](const RecordBatchView&, const Standing& each) { standing[each.offset] = each; },
        [&](const RecordBatchView& batch) { markers.insert(batch.base_offset()); });
    RC_ASSERT(read.has_value());
    const Offset start = log_->start_offset();
    std::map<std::string, Offset> last;  // of each key, among the committed ones
    for (const Offset offset : committed_) {
      if (offset >= start) last[all_.at(offset).key] = offset;
    }
    std::map<std::string, int> below;  // how often each key stands in the compacted part
    for (const auto& [offset, record] : standing) {
      RC_ASSERT(record == all_.at(offset));  // nothing was changed or invented
      const auto marker = marker_of_.find(offset);
      if (marker != marker_of_.end()) RC_ASSERT(markers.contains(marker->second));
      if (offset >= log_->compacted_below()) continue;
      RC_ASSERT(committed_.contains(offset));  // nothing that was aborted is left
      ++below[record.key];
      RC_ASSERT(below[record.key] == 1);
    }
    for (const auto& [key, offset] : last) {
      const bool stands = standing.contains(offset);
      if (all_.at(offset).value || !horizon_ms_.contains(offset)) {
        RC_ASSERT(stands);
      } else if (compacted_ms_ < horizon_ms_.at(offset)) {
        RC_ASSERT(stands);  // its time has not come
      }
    }
    // What no compaction has seen is all there.
    for (const auto& [offset, record] : all_) {
      if (offset >= std::max(start, log_->compacted_below())) RC_ASSERT(standing.contains(offset));
    }
  }

 private:
  void open() {
    loop_ = std::make_unique<io::SimLoop>(1);
    commit_ = std::make_unique<GroupCommit>(*loop_, *loop_, files_, test_data, CommitHooks{[](const Error&) { std::abort(); }, nullptr});
    LogOptions options;
    options.segment_bytes = 700;
    options.index_interval_bytes = 100;
    auto opened = PartitionLog::open(files_, *commit_, test_directory, options);
    RC_ASSERT(opened.has_value());
    log_ = std::move(opened->log);
  }
  Offset append(const Buffer& batch) {
    const auto appended = log_->append(batch, {});
    RC_ASSERT(appended.has_value());
    loop_->run_all();
    return appended->base_offset;
  }
  Offset stable() const {
    Offset stable = log_->durable_end().offset;
    for (const auto& [producer, open] : transactions_) {
      if (!open.empty()) stable = std::min(stable, open.front());
    }
    return stable;
  }

  io::SimFileSystem files_;
  std::unique_ptr<io::SimLoop> loop_;
  std::unique_ptr<GroupCommit> commit_;
  std::unique_ptr<PartitionLog> log_;
  std::int64_t now_ms_ = 100'000;
  int next_value_ = 0;

  std::map<Offset, Standing> all_;  // ever appended
  std::set<Offset> committed_;
  std::map<int, std::vector<Offset>> transactions_;  // open ones, by producer
  std::map<Offset, Offset> marker_of_;               // of records whose transaction has ended
  std::vector<AbortedTransaction> aborted_;
  std::map<Offset, std::int64_t> horizon_ms_;  // of tombstones, at the earliest
  std::int64_t compacted_ms_ = 0;              // when the last run was
};

TEST(CompactionModel, AReaderSeesWhatItWouldHaveSeenWithoutIt) {
  EXPECT_TRUE(rc::check("compaction keeps what readers of the last values need", [] {
    World world;
    const int steps = *rc::gen::inRange(5, 120);
    for (int i = 0; i < steps; ++i) {
      const int producer = *rc::gen::inRange(1, producer_count);
      switch (*rc::gen::weightedElement<int>({{8, 0}, {8, 1}, {4, 2}, {2, 3}, {5, 4}, {4, 5}, {1, 6}, {1, 7}})) {
        case 0: world.put(0); break;
        case 1: world.put(producer); break;
        case 2: world.end(producer, true); break;
        case 3: world.end(producer, false); break;
        case 4:
          world.compact();
          world.check();
          break;
        case 5: world.pass(*rc::gen::inRange(1, 900)); break;
        case 6: world.trim(); break;
        default:
          world.restart();
          world.check();
          break;
      }
    }
    world.check();
  }));
}

}  // namespace
}  // namespace tripos::log
