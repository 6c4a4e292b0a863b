#include "query/pinned_message.h"

#include <map>

#include "base/check.h"

namespace tripos::query {

namespace {

class Descriptors {
 public:
  Result<protocol::PinnedRange> range(const PartitionRange& range) {
    protocol::PinnedRange to{.partition = range.partition, .begin = range.begin, .end = range.end.offset, .slices = {}, .aborted = {}};
    for (const TransactionRange& each : range.left_out()) to.aborted.push_back({each.producer_id, each.first, each.last});
    for (const LogSlice& slice : range.slices) {
      TRIPOS_ASSIGN(const std::uint32_t index, index_of(*slice.file));
      to.slices.push_back(
          {.descriptor = index, .begin = slice.begin, .end = slice.end, .from = slice.from, .to = slice.to, .file = slice.file->name()});
    }
    return to;
  }
  std::vector<int> take() { return std::move(numbers_); }

 private:
  Result<std::uint32_t> index_of(const LeasedFile& file) {
    if (file.descriptor() < 0)
      return fail(ErrorCode::unsupported, "a file of the log is none of the operating system's: no worker can read it");
    const auto [entry, added] = indexes_.try_emplace(&file, static_cast<std::uint32_t>(numbers_.size()));
    if (added) numbers_.push_back(file.descriptor());
    return entry->second;
  }

  std::map<const LeasedFile*, std::uint32_t> indexes_;
  std::vector<int> numbers_;
};

protocol::TableKind to_protocol(lambda::TableKind kind) {
  switch (kind) {
    case lambda::TableKind::rows: return protocol::TableKind::rows;
    case lambda::TableKind::messages: return protocol::TableKind::messages;
    case lambda::TableKind::rejected: return protocol::TableKind::rejected;
  }
  return protocol::TableKind::rows;
}

}  // namespace

Result<PinnedMessage> pinned_message(const lambda::Pin& pin, std::span<const protocol::TableName> asked,
                                     const lambda::ManifestStore& manifests) {
  CHECK(pin.tables.size() == asked.size());
  PinnedMessage to;
  Descriptors descriptors;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const lambda::PinnedTable& table = pin.tables[i];
    protocol::PinnedTable entry;
    entry.name = asked[i].name;
    entry.kind = to_protocol(table.kind);
    entry.topic_id = table.topic.id;
    entry.topic = table.topic.name;
    entry.compacted = table.topic.compacted;
    entry.schema = table.schema.text();
    for (const auto& [file, begin] : table.files()) {
      entry.files.push_back({.path = manifests.path(table.topic.id, file->name),
                             .partition = file->partition,
                             .begin = begin,
                             .end = file->end,
                             .holds_more = begin > file->begin,
                             .lost_count = file->lost_count,
                             .schema = table.manifest->schema_text(file->schema)});
    }
    for (const PartitionRange& range : table.ranges) {
      TRIPOS_ASSIGN(auto message, descriptors.range(range));
      entry.ranges.push_back(std::move(message));
    }
    to.message.tables.push_back(std::move(entry));
  }
  to.descriptors = descriptors.take();
  return to;
}

Result<RangeMessage> range_message(const PartitionRange& range) {
  Descriptors descriptors;
  TRIPOS_ASSIGN(auto message, descriptors.range(range));
  return RangeMessage{.range = std::move(message), .descriptors = descriptors.take()};
}

}  // namespace tripos::query
