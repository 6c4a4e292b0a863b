#include "broker/metadata_record.h"

#include <cstring>

#include "base/varint.h"

namespace tripos::broker {

namespace {

enum class KeyKind : char { cluster = 0, topic = 1, producer_ids = 2, dynamic_config = 3 };
constexpr char value_version = 0;

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool integer(std::uint32_t& to) { return ok_ = ok_ && read_unsigned_varint(bytes_, position_, to); }
  [[nodiscard]] bool text(std::string& to) {
    std::uint32_t size = 0;
    if (!integer(size) || size > bytes_.size() - position_) return ok_ = false;
    to.assign(bytes_.substr(position_, size));
    position_ += size;
    return true;
  }
  [[nodiscard]] bool at_end() const { return ok_ && position_ == bytes_.size(); }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

void append_text(Buffer& to, std::string_view text) {
  append_unsigned_varint(to, static_cast<std::uint32_t>(text.size()));
  to.append(text);
}

Buffer key_of(KeyKind kind, Bytes rest = {}) {
  Buffer key(1, static_cast<char>(kind));
  key.append(rest);
  return key;
}

Bytes bytes_of(const Uuid& id) { return {id.bytes.data(), id.bytes.size()}; }

std::optional<Uuid> uuid_of(Bytes bytes) {
  Uuid id;
  if (bytes.size() != id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

void append_values(Buffer& to, const ConfigValues& values) {
  append_unsigned_varint(to, static_cast<std::uint32_t>(values.size()));
  for (const auto& [name, text] : values) {
    append_text(to, name);
    append_text(to, text);
  }
}

[[nodiscard]] bool read_values(Reader& reader, ConfigValues& values) {
  std::uint32_t count = 0;
  bool ok = reader.integer(count);
  for (std::uint32_t i = 0; ok && i < count; ++i) {
    std::string name;
    std::string text;
    ok = reader.text(name) && reader.text(text);
    if (ok) values.emplace(std::move(name), std::move(text));
  }
  return ok;
}

Result<MetadataRecord> decode_topic(const TopicId& id, Bytes value) {
  TopicRecord topic{.id = id, .name = {}, .partition_count = 0, .config = {}};
  Reader reader(value);
  std::uint32_t partition_count = 0;
  const bool ok = reader.text(topic.name) && reader.integer(partition_count) && read_values(reader, topic.config);
  if (!ok || !reader.at_end() || partition_count == 0 || partition_count > 0x7fffffff) {
    return fail(ErrorCode::corrupt, "the metadata of topic {} can't be read", id.text());
  }
  topic.partition_count = static_cast<std::int32_t>(partition_count);
  return topic;
}

}  // namespace

EncodedMetadata encode_metadata(const MetadataRecord& record) {
  Buffer value(1, value_version);
  if (const auto* topic = std::get_if<TopicRecord>(&record)) {
    append_text(value, topic->name);
    append_unsigned_varint(value, static_cast<std::uint32_t>(topic->partition_count));
    append_values(value, topic->config);
    return {.key = key_of(KeyKind::topic, bytes_of(topic->id)), .value = std::move(value)};
  }
  if (const auto* deleted = std::get_if<TopicDeleted>(&record)) return {.key = key_of(KeyKind::topic, bytes_of(deleted->id)), .value = {}};
  if (const auto* block = std::get_if<ProducerIdBlock>(&record)) {
    append_be(value, block->next.value());
    return {.key = key_of(KeyKind::producer_ids), .value = std::move(value)};
  }
  if (const auto* dynamic = std::get_if<DynamicConfigRecord>(&record)) {
    append_values(value, dynamic->values);
    return {.key = key_of(KeyKind::dynamic_config, Bytes(dynamic->scope == DynamicScope::all_brokers ? "\x01" : "\0", 1)),
            .value = std::move(value)};
  }
  value.append(bytes_of(std::get<ClusterRecord>(record).id));
  return {.key = key_of(KeyKind::cluster), .value = std::move(value)};
}

Result<MetadataRecord> decode_metadata(Bytes key, std::optional<Bytes> value) {
  if (key.empty()) return fail(ErrorCode::corrupt, "a metadata record has no key");
  const auto kind = static_cast<KeyKind>(key.front());
  const Bytes rest = key.substr(1);
  if (kind == KeyKind::topic && !value) {
    if (const auto id = uuid_of(rest)) return TopicDeleted{*id};
    return fail(ErrorCode::corrupt, "a metadata record names no topic");
  }
  if (!value || value->empty()) return fail(ErrorCode::corrupt, "a metadata record of kind {} has no value", static_cast<int>(kind));
  if (value->front() != value_version) {
    return fail(ErrorCode::unsupported, "a metadata record is of version {}, written by a newer tripos", static_cast<int>(value->front()));
  }
  const Bytes body = value->substr(1);
  switch (kind) {
    case KeyKind::topic:
      if (const auto id = uuid_of(rest)) return decode_topic(*id, body);
      break;
    case KeyKind::producer_ids:
      if (rest.empty() && body.size() == sizeof(std::int64_t)) return ProducerIdBlock{ProducerId(load_be<std::int64_t>(body.data()))};
      break;
    case KeyKind::cluster:
      if (const auto id = uuid_of(body); id && rest.empty()) return ClusterRecord{*id};
      break;
    case KeyKind::dynamic_config:
      if (rest.size() == 1 && (rest.front() == 0 || rest.front() == 1)) {
        DynamicConfigRecord dynamic;
        dynamic.scope = rest.front() == 1 ? DynamicScope::all_brokers : DynamicScope::this_broker;
        Reader reader(body);
        if (read_values(reader, dynamic.values) && reader.at_end()) return dynamic;
      }
      break;
    default: return fail(ErrorCode::unsupported, "a metadata record is of kind {}, written by a newer tripos", static_cast<int>(kind));
  }
  return fail(ErrorCode::corrupt, "a metadata record of kind {} can't be read", static_cast<int>(kind));
}

}  // namespace tripos::broker
