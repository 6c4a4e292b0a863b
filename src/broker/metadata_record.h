// MetadataRecord: one thing that the broker must remember, as a key and a value in the metadata log (docs/format/metadata_log.md).
// The last value of a key counts, no value: it is gone; so that the log can be compacted.
// Ownership: values. Threads: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/config/broker_config.h"
#include "model/ids.h"

namespace tripos::broker {

struct TopicRecord {
  TopicId id;
  std::string name;
  std::int32_t partition_count = 0;
  ConfigValues config;
  friend bool operator==(const TopicRecord&, const TopicRecord&) = default;
};
struct TopicDeleted {
  TopicId id;
  friend bool operator==(const TopicDeleted&, const TopicDeleted&) = default;
};
// Producer ids below `next` may have been given out.
struct ProducerIdBlock {
  ProducerId next{0};
  friend bool operator==(const ProducerIdBlock&, const ProducerIdBlock&) = default;
};
struct ClusterRecord {
  Uuid id;
  friend bool operator==(const ClusterRecord&, const ClusterRecord&) = default;
};

// What was changed of the broker's configuration while it ran, for all brokers or for this one.
struct DynamicConfigRecord {
  DynamicScope scope = DynamicScope::this_broker;
  ConfigValues values;
  friend bool operator==(const DynamicConfigRecord&, const DynamicConfigRecord&) = default;
};

using MetadataRecord = std::variant<TopicRecord, TopicDeleted, ProducerIdBlock, ClusterRecord, DynamicConfigRecord>;

struct EncodedMetadata {
  Buffer key;
  std::optional<Buffer> value;
};
[[nodiscard]] EncodedMetadata encode_metadata(const MetadataRecord& record);
// corrupt: it is not one of these; unsupported: it is of a newer version of the program.
[[nodiscard]] Result<MetadataRecord> decode_metadata(Bytes key, std::optional<Bytes> value);

}  // namespace tripos::broker
