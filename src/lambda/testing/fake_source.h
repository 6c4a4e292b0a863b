// FakeSource: a RecordSource and RecordSink in memory, for tests. Each append is durable at once. A partition's log is one file of
// the operating system in memory (memfd), so that real worker processes can read it too; it grows while readers have it.
// Threads: any.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/check.h"
#include "model/ports.h"
#include "model/record_batch.h"

namespace tripos::lambda {

class MemoryFile final : public LeasedFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("log", MFD_CLOEXEC)) { CHECK(descriptor_ >= 0); }
  ~MemoryFile() override { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] int descriptor() const noexcept override { return descriptor_; }
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] Result<> read(std::uint64_t position, std::size_t count, Buffer& to) const override {
    const std::size_t before = to.size();
    to.resize(before + count);
    if (::pread(descriptor_, to.data() + before, count, static_cast<off_t>(position)) != static_cast<ssize_t>(count)) {
      return fail(ErrorCode::io, "the file ends before byte {}", position + count);
    }
    return {};
  }
  void append(Bytes bytes) {
    CHECK(::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_)) == static_cast<ssize_t>(bytes.size()));
    size_ += bytes.size();
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  int descriptor_;
  std::string name_ = "log in memory";
  std::uint64_t size_ = 0;
};

class FakeSource final : public RecordSource, public RecordSink {
 public:
  FakeSource() = default;
  FakeSource(FakeSource&& other) noexcept : topics_(std::move(other.topics_)), partitions_(std::move(other.partitions_)) {}

  // The same topics and records; what comes to one does not come to the other.
  FakeSource copy() {
    const std::lock_guard lock(mutex_);
    FakeSource same;
    same.topics_ = topics_;
    same.partitions_ = partitions_;
    for (auto& [id, partition] : same.partitions_) {
      Buffer bytes;
      CHECK(partition.file->read(0, partition.file->size(), bytes).has_value());
      partition.file = std::make_shared<MemoryFile>();
      partition.file->append(bytes);
    }
    return same;
  }

  TopicId create(const std::string& name, std::int32_t partition_count = 1) {
    const std::lock_guard lock(mutex_);
    TopicDescription topic{.id = Uuid::random(), .name = name, .partition_count = partition_count, .internal = name.starts_with("__")};
    topics_.push_back(topic);
    for (PartitionId partition(0); partition.value() < partition_count; ++partition) partitions_[{topic.id, partition}];
    return topic.id;
  }
  TopicDescription& topic(const std::string& name) {
    for (TopicDescription& topic : topics_) {
      if (topic.name == name) return topic;
    }
    CHECK(false);
  }
  void remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    std::erase_if(topics_, [&name](const auto& topic) { return topic.name == name; });
  }

  // One batch; the offset of the first record.
  Offset append(const std::string& name, std::int32_t partition, const std::vector<std::optional<std::string>>& values) {
    const std::lock_guard lock(mutex_);
    Partition& log = partitions_.at({topic(name).id, PartitionId(partition)});
    RecordBatchBuilder builder;
    for (const auto& value : values) {
      builder.add(WallTime(WallClock::duration(1000)), std::nullopt, value ? std::optional<Bytes>(*value) : std::nullopt);
    }
    return log.add(builder);
  }

  void append(NewRecords records, AppendDone done) override { done(append(std::move(records))); }
  Result<Offset> append(NewRecords records) override {
    const std::lock_guard lock(mutex_);
    bool known = false;
    for (const auto& topic : topics_) known = known || topic.name == records.topic;
    if (!known) {
      topics_.push_back({.id = Uuid::random(), .name = records.topic, .partition_count = 1, .internal = records.topic.starts_with("__")});
      partitions_[{topics_.back().id, PartitionId(0)}];
    }
    RecordBatchBuilder builder;
    for (const auto& record : records.records) {
      const auto view = [](const std::optional<Buffer>& bytes) { return bytes ? std::optional<Bytes>(*bytes) : std::nullopt; };
      builder.add(record.timestamp.value_or(WallTime()), view(record.key), view(record.value));
    }
    return partitions_.at({topic(records.topic).id, records.partition}).add(builder);
  }

  std::vector<TopicDescription> topics() override {
    const std::lock_guard lock(mutex_);
    return topics_;
  }

  Result<std::vector<PartitionRange>> ranges(std::span<const RangeRequest> requests) override {
    if (before_ranges) before_ranges();
    const std::lock_guard lock(mutex_);
    ++ranges_calls;
    std::vector<PartitionRange> ranges;
    for (const RangeRequest& request : requests) {
      bool known = false;
      for (const auto& topic : topics_) known = known || topic.id == request.partition.topic;
      const auto found = partitions_.find(request.partition);
      if (!known || found == partitions_.end()) return fail(ErrorCode::not_found, "no such partition");
      ranges.push_back(found->second.range(request.partition.partition, request.begin));
    }
    return ranges;
  }

  // Retention: whole batches below `start` are gone.
  void trim(const std::string& name, std::int32_t partition, Offset start) {
    const std::lock_guard lock(mutex_);
    partitions_.at({topic(name).id, PartitionId(partition)}).start = start;
  }

  // DeleteRecords.
  void erase(const std::string& name, std::int32_t partition, Offset below) {
    const std::lock_guard lock(mutex_);
    Partition& log = partitions_.at({topic(name).id, PartitionId(partition)});
    log.start = std::max(log.start, below);
    log.deleted_below = std::max(log.deleted_below, below);
  }

  std::function<void()> before_ranges;  // runs as if it happened just before the log is looked at
  int ranges_calls = 0;

 private:
  struct Batch {
    Offset base;
    std::uint64_t position = 0;
  };
  struct Partition {
    std::shared_ptr<MemoryFile> file = std::make_shared<MemoryFile>();
    std::vector<Batch> batches;
    Offset start{0};
    Offset deleted_below{0};
    Offset end{0};

    Offset add(RecordBatchBuilder& builder) {
      RecordBatchFields fields;
      fields.base_offset = end;
      batches.push_back({.base = end, .position = file->size()});
      end = end + builder.record_count();
      file->append(builder.finish(fields));
      return fields.base_offset;
    }
    PartitionRange range(PartitionId id, Offset from) const {
      PartitionRange found{.partition = id,
                           .begin = std::max(from, start),
                           .end = StableOffset{end},
                           .slices = {},
                           .aborted = {},
                           .deleted_below = deleted_below};
      if (found.begin >= end) return found;
      std::size_t first = 0;
      while (first + 1 < batches.size() && batches[first + 1].base <= found.begin) ++first;
      found.slices.push_back({.file = file, .begin = batches[first].position, .end = file->size()});
      return found;
    }
  };

  std::mutex mutex_;
  std::vector<TopicDescription> topics_;
  std::map<TopicPartition, Partition> partitions_;
};

}  // namespace tripos::lambda
